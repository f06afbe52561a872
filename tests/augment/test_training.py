"""Augmentation within the game: who sees what, and that it stays exact."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

DATA = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 3)).astype("float32")


class Shift(kgg.augment.Augmentation):
    """Adds each image's number, and notes what it was called with."""

    num_draws = 1

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = []

    def augment(self, images, uniform):
        self.seen.append((images, uniform))
        return images + uniform[:, :, None, None]


def make(kind=kgg.GAN, seed=0, augment=None, **arguments):
    pair = kgg.networks.dcgan_pair(
        (8, 8, 3), 2, base_filters=2, generator_normalization=None, seed=1
    )
    gan = kind(*pair, seed=seed, augment=augment, **arguments)
    return gan


def compiled(gan, **arguments):
    gan.compile("sgd", "sgd", jit_compile=False, **arguments)
    return gan


def test_both_players_steps_are_augmented_and_evaluation_is_not():
    augment = Shift()
    gan = compiled(make(augment=augment, updates="alternating"), run_eagerly=True)
    gan.train_on_batch(DATA)
    # Real and generated for the discriminator, generated for the generator.
    assert len(augment.seen) == 3
    shapes = [images.shape[0] for images, _ in augment.seen]
    assert shapes == [16, 16, 16]
    draws = [uniform.numpy() for _, uniform in augment.seen]
    assert len({each.tobytes() for each in draws}) == 3
    reals = [i for i, (x, _) in enumerate(augment.seen) if np.array_equal(x, DATA)]
    assert len(reals) == 1
    gan.evaluate(DATA, verbose=0)
    gan.sample(2, seed=0)
    kgg.duality_gap(gan, DATA[:8], DATA[8:], num_steps=1, batch_size=8)
    assert len(augment.seen) == 3


@pytest.mark.parametrize(
    "kind, arguments, calls",
    [
        (kgg.GAN, {"updates": "simultaneous"}, 3),
        (kgg.DualityGapGAN, {"best_response": kgg.BestResponse(1)}, 6),
        (kgg.FictitiousGAN, {"history": kgg.History(2, 1)}, 3),
        (kgg.FictitiousGAN, {"history": kgg.History(2, 1), "mixture": "full"}, 4),
    ],
)
def test_searches_and_histories_are_augmented_too(kind, arguments, calls):
    augment = Shift()
    gan = compiled(make(kind, augment=augment, **arguments), run_eagerly=True)
    gan.train_on_batch(DATA)
    assert len(augment.seen) >= calls


