"""Models that stand under another strategy than they are trained under."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies

POINTS = np.zeros((8, 2), "float32")


@pytest.fixture(name="strategy")
def fixture_strategy():
    return strategies.mirrored()


def networks():
    return kgg.networks.mlp_pair(2, latent_dim=3, width=4, seed=0)


def make(pair=None, optimizers=("sgd", "sgd")):
    gan = kgg.GAN(*(pair or networks()), seed=0)
    gan.compile(*optimizers)
    return gan


def test_built_outside_and_fitted_inside(strategy):
    gan = make()
    with strategy.scope(), pytest.raises(ValueError, match="Received: a model built"):
        gan.fit(POINTS, verbose=0)
    assert gan.num_steps == 0


def test_built_inside_and_fitted_outside_trains_on_all_replicas(strategy):
    with strategy.scope():
        gan = make()
    gan.fit(POINTS, batch_size=8, verbose=0)
    assert gan.num_steps == 1


def test_built_under_another_strategy(strategy):
    with strategy.scope():
        gan = make()
    other = tf.distribute.OneDeviceStrategy("CPU:0")
    with other.scope(), pytest.raises(ValueError, match="built under another strategy"):
        gan.fit(POINTS, verbose=0)


def test_networks_made_outside(strategy):
    pair = networks()
    with strategy.scope():
        gan = make(pair)
    with pytest.raises(ValueError, match="Received: variables of the discriminator"):
        gan.fit(POINTS, verbose=0)


def test_optimizers_made_outside(strategy):
    optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()
    with strategy.scope(), pytest.raises(ValueError, match="Received: an optimizer"):
        make(optimizers=optimizers)


def test_compiled_outside_with_names(strategy):
    with strategy.scope():
        gan = kgg.GAN(*networks(), seed=0)
    gan.compile("adam", "adam")
    gan.fit(POINTS, batch_size=4, verbose=0)
    assert gan.num_steps == 2


def test_local_search_with_a_layer_that_communicates(strategy):
    with strategy.scope():
        networks = [
            keras.Sequential(
                [
                    keras.Input((size,)),
                    keras.layers.Dense(units),
                    keras.layers.BatchNormalization(synchronized=True),
                ]
            )
            for size, units in ((2, 1), (3, 2))
        ]
        response = kgg.BestResponse(2, sync="local")
        gan = kgg.DualityGapGAN(*networks, best_response=response)
        gan.compile()
    with pytest.raises(ValueError, match="Received: the layer 'batch_norm"):
        gan.fit(POINTS, verbose=0)


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        (POINTS, {"batch_size": 1}),
        (POINTS[:1], {}),
        (tf.data.Dataset.from_tensor_slices(POINTS).batch(1, True), {}),
        # Its batch size is seen after the first step.
        (tf.data.Dataset.from_tensor_slices(POINTS).batch(1), {}),
    ],
    ids=["batch_size", "few examples", "static", "unknown"],
)
def test_fewer_examples_than_replicas(strategy, data, arguments):
    with strategy.scope():
        gan = make()
    with pytest.raises(ValueError, match=r"Received: batches of 1 .* on 2 replicas"):
        gan.fit(data, verbose=0, **arguments)
