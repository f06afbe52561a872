"""Networks without known inputs: subclassed models and open Sequential ones."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg


@keras.saving.register_keras_serializable(package="test_wrapping")
class Critic(keras.Model):
    """A discriminator with modes, which gives its call the mode itself."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.out = layers.Dense(1)
        self.hidden = layers.Dense(4, activation="tanh")
        self.normalization = layers.BatchNormalization()

    def call(self, inputs, training=False):
        hidden = self.normalization(self.hidden(inputs), training=training)
        return self.out(hidden)


@keras.saving.register_keras_serializable(package="test_wrapping")
class Painter(keras.Model):
    """A generator of points within the square."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.out = layers.Dense(2, activation="tanh")
        self.hidden = layers.Dense(4, activation="relu")

    def call(self, inputs):
        return self.out(self.hidden(inputs))


class Conditional(keras.Model):
    """Takes labels, which nobody can know before."""

    def call(self, inputs):
        data, labels = inputs
        return data + labels


def subclassed():
    keras.utils.set_random_seed(1)
    return Critic(name="critic"), Painter(name="painter")


def functional(networks, latent_dim=3):
    """The same networks, wrapped by hand."""
    inputs = keras.Input((2,)), keras.Input((latent_dim,))
    return [keras.Model(x, net(x)) for x, net in zip(inputs, networks, strict=True)]


def test_subclassed_networks_train_as_wrapped_ones(points):
    data, found = points / 8, []
    for wrap in (False, True):
        pair = functional(subclassed()) if wrap else subclassed()
        gan = kgg.GAN(*pair, latent_dim=3, seed=0)
        gan.compile(run_eagerly=True)
        logs = gan.fit(data, batch_size=16, verbose=0).history
        found.append([gan.sample(4, seed=1), *logs.values()])
    for left, right in zip(*found, strict=True):
        np.testing.assert_array_equal(left, right)


def test_what_was_called_keeps_its_weights():
    critic, painter = subclassed()
    before = np.array(painter(np.ones((2, 3))))
    critic(np.ones((2, 2)))
    gan = kgg.DualityGapGAN(critic, painter, latent_dim=3, data_shape=(2,))
    np.testing.assert_allclose(gan.sample(latents=np.ones((2, 3))), before, rtol=1e-6)
    assert gan.discriminator.name == "critic" and gan.generator.layers[1] is painter
    critic, painter = subclassed()
    assert kgg.FictitiousGAN(critic, painter, 3, data_shape=[2]).latent_dim == 3


def test_saved_and_loaded(points, tmp_path):
    gan = kgg.GAN(*subclassed(), latent_dim=3, seed=0)
    gan.compile(run_eagerly=True)
    gan.fit(points / 8, verbose=0)
    gan.save(tmp_path / "gan.keras")
    copy = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(copy.sample(5, seed=2), gan.sample(5, seed=2))
    generator = gan.make_generator()
    np.testing.assert_array_equal(
        generator(np.ones((2, 3))), gan.generator(np.ones((2, 3)))
    )


def test_open_sequential_networks_are_built():
    discriminator = keras.Sequential([layers.Dense(1)])
    generator = keras.Sequential([layers.Dense(2)])
    gan = kgg.GAN(discriminator, generator, latent_dim=3)
    assert gan.discriminator is discriminator and gan.generator is generator
    assert discriminator.input_shape == (None, 2) and gan.latent_dim == 3


BAD = {
    "no latent_dim": (
        lambda: subclassed(),
        {},
        ValueError,
        r"inputs of `generator` must.*'painter', a subclassed.*latent_dim=64",
    ),
    "no latent_dim of Sequential": (
        lambda: (Critic(), keras.Sequential([layers.Dense(2)])),
        {},
        ValueError,
        "a Sequential model whose inputs Keras does not know, without latent_dim=",
    ),
    "labels": (
        lambda: (Critic(), Conditional(name="painter")),
        {"latent_dim": 3},
        ValueError,
        r"failed when called on latents of shape \(None, 3\)\. If it takes labels too",
    ),
    "another shape": (
        lambda: subclassed(),
        {"latent_dim": 3, "data_shape": (28, 28, 1)},
        ValueError,
        r"data_shape=\(28, 28, 1\), but the generator makes \(2,\)\. Leave it out",
    ),
    "no shape": (
        lambda: subclassed(),
        {"latent_dim": 3, "data_shape": 2},
        TypeError,
        r"`data_shape` must be the shape.*data_shape=2\. Pass \(28, 28, 1\)",
    ),
    "no integers": (
        lambda: subclassed(),
        {"latent_dim": 3, "data_shape": (2.0,)},
        TypeError,
        "`data_shape` must be an integer",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_networks(case):
    build, arguments, error, text = BAD[case]
    with pytest.raises(error, match=text):
        kgg.GAN(*build(), **arguments)
