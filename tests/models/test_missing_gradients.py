"""Weights that a loss does not depend on."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg


class Hard(layers.Layer):
    """One-hot vectors of the largest entry, as for tables and text."""

    def call(self, inputs):
        return tf.one_hot(tf.argmax(inputs, -1), 2)


class Rounded(layers.Layer):
    def call(self, inputs):
        return tf.cast(tf.cast(inputs, tf.int32), tf.float32)


class Unused(layers.Layer):
    """A weight beside those that are used."""

    def build(self, shape):
        self.idle = self.add_weight(shape=(3,), name="idle")

    def call(self, inputs):
        return inputs


MODELS = {
    "alternating": lambda *nets: kgg.GAN(*nets),
    "simultaneous": lambda *nets: kgg.GAN(*nets, updates="simultaneous"),
    "duality_gap": lambda *nets: kgg.DualityGapGAN(
        *nets, best_response=kgg.BestResponse(1)
    ),
    "unrolled": lambda *nets: kgg.DualityGapGAN(
        *nets, best_response=kgg.BestResponse(1, "sgd", through_gradient=True)
    ),
    "fictitious": lambda *nets: kgg.FictitiousGAN(*nets, history=kgg.History(2, 1)),
}


def network(width, units, *more):
    return keras.Sequential([keras.Input((width,)), *more, layers.Dense(units)])


@pytest.mark.parametrize("method", MODELS)
def test_a_generator_that_is_cut_off_is_refused(points, method):
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(2), Hard()])
    gan = MODELS[method](network(2, 1), generator)
    gan.compile(run_eagerly=method != "alternating")
    message = r"loss of the generator must depend.*Received: no gradient.*softmax"
    with pytest.raises(ValueError, match=message):
        gan.fit(points, verbose=0)
    # Before anything moved, and each time.
    assert gan.num_steps == 0
    with pytest.raises(ValueError, match=message):
        gan.fit(points, verbose=0)


def test_a_discriminator_that_is_cut_off_is_refused(points):
    gan = kgg.GAN(
        keras.Sequential([keras.Input((2,)), layers.Dense(1), Rounded()]),
        network(4, 2),
    )
    gan.compile()
    with pytest.raises(ValueError, match="loss of the discriminator must depend"):
        gan.fit(points, verbose=0)


def test_weights_without_a_gradient_are_named_once(points):
    gan = kgg.GAN(network(2, 1, Unused()), network(4, 2), seed=0)
    gan.compile()
    idle = gan.discriminator.layers[0].idle
    before = np.array(idle)
    with pytest.warns(UserWarning, match=rf"discriminator does not.*'{idle.path}'"):
        gan.fit(points, verbose=0)
    np.testing.assert_array_equal(idle, before)
    gan.fit(points, verbose=0)
    # Frozen, it is nobody's business.
    gan.discriminator.layers[0].trainable = False
    gan.compile()
    gan.fit(points, verbose=0)
