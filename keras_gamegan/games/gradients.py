"""A player's loss and its gradient, where no step of a search is differentiated."""

from collections.abc import Callable

import tensorflow as tf

from keras_gamegan.games.game import Objective, Outcome
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Structure, TensorLike


def loss_and_gradient(
    loss_fn: Objective,
    player: Player,
    loss_scale: TensorLike | None = None,
    on_missing: Callable[[list[int]], None] | None = None,
) -> tuple[Outcome, Structure]:
    """Differentiates one player's loss with respect to that player's weights.

    Nothing but ``player.weights`` is watched, so opponents and states get no gradient
    whatever the loss does with them. A tape further out still sees through.

    Args:
        loss_fn: Function ``Player -> Outcome``.
        player: The `Player` to differentiate with respect to.
        loss_scale: Scalar the loss is multiplied by before differentiation (mixed
            precision); the gradient comes back scaled. Default: None, no scaling.
        on_missing: As in `gradient`.

    Returns:
        A pair (outcome, gradient); the gradient has the structure of
        ``player.weights``, with zeros where the loss does not depend on a weight.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(player.weights)
        outcome = loss_fn(player)
        target = outcome.loss
        if loss_scale is not None:
            target = target * tf.cast(loss_scale, target.dtype)
    return outcome, gradient(tape, target, player.weights, on_missing)


def gradient(
    tape: tf.GradientTape,
    target: tf.Tensor,
    weights: Structure,
    on_missing: Callable[[list[int]], None] | None = None,
) -> Structure:
    """Returns the gradient of a scalar, zeros where it does not depend on a weight.

    Args:
        tape: Tape that has watched the weights.
        target: Scalar.
        weights: Nested structure of tensors.
        on_missing: Function that is told the numbers of the flattened weights on which
            the target does not depend, if there are any. Default: None, nobody is.

    Returns:
        A structure as ``weights``.
    """
    flat = tf.nest.flatten(weights)
    found = tape.gradient(target, flat)
    missing = [index for index, slope in enumerate(found) if slope is None]
    if missing and on_missing is not None:
        on_missing(missing)
    found = [
        tf.zeros_like(weight) if slope is None else slope
        for slope, weight in zip(found, flat, strict=True)
    ]
    return tf.nest.pack_sequence_as(weights, found)