def test_no_augmentation_changes_nothing_bit_for_bit():
    """Translation by nothing is the identity, hence the very same run."""

    class Nothing(kgg.augment.Augmentation):
        def augment(self, images, uniform):
            return images

    runs = [compiled(make(augment=each)) for each in (None, Nothing())]
    for gan in runs:
        gan.fit(DATA, batch_size=8, verbose=0)
    for one, other in zip(*(gan.get_weights() for gan in runs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "name", [pytest.param("diff", marks=pytest.mark.slow), "adaptive"]
)
def test_replicas_agree(name):
    weights = []
    for devices in (1, 2):
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)])
        with strategy.scope():
            augment = (
                kgg.augment.DiffAugment()
                if name == "diff"
                else kgg.augment.Adaptive(num_images=64, initial=0.3)
            )
            gan = compiled(make(augment=augment))
            gan.fit(DATA, batch_size=8, epochs=4, verbose=0)
            weights.append(gan.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_probability_follows_the_rule():
    augment = kgg.augment.Adaptive(target=0.6, num_images=100)
    gan = compiled(make(augment=augment))
    signs, found = [], []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            found.append(float(augment.probability))

    # A discriminator that calls all data real.
    gan.discriminator.layers[-1].bias.assign([50.0])
    logs = gan.fit(DATA, batch_size=8, epochs=5, verbose=0, callbacks=[Note()])
    signs = [1.0] * 10
    p, expected = 0.0, []
    for step in range(10):
        if step % 4 == 3:
            mean = np.mean(signs[step - 3 : step + 1])
            p = float(np.clip(p + np.sign(mean - 0.6) * 4 * 8 / 100, 0, 1))
        expected.append(p)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    told = logs.history["augment_probability"]
    assert told[-1] == pytest.approx(np.mean(expected[-2:]), abs=1e-6)


def test_a_step_that_fails_moves_nothing():
    augment = kgg.augment.Adaptive(num_images=8)
    gan = compiled(make(augment=augment))
    gan.discriminator.layers[-1].bias.assign([50.0])
    gan.fit(DATA[:8], batch_size=2, verbose=0)
    before = [np.array(each) for each in gan.weights]
    assert float(augment.probability) > 0
    bad = DATA[:8].copy()
    bad[0] = np.nan
    with pytest.raises(kgg.NonFiniteError):
        gan.train_on_batch(bad)
    for one, other in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(one, np.array(other))


@pytest.mark.parametrize(
    "augment",
    [
        pytest.param(
            lambda: kgg.augment.DiffAugment("translation, cutout"),
            marks=pytest.mark.slow,
        ),
        lambda: kgg.augment.Adaptive(0.5, num_images=64, initial=0.2),
        lambda: keras.layers.RandomFlip(seed=3),
    ],
)
def test_saved_and_resumed_bit_for_bit(augment, tmp_path):
    def train(*epochs):
        keras.backend.clear_session()
        gan = compiled(make(augment=augment()))
        for number in epochs:
            gan.fit(DATA, batch_size=8, epochs=number, verbose=0)
            gan.save(tmp_path / "gan.keras")
            gan = keras.models.load_model(tmp_path / "gan.keras")
        return gan

    stopped, whole = train(1, 1), train(2)
    assert type(stopped.augment) is type(whole.augment)
    for one, other in zip(stopped.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_mixed_precision_and_xla():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = make(augment=kgg.augment.Adaptive(num_images=64, initial=0.5))
        gan.compile("sgd", "sgd", jit_compile=True)
        logs = gan.fit(DATA, batch_size=8, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(logs["d_loss"]).all()
    assert gan.augment.probability.dtype == "float32"


def test_a_keras_layer_draws_anew_for_real_and_made_at_every_step():
    layer = keras.layers.GaussianNoise(1.0)
    pair = kgg.networks.mlp_pair(2, 3, width=4, seed=0)
    gan = compiled(kgg.GAN(*pair, seed=0, augment=layer))
    seen = []
    network, apply = gan.augment._network, gan.augment._network.apply

    def noted(player, images, training, stream):
        seen.append(np.array(apply(player, images, training, stream)[0] - images))
        return apply(player, images, training, stream)

    network.apply = noted
    gan.run_eagerly = True
    for _ in range(2):
        gan.train_on_batch(np.zeros((4, 2), "float32"))
    assert len({each.tobytes() for each in seen}) == len(seen) == 6


@pytest.mark.parametrize(
    "augment, error, text",
    [
        ("color", TypeError, r"kgg.augment.DiffAugment.*Received: augment='color'"),
        (keras.layers.Flatten(), ValueError, "must keep the shape of the data"),
        (keras.layers.Dense(3), ValueError, "with trainable weights. Freeze it"),
    ],
)
def test_bad_augmentations(augment, error, text):
    with pytest.raises(error, match=text):
        make(augment=augment)


def test_data_that_are_no_images():
    pair = kgg.networks.mlp_pair(2, 3, width=4)
    with pytest.raises(ValueError, match=r"DiffAugment\(\) for data of shape \(2,\)"):
        kgg.GAN(*pair, augment=kgg.augment.DiffAugment())
    pair = kgg.networks.dcgan_pair((8, 8, 2), 2, base_filters=2)
    with pytest.raises(ValueError, match=r"1 or 3 channels.*\(8, 8, 2\)"):
        kgg.GAN(*pair, augment=kgg.augment.Adaptive())


@pytest.mark.parametrize(
    "make_one, text",
    [
        (lambda: kgg.augment.DiffAugment("colour"), "policy='colour'"),
        (lambda: kgg.augment.DiffAugment(["color"]), r"policy=\['color'\]"),
        (lambda: kgg.augment.Adaptive(target=1.5), "target=1.5"),
        (lambda: kgg.augment.Adaptive(num_images=0), "num_images=0"),
        (lambda: kgg.augment.Adaptive(initial="0"), "initial='0'"),
    ],
)
def test_bad_arguments(make_one, text):
    with pytest.raises((TypeError, ValueError), match=text):
        make_one()


def test_layers_within_the_discriminator_are_warned_of():
    discriminator, generator = kgg.networks.dcgan_pair((8, 8, 3), 2, base_filters=2)
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.RandomFlip(), discriminator]
    )
    with pytest.warns(UserWarning, match=r"RandomFlip.*GAN\(\.\.\., augment=layer\)"):
        kgg.GAN(inner, generator)
