"""Payoffs of pairs: their numbers, and that every game and measure plays them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.callbacks import detectors
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data


def softplus(x):
    return np.logaddexp(0.0, x)


def test_numbers():
    real, fake = np.random.default_rng(0).normal(size=(2, 7))
    payoff = kgg.payoffs.get("relativistic")
    value = payoff.pair_term(tf.constant(real), tf.constant(fake))
    np.testing.assert_allclose(value, -softplus(fake - real), rtol=1e-12)
    descended = payoff.generator_pair_term(tf.constant(real), tf.constant(fake))
    np.testing.assert_allclose(descended, softplus(real - fake), rtol=1e-12)
    assert payoff.optimum == pytest.approx(-np.log(2))


def test_the_yardstick_of_the_detectors():
    scale = detectors.scale_of(kgg.payoffs.get("relativistic"))
    assert scale.bound == 0.0 and not scale.saturates
    assert scale.range == pytest.approx(np.log(2))


def compiled(model=kgg.GAN, **arguments):
    pair = kgg.networks.mlp_pair(2, latent_dim=3, width=8, seed=0)
    gan = model(*pair, seed=1, **arguments)
    gan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1),
        loss="relativistic",
        penalty=[kgg.penalties.R1(0.1), kgg.penalties.R2(0.1)],
    )
    return gan


DATA = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")


def test_scores_by_hand():
    gan = compiled()
    latent_shape, stream = gan.latent_shape, randomness.root(0)
    batch = labelled_data.source_of(tf.constant(DATA), None, stream, latent_shape)(0)
    real = gan.discriminator(DATA)[:, 0].numpy()
    fake = gan.discriminator(gan.generator(batch.examples.latents))[:, 0].numpy()
    players = gan.generator_network.player(), gan.discriminator_network.player()
    found = gan.game.losses(*players, batch)
    value = -softplus(fake - real).mean()
    expected = {
        "value": value,
        "maximizer_loss": -value,
        "minimizer_loss": softplus(real - fake).mean(),
    }
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-5, err_msg=name)
    table = kgg.payoff_matrix(gan, DATA, batch_size=16, seed=0)
    assert table.values[0, 0] == pytest.approx(value, abs=0.2)


def test_a_step_is_a_gradient_step_by_hand():
    gan = compiled()
    v = keras.models.clone_model(gan.discriminator)
    v.set_weights(gan.discriminator.get_weights())
    before = gan.generator.get_weights()
    seen = []
    call = gan._training_game.generate

    def generate(player, batch, training):
        made = call(player, batch, training)
        seen.append(made[0])
        return made

    gan._training_game.generate = generate
    gan.compile_options["run_eagerly"] = gan.run_eagerly = True
    gan.fit(DATA, batch_size=64, shuffle=False, verbose=0)
    fake = seen[0]
    with tf.GradientTape() as tape:
        gap = v(fake)[:, 0] - v(DATA)[:, 0]
        loss = tf.reduce_mean(tf.nn.softplus(gap))
        for data in (tf.constant(DATA), fake):
            with tf.GradientTape() as inner:
                inner.watch(data)
                total = tf.reduce_sum(v(data))
            slope = inner.gradient(total, data)
            loss += 0.05 * tf.reduce_mean(tf.reduce_sum(slope**2, axis=1))
    slopes = tape.gradient(loss, v.trainable_variables)
    expected = [
        weight.numpy() - 0.1 * (0.0 if slope is None else slope.numpy())
        for weight, slope in zip(v.trainable_variables, slopes, strict=True)
    ]
    for found, wanted in zip(gan.discriminator.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    moved = zip(before, gan.generator.get_weights(), strict=True)
    assert all(np.any(old != new) for old, new in moved)


@pytest.mark.parametrize("mixture", ["sampled", "sliced", "full"])
def test_histories_play_it(mixture):
    history = kgg.History(3, interval=1, slices=2)
    gan = compiled(kgg.FictitiousGAN, history=history, mixture=mixture)
    logs = gan.fit(DATA, batch_size=16, epochs=2, verbose=0).history
    assert np.isfinite(logs["value"]).all()


def test_a_gap_is_not_negative():
    gan = compiled(kgg.DualityGapGAN, best_response=kgg.BestResponse(3, "sgd", 0.1))
    logs = gan.fit(DATA, batch_size=16, epochs=2, verbose=0).history
    assert np.all(np.array(logs["duality_gap"]) > -1e-4)


def test_label_noise_of_one_half_says_nothing():
    """Every pair is told both ways equally often: the mean over draws is flat."""
    payoff = kgg.payoffs.Relativistic(label_noise=0.5)
    pair = kgg.networks.mlp_pair(2, latent_dim=3, width=8, seed=0)
    gan = kgg.GAN(*pair, seed=1)
    gan.compile(loss=payoff)
    plain = compiled()
    one, other = (
        each.fit(DATA, batch_size=64, verbose=0).history["d_loss"][0]
        for each in (gan, plain)
    )
    assert one != other and np.isfinite(one)


def test_it_is_saved(tmp_path):
    gan = compiled()
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert isinstance(again.payoff, kgg.payoffs.Relativistic)
    kinds = [type(each).__name__ for each in again.penalty.penalties]
    assert kinds == ["R1", "R2"] and again.penalty.penalties[1].weight == 0.1


def test_a_payoff_of_pairs_that_is_not_one():
    with pytest.raises(TypeError, match="must define pair_term"):
        kgg.payoffs.PairPayoff().pair_term(tf.zeros(1), tf.zeros(1))
