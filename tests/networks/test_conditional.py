"""The adapter for labels that stand in the data as one-hot planes."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg


def _pair(classes=3):
    """Networks as the guides write them: of one input, classes in its last places."""
    keras.utils.set_random_seed(0)
    discriminator = keras.Sequential(
        [
            keras.Input((4, 5, 1 + classes)),
            layers.Conv2D(2, 3, strides=2),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )
    generator = keras.Sequential(
        [
            keras.Input((6 + classes,)),
            layers.Dense(20, activation="tanh"),
            layers.Reshape((4, 5, 1)),
        ],
        name="generator",
    )
    return discriminator, generator


def test_the_networks_see_the_guides_input():
    discriminator, generator = _pair()
    labels = np.array([0, 2, 1, 2])
    one_hot = np.eye(3, dtype="float32")[labels]
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(4, 6)).astype("float32")
    images = rng.normal(size=(4, 4, 5, 1)).astype("float32")
    np.testing.assert_allclose(
        kgg.networks.conditional(generator, 3)([latents, labels]),
        generator(np.concatenate([latents, one_hot], axis=1)),
        rtol=1e-6,
    )
    planes = np.broadcast_to(one_hot[:, None, None], (4, 4, 5, 3))
    judge = kgg.networks.conditional(discriminator, 3)
    expected = discriminator(np.concatenate([images, planes], axis=-1))
    np.testing.assert_allclose(judge([images, labels]), expected, rtol=1e-5)
    # A batch of one, whose shape looks like that of a column of labels.
    np.testing.assert_allclose(judge([images[:1], labels[:1]]), expected[:1], rtol=1e-5)


def test_a_gan_of_them(tmp_path):
    gan = kgg.GAN(*(kgg.networks.conditional(each, 3) for each in _pair()), seed=0)
    gan.compile(loss="binary_crossentropy", run_eagerly=True)
    images = np.zeros((8, 4, 5, 1), "float32")
    gan.fit(images, np.arange(8) % 3, verbose=0)
    assert gan.num_classes == 3 and gan.latent_dim == 6
    with pytest.raises(ValueError, match=r"from 0 to 2.*labels from 0 to 3"):
        gan.sample(labels=[0, 3])
    with pytest.raises(ValueError, match=r"from 0 to 2"):
        gan.fit(images, np.arange(8), verbose=0)
    gan.save(tmp_path / "gan.keras")
    copy = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(
        copy.sample(labels=[0, 1], seed=1), gan.sample(labels=[0, 1], seed=1)
    )


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (lambda: (_pair, 3), TypeError, r"must be a keras\.Model.*type function"),
        (lambda: (_pair()[0], 3.0), TypeError, "`num_classes` must be an integer"),
        (lambda: (_pair()[0], 4), ValueError, r"num_classes=4 and an input of shape"),
        (
            lambda: (keras.Sequential([layers.Dense(1)]), 3),
            ValueError,
            "with 0 known inputs",
        ),
        (
            lambda: (kgg.networks.mlp_pair(num_classes=3)[0], 3),
            ValueError,
            r"with 2 known inputs.*needs no adapter",
        ),
    ],
)
def test_bad_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        kgg.networks.conditional(*arguments())
