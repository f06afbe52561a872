"""Which activation a network ends in, and the range of what it returns."""

import keras
import pytest
import tensorflow as tf
from keras import layers

from keras_gamegan import activations


def _network(*last):
    return keras.Sequential([keras.Input((3,)), *last])


class _Subclassed(keras.Model):
    """Its layers stand in another order than they are called in."""

    def __init__(self, activation):
        super().__init__()
        self.last = layers.Dense(4, activation=activation)
        self.first = layers.Dense(4, activation="relu")

    def call(self, inputs):
        return tf.reshape(self.last(self.first(inputs)), [-1, 2, 2])


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ([layers.Dense(2)], None),
        ([layers.Dense(2, activation="tanh"), layers.Reshape((2,))], "tanh"),
        ([layers.Dense(2), layers.ReLU()], "relu"),
        ([layers.Dense(2), layers.LeakyReLU()], None),
        (
            [keras.Sequential([keras.Input((3,)), layers.Dense(2, "sigmoid")])],
            "sigmoid",
        ),
        (
            [layers.SpectralNormalization(layers.Dense(2, activation="softplus"))],
            "softplus",
        ),
    ],
)
def test_last_activation(last, name):
    assert activations.last_activation(_network(*last)) == name
    ranges = {None: None, "tanh": (-1, 1), "sigmoid": (0, 1)}
    if name in ranges:
        assert activations.reachable_range(_network(*last)) == ranges[name]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu6", "softplus", None])
def test_last_activation_of_a_subclassed_model(activation):
    inputs = keras.Input((3,))
    network = keras.Model(inputs, layers.Reshape((4,))(_Subclassed(activation)(inputs)))
    assert activations.last_activation(network) == activation


def test_a_range_must_be_finite():
    assert activations.finite_range(_network(layers.ReLU(max_value=None))) is None
    assert activations.finite_range(_network(layers.Dense(1))) is None
    assert activations.finite_range(_network(layers.Dense(1, "tanh"))) == (-1.0, 1.0)
