"""What is compared: ways to train one pair of small networks, by name."""

import dataclasses
from collections.abc import Callable

import keras

import keras_gamegan as kgg
from keras_gamegan.games import schemes


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to train.

    Attributes:
        model: Arguments of `kgg.GAN`, made anew for every run.
        compile: Arguments of its `compile`, likewise.
        callbacks: Callbacks of its `fit`, likewise.
        evaluations: Gradient evaluations of one step, in those of a plain step.
    """

    model: Callable = dict
    compile: Callable = dict
    callbacks: Callable = list
    evaluations: float = 1.0


def _r1():
    return {"penalty": kgg.penalties.R1(0.03, every=4)}


def _decay():
    return [kgg.schedules.LinearDecay(0.5)]


def _pace():
    return [kgg.callbacks.PaceControl(), *_decay()]


def _relativistic():
    penalty = [kgg.penalties.R1(0.03, every=4), kgg.penalties.R2(0.03, every=4)]
    return {"loss": "relativistic", "penalty": penalty}


def _playing(make):
    return lambda: {"updates": make()}


def _history(side):
    return schemes.FictitiousPlay(kgg.History(8, 10, "fifo", 0.5, side))


def _gap(**arguments):
    return schemes.DualityGap(kgg.BestResponse(1, "adam", 1e-3, **arguments))


METHODS = {
    "plain": Method(),
    "R1": Method(compile=_r1),
    "R1 + decay": Method(compile=_r1, callbacks=_decay),
    "R1 + pace + decay": Method(compile=_r1, callbacks=_pace),
    "pace + decay": Method(callbacks=_pace),
    "relativistic + R1 + R2 + decay": Method(compile=_relativistic, callbacks=_decay),
    "old discriminators + R1 + decay": Method(
        _playing(lambda: _history("discriminator")), _r1, _decay
    ),
    "both histories + R1 + decay": Method(
        _playing(lambda: _history("both")), _r1, _decay
    ),
    "gap k=1 + R1 + decay": Method(_playing(_gap), _r1, _decay, 2.0),
    "gap k=1 + decay": Method(_playing(_gap), callbacks=_decay, evaluations=2.0),
    "extragradient + R1 + decay": Method(
        _playing(lambda: "extragradient"), _r1, _decay, 2.0
    ),
    "optimistic + R1 + decay": Method(_playing(lambda: "optimistic"), _r1, _decay),
    "lookahead + R1 + decay": Method(_playing(lambda: "lookahead"), _r1, _decay),
}


def network(inputs, outputs, width, seed):
    """Returns a network of two hidden layers of leaky ReLU."""
    layers = [keras.Input((inputs,))]
    for number in range(2):
        initial = keras.initializers.GlorotUniform(seed=10 * seed + number)
        layers.append(keras.layers.Dense(width, kernel_initializer=initial))
        layers.append(keras.layers.LeakyReLU(negative_slope=0.2))
    initial = keras.initializers.GlorotUniform(seed=10 * seed + 2)
    layers.append(keras.layers.Dense(outputs, kernel_initializer=initial))
    return keras.Sequential(layers)
