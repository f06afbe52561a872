"""What is compared: ways to train one pair of small networks, by name."""

import dataclasses
from collections.abc import Callable

import keras
import prioritised

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
        spectral: Whether the discriminator's layers are spectrally normalised.
    """

    model: Callable = dict
    compile: Callable = dict
    callbacks: Callable = list
    evaluations: float = 1.0
    spectral: bool = False


def _r1(weight):
    return lambda: {"penalty": kgg.penalties.R1(weight, every=4)}


def _relativistic():
    return {"loss": "relativistic"}


def _relativistic_r1_r2(weight):
    each = (kgg.penalties.R1, kgg.penalties.R2)
    return lambda: {
        **_relativistic(),
        "penalty": [penalty(weight, every=4) for penalty in each],
    }


def _hinge():
    return {"loss": "hinge"}


def _wasserstein():
    return {"loss": "wasserstein", "penalty": "gradient_penalty"}


def _decay():
    return [kgg.schedules.LinearDecay(0.5)]


def _augmented(augment):
    return lambda: {"augment": augment()}


def _pace(**targets):
    return lambda: [kgg.callbacks.PaceControl(**targets), *_decay()]


def _played(scheme):
    return lambda: {"updates": scheme()}


def _fictitious(*arguments, **options):
    history = kgg.History(*arguments, **options)
    return lambda: {"updates": schemes.FictitiousPlay(history)}


def _prioritised(temperature):
    history = kgg.History(5, 100, "geometric", answered="discriminator")
    return lambda: {"updates": prioritised.Prioritised(history, temperature)}


def _gap(num_steps, optimizer="adam", **options):
    rate = {} if optimizer == "player" else {"learning_rate": 1e-3}
    response = kgg.BestResponse(num_steps, optimizer, **rate, **options)
    return lambda: {"updates": schemes.DualityGap(response)}


_OLD_DISCRIMINATORS = _fictitious(8, 10, "fifo", answered="discriminator")
_WIDE = _fictitious(8, 500, "fifo", answered="discriminator")
_OWN = {"optimizer": "player"}

# Without a penalty, and with R1. A step of the gap searches both sides k times. Of one
# side alone the first gradient of the search is the one that the player descends.
_PLAYS = {
    "GAN": (dict, 1.0),
    "simultaneous": (_played(lambda: "simultaneous"), 1.0),
    "extragradient": (_played(lambda: "extragradient"), 2.0),
    "optimistic": (_played(lambda: "optimistic"), 1.0),
    "lookahead": (_played(lambda: "lookahead"), 1.0),
    "unrolled k=5": (_played(lambda: schemes.Unrolled(5)), 3.5),
    "gap k=1": (_gap(1), 2.0),
    "gap k=2": (_gap(2), 3.0),
    "gap k=5": (_gap(5), 6.0),
    "gap k=1 own Adam": (_gap(1, **_OWN), 2.0),
    "gap k=1 own Adam u_w": (_gap(1, **_OWN, side="generator"), 1.0),
    "gap persistent": (_gap(1, start="persistent", pull=0.2), 2.0),
    "old discriminators": (_OLD_DISCRIMINATORS, 1.0),
    "FictitiousGAN by itself": (
        _fictitious(5, 100, "geometric", answered="discriminator"),
        1.0,
    ),
    # To look at five values takes no gradients, and is not counted.
    "strong old discriminators": (_prioritised(0.1), 1.0),
    "strongest old discriminator": (_prioritised(0.0), 1.0),
    "both histories": (_fictitious(8, 10, "fifo"), 1.0),
    "both histories 5 x 100": (_fictitious(5, 100, "geometric"), 1.0),
}
BASELINE = "GAN + R1"
_AUGMENTATIONS = {
    "DiffAugment": kgg.augment.DiffAugment,
    "Adaptive": lambda: kgg.augment.Adaptive(num_images=50_000),
}


def methods(weight, **targets):
    """Returns {name: `Method`} where R1 and R2 have this weight.

    Args:
        weight: Of the penalties.
        **targets: Of pace control; its own by default.
    """
    r1, pace = _r1(weight), _pace(**targets)
    both = _relativistic_r1_r2(weight)
    found = {}
    for name, (play, n) in _PLAYS.items():
        found[name] = Method(play, callbacks=_decay, evaluations=n)
        found[f"{name} + R1"] = Method(play, r1, _decay, n)
    return {
        **found,
        "GAN + R1 no decay": Method(compile=r1),
        "GAN no decay": Method(),
        "relativistic": Method(compile=_relativistic, callbacks=_decay),
        "relativistic + R1 + R2": Method(compile=both, callbacks=_decay),
        "hinge + spectral norm": Method(
            compile=_hinge, callbacks=_decay, spectral=True
        ),
        "WGAN-GP 5 critic steps": Method(
            _played(lambda: schemes.Alternating(5)), _wasserstein, _decay, 3.0
        ),
        "old discriminators 8 x 500 + R1": Method(_WIDE, r1, _decay),
        "GAN + R1 + pace": Method(compile=r1, callbacks=pace),
        "GAN + pace": Method(callbacks=pace),
        "relativistic + R1 + R2 + pace": Method(compile=both, callbacks=pace),
        "old discriminators + R1 + pace": Method(_OLD_DISCRIMINATORS, r1, pace),
    }


METHODS = methods(0.03)


def methods_of_images(weight, **targets):
    """Returns `methods` and those that augment what the discriminator is shown."""
    found = methods(weight, **targets)
    for how, augment in _AUGMENTATIONS.items():
        method = Method(_augmented(augment), _r1(weight), _decay)
        found[f"{BASELINE} + {how}"] = method
        found[f"{BASELINE} + {how} + pace"] = dataclasses.replace(
            method, callbacks=_pace(**targets)
        )
    return found


def network(inputs, outputs, width, seed, spectral=False):
    """Returns a network of two hidden layers of leaky ReLU."""
    wrapped = keras.layers.SpectralNormalization if spectral else lambda layer: layer
    layers = [keras.Input((inputs,))]
    for number in range(2):
        initial = keras.initializers.GlorotUniform(seed=10 * seed + number)
        layers.append(wrapped(keras.layers.Dense(width, kernel_initializer=initial)))
        layers.append(keras.layers.LeakyReLU(negative_slope=0.2))
    initial = keras.initializers.GlorotUniform(seed=10 * seed + 2)
    layers.append(wrapped(keras.layers.Dense(outputs, kernel_initializer=initial)))
    return keras.Sequential(layers)
