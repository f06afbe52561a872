"""A player's loss and its gradient: the one place where games are differentiated."""

import tensorflow as tf


def loss_and_gradient(loss_fn, player, loss_scale=None):
    """Differentiates one player's loss with respect to that player's weights.

    Nothing but ``player.weights`` is watched, so opponents and states get no gradient
    whatever the loss does with them. A tape further out still sees through.

    Args:
        loss_fn: Function ``Player -> Outcome``.
        player: The `Player` to differentiate with respect to.
        loss_scale: Scalar the loss is multiplied by before differentiation (mixed
            precision); the gradient comes back scaled. Default: None, no scaling.

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
    gradient = tape.gradient(
        target, player.weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return outcome, gradient
