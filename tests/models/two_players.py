"""Two small networks, and a value that they play, for the tests."""

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes


def _history(**arguments):
    return kgg.History(3, interval=2, retention="fifo", **arguments)


SCHEMES = {
    **{name: schemes.get(name) for name in schemes.NAMES},
    "duality gap": schemes.DualityGap(kgg.BestResponse(3, "sgd", 0.05)),
    "duality gap own rule": schemes.DualityGap(kgg.BestResponse(2, "player")),
    "duality gap unrolled": schemes.DualityGap(
        kgg.BestResponse(2, "sgd", 0.05, through_gradient=True)
    ),
    "duality gap persistent": schemes.DualityGap(
        kgg.BestResponse(2, "adam", 0.05, start="persistent")
    ),
    **{
        f"fictitious play {mixture}": schemes.FictitiousPlay(
            _history(), mixture=mixture, seed=5
        )
        for mixture in ("sampled", "full")
    },
    "fictitious play geometric": schemes.FictitiousPlay(
        kgg.History(3, 1, weights="geometric"), 2, mixture="full"
    ),
    "fictitious maximizers": schemes.FictitiousPlay(_history(side="maximizer")),
    "maximizers answered": schemes.FictitiousPlay(_history(answered="maximizer")),
    "duality gap against a history": schemes.DualityGap(
        kgg.BestResponse(2, "adam", 0.05, start="persistent"),
        seed=7,
        history=_history(),
        mixture="full",
    ),
    "duality gap against a draw": schemes.DualityGap(
        kgg.BestResponse(3, "sgd", 0.05), history=_history()
    ),
}


def network(outputs=1, width=4, **arguments):
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(width, "tanh", **arguments),
            keras.layers.Dense(outputs),
        ]
    )


@keras.saving.register_keras_serializable(package="tests")
def doubted(minimizer, maximizer, batch):
    """A regression whose error the maximiser finds."""
    x, y = batch
    error, doubt = minimizer(x)[:, 0] - y, maximizer(x)[:, 0]
    return error * doubt - tf.square(doubt) / 2


def compiled(game=doubted, updates="alternating", **arguments):
    keras.utils.set_random_seed(1)
    model = kgg.TwoPlayerModel(network(), network(), game, updates=updates, seed=0)
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02), **arguments)
    return model


def weights(model):
    return [np.array(variable) for variable in model.weights]


def assert_equal(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


class OwnLosses:
    """A game in which both descend something else than the value."""

    def value(self, minimizer, maximizer, batch):
        return doubted(minimizer, maximizer, batch)

    def minimizer_loss(self, minimizer, maximizer, batch):
        return 3.0 * doubted(minimizer, maximizer, batch)

    def maximizer_loss(self, minimizer, maximizer, batch):
        return -2.0 * doubted(minimizer, maximizer, batch)
