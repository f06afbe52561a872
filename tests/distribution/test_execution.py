"""Several steps in one execution under a strategy: refused, until Keras can."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies

DATA = np.zeros((16, 2), "float32")


def test_it_is_refused_with_the_reason():
    with strategies.mirrored().scope():
        gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=4), seed=0)
        gan.compile(steps_per_execution=2)
    message = r"must be 1 under a strategy.*Received: steps_per_execution=2 on 2"
    with pytest.raises(ValueError, match=message):
        gan.fit(DATA, batch_size=8, verbose=0)


def test_keras_still_cannot():
    """When this fails, Keras has learnt it: drop `distribution/execution.py`."""
    # With the sums that a GPU user gets; it fails before the first of them.
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", steps_per_execution=2)
        model.optimizer.build(model.trainable_variables)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Placeholder"):
        model.fit(DATA, DATA[:, :1], batch_size=8, verbose=0)
