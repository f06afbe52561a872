import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import stateless_network
from keras_gamegan.games import structures
from keras_gamegan.models import average_weights


@pytest.fixture
def network():
    return stateless_network.StatelessNetwork(
        keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(1, use_bias=False),
                keras.layers.BatchNormalization(center=False, scale=False),
            ]
        )
    )


def _player(number):
    return structures.Player(
        [tf.fill((2, 1), number)], [tf.fill((1,), number), tf.fill((1,), -number)]
    )


def test_it_begins_at_the_network(network):
    kept = average_weights.AverageWeights(network, 0.9).player()
    for left, right in zip(
        tf.nest.flatten(kept), tf.nest.flatten(network.player()), strict=True
    ):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_weights_and_statistics_against_a_loop(network, decay):
    kept = average_weights.AverageWeights(network, decay)
    kept.update(_player(1.0), tf.constant(10**9, tf.int64))
    expected = np.array(kept.player().weights[0])
    for step, number in enumerate((3.0, -2.0, 5.0)):
        kept.update(_player(number), tf.constant(step, tf.int64))
        rate = 1 - min(decay, (1 + step) / (10 + step))
        expected = expected + rate * (number - expected)
    np.testing.assert_allclose(kept.player().weights[0], expected, rtol=1e-5)
    assert len(kept.player().state) == 2 and not kept.trainable_variables


def test_integers_are_copied():
    class Counting(keras.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(
                shape=(), dtype="int32", initializer="ones", trainable=False
            )

        def call(self, inputs):
            return inputs

    model = keras.Sequential([keras.Input((2,)), Counting(), keras.layers.Dense(1)])
    network = stateless_network.StatelessNetwork(model)
    kept = average_weights.AverageWeights(network, 0.9)
    moved = network.player()
    moved = structures.Player(moved.weights, [tf.constant(8, tf.int32)])
    kept.update(moved, tf.constant(0, tf.int64))
    assert int(kept.player().state[0]) == 8


def test_it_follows_training(make, points):
    gan = make(kind="modes", average_decay=0.0, compile={"run_eagerly": True})
    start = np.array(gan.generator.weights[0])
    gan.fit(points[:8], batch_size=8, verbose=0)
    # With a decay of 0 it is the live generator.
    for kept, live in zip(
        gan.generator_average.weights, [*gan.generator_network.variables], strict=True
    ):
        np.testing.assert_allclose(kept, live, rtol=1e-6)
    assert np.any(start != np.array(gan.generator.weights[0]))
    assert make(average_decay=None).generator_average is None
