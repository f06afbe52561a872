"""The gap of a GAN against games whose gap is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

DATA = np.random.default_rng(0).normal(size=(2048, 2)).astype("float32")


def make(loss="minimax", conditional=False):
    """A small compiled GAN."""
    pair = kgg.networks.mlp_pair(
        2, latent_dim=4, width=16, num_classes=3 if conditional else None, seed=1
    )
    gan = kgg.GAN(*pair, seed=0)
    gan.compile(loss=loss)
    return gan


def shift_gan(offset, slope):
    """G(z) = z + offset in one dimension against a linear critic D(x) = slope x."""
    latents = keras.Input((1,))
    shifted = keras.layers.Dense(
        1,
        kernel_initializer="ones",
        bias_initializer=keras.initializers.Constant(offset),
    )
    data = keras.Input((1,))
    critic = keras.layers.Dense(
        1, use_bias=False, kernel_initializer=keras.initializers.Constant(slope)
    )
    gan = kgg.GAN(
        keras.Model(data, critic(data)), keras.Model(latents, shifted(latents)), seed=0
    )
    gan.compile(loss="wasserstein")
    return gan


def test_no_search_gives_no_gap():
    estimate = kgg.duality_gap(make(), DATA[:1024], DATA[1024:], num_steps=0, seed=0)
    assert estimate.gap == 0.0
    assert estimate.minimax == estimate.maximin
    assert estimate.curves is None


def test_linear_wasserstein_game_in_closed_form():
    """V(w, b) = w (mean x - mean z - b): k sgd steps have a closed form."""
    offset, slope, rate, steps, batch = 0.7, 0.3, 0.1, 5, 64
    gan = shift_gan(offset, slope)
    data = np.full((256, 1), 2.0, "float32")
    # Constant data, and a generator without latents' influence on the mean: the kernel
    # of G is searched too, so hold it out by making the latents' mean irrelevant.
    estimate = kgg.duality_gap(
        gan,
        data[:128],
        data[128:].copy(),
        num_steps=steps,
        learning_rate=rate,
        optimizer="sgd",
        batch_size=batch,
        seed=4,
    )
    # grad_w V = 2 - offset - mean z, so w grows by about rate (2 - offset) a step;
    # the searched w multiplies the same difference on the scoring batch.
    difference = 2.0 - offset
    expected_slope = slope + steps * rate * difference
    tolerance = 5 * expected_slope / np.sqrt(batch)
    assert estimate.minimax == pytest.approx(expected_slope * difference, abs=tolerance)
    # grad_b V = -slope, so b grows by rate slope a step.
    expected = slope * (difference - steps * rate * slope)
    assert estimate.maximin == pytest.approx(expected, abs=5 * slope / np.sqrt(batch))
    assert estimate.gap == estimate.minimax - estimate.maximin > 0


def test_model_is_untouched():
    gan = make()
    gan.fit(DATA[:256], verbose=0)
    before = gan.get_weights()
    kgg.duality_gap(gan, DATA[:1024], DATA[1024:], num_steps=5, seed=0)
    for old, new in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_seed_repeats_and_search_widens_the_gap():
    gan = make()
    arguments = {"seed": 3, "learning_rate": 1e-2}
    once, again = (
        kgg.duality_gap(gan, DATA[:1024], DATA[1024:], num_steps=20, **arguments)
        for _ in range(2)
    )
    assert once[:6] == again[:6]
    longer = kgg.duality_gap(gan, DATA[:1024], DATA[1024:], num_steps=60, **arguments)
    assert longer.gap > once.gap > 0.0
    assert once.curves.shape == (20, 2)
    assert once.num_scored == 1024
    told = f"gap={once.gap:.4g} ± {once.gap_error:.2g}"
    assert told in repr(once) and "array" not in repr(once)
    assert 0.0 < once.gap_error < once.gap


def test_perturbation_moves_a_search_off_a_critical_point():
    gan = make()
    for variable in gan.discriminator.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    arguments = {"num_steps": 30, "learning_rate": 1e-2, "seed": 0}
    plain = kgg.duality_gap(gan, DATA[:1024], DATA[1024:], **arguments)
    noisy = kgg.duality_gap(
        gan, DATA[:1024], DATA[1024:], perturbation=0.1, **arguments
    )
    relative = kgg.games.Perturbation(0.5, relative=True)
    kgg.duality_gap(gan, DATA[:1024], DATA[1024:], perturbation=relative, **arguments)
    # With all its weights zero only the discriminator's last bias can move.
    assert plain.gap < 0.01 < noisy.gap


def test_data_sets_and_labels():
    gan = make(conditional=True)
    labels = np.arange(1024) % 3
    pair = tf.data.Dataset.from_tensor_slices((DATA[1024:], labels)).batch(128)
    estimate = kgg.duality_gap(gan, (DATA[:1024], labels), pair, num_steps=2, seed=0)
    assert np.isfinite(estimate.gap)


@pytest.mark.parametrize(
    ("finding", "scoring", "message"),
    [
        (DATA, DATA, "disjoint"),
        (DATA[:200], DATA[100:], "disjoint"),
        (DATA[:100], DATA[1024:], "at least one batch of 128"),
        (DATA[:200] * np.nan, DATA[1024:], "finite"),
        (
            tf.data.Dataset.from_tensors(DATA).repeat(),
            DATA,
            "endless",
        ),
    ],
)
def test_bad_data(finding, scoring, message):
    with pytest.raises(ValueError, match=message):
        kgg.duality_gap(make(), finding, scoring, num_steps=1)


def test_labels_are_asked_for():
    with pytest.raises(ValueError, match="labels"):
        kgg.duality_gap(make(conditional=True), DATA[:1024], DATA[1024:], num_steps=1)


def test_uncompiled_model_is_refused():
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=4))
    with pytest.raises(ValueError, match="must be compiled"):
        kgg.duality_gap(gan, DATA[:1024], DATA[1024:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_steps": -1}, "num_steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"optimizer": "lion"}, "'sgd'"),
        ({"batch_size": 0}, "batch_size"),
        ({"perturbation": -0.1}, "perturbation"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgg.duality_gap(make(), DATA[:1024], DATA[1024:], **arguments)
