"""Keras optimizers as pure rules: a best response that goes on as the player."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from tests import strategies


@pytest.mark.parametrize("make", [keras.optimizers.Adam, keras.optimizers.SGD])
@pytest.mark.parametrize("mode", ["graph", "xla", "replicas", "float16"])
def test_a_step_of_the_maximizers_own_rule_is_alternating_play(make, mode):
    """The minimiser answers what the maximiser becomes: that is taking turns."""

    def value(minimizer, maximizer, batch):
        x, y = batch
        error, doubt = minimizer(x)[:, 0] - y, maximizer(x)[:, 0]
        return error * doubt - tf.square(doubt) / 2

    def trained(updates):
        networks = []
        for seed in (1, 2):
            initial = keras.initializers.GlorotUniform(seed)
            layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh", True, initial)]
            networks.append(keras.Sequential([*layers, keras.layers.Dense(1)]))
            last = networks[-1].layers[-1].kernel
            last.assign(np.linspace(-1, 1, 4)[:, None])
        model = kgg.TwoPlayerModel(*networks, value, updates=updates, seed=0)
        optimizers = [make(0.02), make(0.05)]
        if mode == "float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(o) for o in optimizers]
        model.compile(*optimizers, jit_compile=mode == "xla")
        x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        data = tf.data.Dataset.from_tensor_slices((x, x.sum(axis=1)))
        model.fit(data.batch(16), epochs=3, verbose=0)
        return [np.array(v) for network in networks for v in network.weights]

    response = kgg.BestResponse(1, "player", side="maximizer")
    strategy = (
        strategies.mirrored() if mode == "replicas" else tf.distribute.get_strategy()
    )
    with strategy.scope():
        found, expected, simultaneous = (
            trained(updates)
            for updates in (schemes.DualityGap(response), "alternating", "simultaneous")
        )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)
    gaps = [abs(a - b).max() for a, b in zip(simultaneous, expected, strict=True)]
    assert max(gaps) > 1e-3


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.RMSprop(0.01),
        keras.optimizers.Adam(0.01, clipnorm=1.0),
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.optimizers.AdamW(0.01),
    ],
    ids=lambda optimizer: optimizer.name,
)
def test_the_players_own_rule_must_be_a_plain_one(optimizer):
    gan = kgg.DualityGapGAN(
        *kgg.networks.mlp_pair(2, latent_dim=4, width=4),
        best_response=kgg.BestResponse(1, "player"),
    )
    gan.compile(optimizer, "adam")
    with pytest.raises(
        ValueError, match=r"plain keras.optimizers.Adam or SGD.*of the d"
    ):
        gan.fit(np.zeros((8, 2), "float32"), batch_size=8, verbose=0)
