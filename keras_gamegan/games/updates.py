"""Gradient descent rules as pure functions of tensors.

A best-response search restarts its optimizer at every outer step and may run inside a
loop of the graph, where a Keras optimizer (whose state is variables) cannot go. These
rules are the same formulas without the variables; the tests hold them against Keras.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import structures
from keras_gamegan.typing import Structure


class Update(NamedTuple):
    """A descent rule.

    Attributes:
        init: ``weights -> state``, the state before the first step.
        apply: ``(gradient, state, weights) -> (weights, state)``, one step downhill.
    """

    init: Callable[[Structure], Structure]
    apply: Callable[[Structure, Structure, Structure], tuple[Structure, Structure]]


def sgd(learning_rate: float | tf.Tensor) -> Update:
    """Returns the rule ``w <- w - learning_rate * g``."""

    def apply(
        gradient: Structure, state: Structure, weights: Structure
    ) -> tuple[Structure, Structure]:
        return structures.add_scaled(weights, -learning_rate, gradient), state

    return Update(lambda weights: (), apply)


def momentum(learning_rate: float | tf.Tensor, decay: float = 0.9) -> Update:
    """Returns heavy-ball momentum: ``m <- decay m - learning_rate g, w <- w + m``."""

    def apply(
        gradient: Structure, state: Structure, weights: Structure
    ) -> tuple[Structure, Structure]:
        velocity = structures.add_scaled(
            structures.scale(state, decay), -learning_rate, gradient
        )
        return structures.add(weights, velocity), velocity

    return Update(structures.zeros_like, apply)


def rmsprop(
    learning_rate: float | tf.Tensor, decay: float = 0.9, epsilon: float = 1e-7
) -> Update:
    """Returns RMSprop: ``s <- decay s + (1 - decay) g^2``, step along g / sqrt(s)."""

    def second_moment(s: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        return s + (1.0 - decay) * (tf.square(g) - s)

    def apply(
        gradient: Structure, state: Structure, weights: Structure
    ) -> tuple[Structure, Structure]:
        state = tf.nest.map_structure(second_moment, state, gradient)
        weights = tf.nest.map_structure(
            lambda w, g, s: w - learning_rate * g * tf.math.rsqrt(s + epsilon),
            weights,
            gradient,
            state,
        )
        return weights, state

    return Update(structures.zeros_like, apply)


def adam(
    learning_rate: float | tf.Tensor,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> Update:
    """Returns Adam with bias correction (Kingma and Ba, 2015), as Keras computes it."""

    def init(weights: Structure) -> Structure:
        leaves = tf.nest.flatten(weights)
        # A frozen player has no weights, and takes steps that move nothing.
        step = tf.zeros((), leaves[0].dtype if leaves else tf.float32)
        return step, structures.zeros_like(weights), structures.zeros_like(weights)

    def apply(
        gradient: Structure, state: Structure, weights: Structure
    ) -> tuple[Structure, Structure]:
        step, first, second = state
        step = step + 1.0
        correction = tf.sqrt(
            1.0 - tf.pow(structures.number(beta_2, step.dtype), step)
        ) / (1.0 - tf.pow(structures.number(beta_1, step.dtype), step))
        size = structures.number(learning_rate, step.dtype) * correction
        first = tf.nest.map_structure(
            lambda m, g: m + (1.0 - beta_1) * (g - m), first, gradient
        )
        second = tf.nest.map_structure(
            lambda s, g: s + (1.0 - beta_2) * (tf.square(g) - s), second, gradient
        )

        def descend(w: tf.Tensor, m: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
            # The floor is invisible beside epsilon, but the square root of 0 has no
            # derivative, which a gradient through the search would meet.
            root = tf.sqrt(tf.maximum(s, tf.cast(1e-30, s.dtype)))
            return w - tf.cast(size, w.dtype) * m / (root + epsilon)

        weights = tf.nest.map_structure(descend, weights, first, second)
        return weights, (step, first, second)

    return Update(init, apply)


_RULES: dict[str, Callable[..., Update]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adam": adam,
    "rmsprop": rmsprop,
}
NAMES = tuple(_RULES)


def get(name: str, learning_rate: float | tf.Tensor, **hyperparameters: Any) -> Update:
    """Returns the descent rule of that name.

    Args:
        name: "sgd", "momentum", "adam" or "rmsprop".
        learning_rate: Step size: a positive float, or a scalar tensor.
        **hyperparameters: `decay` (momentum, rmsprop); `beta_1`, `beta_2` (adam);
            `epsilon` (adam, rmsprop). Defaults are Keras' own.

    Returns:
        An `Update`.

    Raises:
        ValueError: If the name is unknown or the learning rate not positive.
    """
    validation.check_choice("optimizer", name, NAMES)
    if not tf.is_tensor(learning_rate):
        validation.check_number("learning_rate", learning_rate, exclusive=True)
    return functools.partial(_RULES[name], learning_rate)(**hyperparameters)
