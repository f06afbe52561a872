"""Descent on several independent losses at once: the k steps of a search."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan.games import gradients
from keras_gamegan.games.game import Objective, Outcome
from keras_gamegan.games.structures import Player
from keras_gamegan.games.updates import Update
from keras_gamegan.typing import Structure

# `(player, step) -> outcome`; the step is an int or an int32 tensor.
StepLoss: TypeAlias = Callable[[Player, Any], Outcome]


def search(
    loss_fns: Sequence[StepLoss],
    players: Sequence[Player],
    update: Update,
    num_steps: int,
    *,
    projections: Sequence[Callable[[Player], Player]] | None = None,
    reduce_gradients: Callable[[list[Structure]], list[Structure]] | None = None,
    loss_scales: Sequence[tf.Tensor | None] | None = None,
    unroll: bool = False,
    record: bool = False,
) -> tuple[list[Player], tf.Tensor | None]:
    """Takes ``num_steps`` descent steps on several independent losses in one loop.

    The losses do not depend on one another's players, so their steps overlap; under
    replicas their gradients share one all-reduce.

    Args:
        loss_fns: List of functions ``(Player, step) -> Outcome``; ``step`` is the
            index of the inner step, an int or an int32 tensor.
        players: List of `Player`, the starting points.
        update: An `updates.Update`.
        num_steps: Number of steps, a Python int >= 0.
        projections: List of functions ``Player -> Player``, applied to what each step
            gives: onto the players that are allowed. Default: None, all are.
        reduce_gradients: Function applied to the list of gradients at every step (sums
            over replicas). Default: None, nothing.
        loss_scales: List of scalars by which each loss is scaled during
            differentiation (mixed precision). Default: None.
        unroll: Whether to write the steps out instead of a graph loop. Needed where a
            collective cannot run inside a loop. Default: False.
        record: Whether to return the values met on the way. Default: False.

    Returns:
        A pair (players, values): the players found, and, if ``record``, a tensor
        (num_steps, number of losses) of each step's loss before the step, else None.
    """
    optimizer_states = [update.init(player.weights) for player in players]
    players, _, values = descend(
        loss_fns,
        players,
        optimizer_states,
        [update] * len(players),
        num_steps,
        projections=projections,
        reduce_gradients=reduce_gradients,
        loss_scales=loss_scales,
        unroll=unroll,
        record=record,
    )
    return players, values


def descend(
    loss_fns: Sequence[StepLoss],
    players: Sequence[Player],
    optimizer_states: Sequence[Structure],
    rules: Sequence[Update],
    num_steps: int,
    *,
    projections: Sequence[Callable[[Player], Player]] | None = None,
    reduce_gradients: Callable[[list[Structure]], list[Structure]] | None = None,
    loss_scales: Sequence[tf.Tensor | None] | None = None,
    unroll: bool = False,
    record: bool = False,
) -> tuple[list[Player], list[Structure], tf.Tensor | None]:
    """Goes on with a search from optimizer states already there; else as `search`.

    Args:
        loss_fns: As in `search`.
        players: As in `search`.
        optimizer_states: List of the rules' states, one for each player.
        rules: List of `updates.Update`, likewise.
        num_steps: As in `search`.
        projections: As in `search`.
        reduce_gradients: As in `search`.
        loss_scales: As in `search`.
        unroll: As in `search`.
        record: As in `search`.

    Returns:
        A triple (players, optimizer states, values).
    """
    loss_fns, players = list(loss_fns), list(players)
    optimizer_states = list(optimizer_states)
    loss_scales = loss_scales or [None] * len(players)
    projections = projections or [lambda player: player] * len(players)

    def one_step(
        step: Any, players: Sequence[Player], optimizer_states: Sequence[Structure]
    ) -> tuple[list[Player], list[Structure], tf.Tensor]:
        outcomes, slopes = [], []
        for loss_fn, player, loss_scale in zip(
            loss_fns, players, loss_scales, strict=True
        ):
            outcome, slope = gradients.loss_and_gradient(
                _at_step(loss_fn, step), player, loss_scale
            )
            outcomes.append(outcome)
            slopes.append(_unscale(slope, loss_scale))
        if reduce_gradients is not None:
            slopes = reduce_gradients(slopes)
        found, states = [], []
        for outcome, slope, rule, state, project in zip(
            outcomes, slopes, rules, optimizer_states, projections, strict=True
        ):
            weights, state = rule.apply(slope, state, outcome.player.weights)
            found.append(project(Player(weights, outcome.player.state)))
            states.append(state)
        return found, states, tf.stack([outcome.loss for outcome in outcomes])

    if num_steps == 0:
        return players, optimizer_states, None
    # Beside a single step TensorFlow finds what the outer step computes again: the
    # forward pass of the player it starts from.
    if unroll or num_steps == 1:
        values = []
        for step in range(num_steps):
            players, optimizer_states, losses = one_step(
                step, players, optimizer_states
            )
            values.append(losses)
        return players, optimizer_states, (tf.stack(values) if record else None)
    return _graph_loop(one_step, players, optimizer_states, num_steps, record)


def _at_step(loss_fn: StepLoss, step: Any) -> Objective:
    return lambda player: loss_fn(player, step)


def _graph_loop(
    one_step: Callable[..., tuple[list[Player], list[Structure], tf.Tensor]],
    players: list[Player],
    optimizer_states: list[Structure],
    num_steps: int,
    record: bool,
) -> tuple[list[Player], list[Structure], tf.Tensor | None]:
    """Runs ``one_step`` in a `tf.while_loop`, whose graph does not grow with k."""
    leaves = tf.nest.flatten([player.weights for player in players])
    dtype = leaves[0].dtype if leaves else tf.float32
    values = tf.zeros((num_steps if record else 0, len(players)), dtype)

    def body(
        step: tf.Tensor,
        players: list[Player],
        optimizer_states: list[Structure],
        values: tf.Tensor,
    ) -> tuple[tf.Tensor, list[Player], list[Structure], tf.Tensor]:
        players, optimizer_states, losses = one_step(step, players, optimizer_states)
        if record:
            row = tf.cast(losses, values.dtype)
            values = tf.tensor_scatter_nd_update(values, [[step]], [row])
        return step + 1, players, optimizer_states, values

    _, players, optimizer_states, values = tf.while_loop(
        lambda step, *_: step < num_steps,
        body,
        (tf.constant(0), players, optimizer_states, values),
        maximum_iterations=num_steps,
    )
    return players, optimizer_states, (values if record else None)


def _unscale(gradient: Structure, loss_scale: tf.Tensor | None) -> Structure:
    if loss_scale is None:
        return gradient

    def unscale(g: tf.Tensor) -> tf.Tensor:
        g = g / tf.cast(loss_scale, g.dtype)
        # A float16 overflow skips this inner step, as loss scaling does outside.
        return tf.where(tf.math.is_finite(g), g, tf.zeros_like(g))

    return tf.nest.map_structure(unscale, gradient)
