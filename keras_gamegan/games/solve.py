"""Plays a closed-form game with a scheme until it settles, and keeps the trajectory."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import descent_stepper, schemes, tensor_history, updates
from keras_gamegan.games.best_response import BestResponse
from keras_gamegan.games.game import Game
from keras_gamegan.games.schemes import histories
from keras_gamegan.games.schemes.scheme import check_step
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Structure

SCHEMES = (
    *schemes.NAMES,
    "duality_gap",
    "unrolled_duality_gap",
    "fictitious_play",
)
_DIVERGED = 1e4


class Solution(NamedTuple):
    """What `solve` returns.

    Attributes:
        iterations: Steps taken: up to and including the first one that left both
            players, rounded, where they were; `max_iterations` if there was none.
        converged: Whether there was such a step.
        diverged: Whether a coordinate became NaN, infinite, or larger than 1e4 times
            the largest coordinate of the start (or than 1e4, if that is larger).
        solution: Pair (u, v) of NumPy structures: the last iterates; under
            "fictitious_play" the averages of the histories.
        trajectory: Pair of structures of NumPy arrays (steps + 1, ...), the start
            first.
        value: M at the last iterates, a float.

    Example:
        >>> import keras_gamegan as kgg
        >>> result = kgg.games.solve(kgg.games.e3())
        >>> [round(float(x), 3) for x in result.solution], round(result.value, 3)
        ([-2.596, 12.413], 74.594)
        >>> result.trajectory[0].shape
        (80,)
    """

    iterations: int
    converged: bool
    diverged: bool
    solution: tuple[Structure, ...]
    trajectory: tuple[Structure, ...]
    value: float


def make_scheme(
    name: str,
    step_size: float,
    response: BestResponse,
    consensus_weight: float = 0.1,
    history_capacity: int = 100,
) -> schemes.Scheme:
    """Returns the scheme of that name with these hyperparameters."""
    validation.check_choice(
        "scheme", name, SCHEMES, "A kgg.games.schemes.Scheme object works too."
    )
    if name in ("duality_gap", "unrolled_duality_gap"):
        return schemes.DualityGap(response)
    if name == "consensus":
        return schemes.Consensus(consensus_weight)
    if name == "unrolled":
        return schemes.Unrolled(response.num_steps, "sgd", step_size)
    if name == "fictitious_play":
        return schemes.FictitiousPlay(
            lambda u, v: tuple(
                tensor_history.TensorHistory(player, history_capacity)
                for player in (u, v)
            )
        )
    return schemes.get(name)


def solve(
    game: Game,
    start: Sequence[Structure] | None = None,
    scheme: str | schemes.Scheme = "duality_gap",
    step_size: float = 0.05,
    num_response_steps: int = 5,
    max_iterations: int = 1000,
    tolerance_decimals: int = 5,
    *,
    consensus_weight: float = 0.1,
    history_capacity: int = 100,
    dtype: str = "float64",
) -> Solution:
    """Plays a closed-form game with gradient steps of a constant size.

    The very schemes that train the Keras models run here, on tensors instead of
    networks; so a scheme that solves these games is the scheme that trains the GAN.

    Args:
        game: A `Game`.
        start: Pair (u0, v0) of scalars, arrays or nested structures. Default: the
            game's own start.
        scheme: "simultaneous", "alternating", "extragradient", "optimistic",
            "consensus", "lookahead", "unrolled", "duality_gap", "unrolled_duality_gap",
            "fictitious_play", or a `schemes.Scheme`. Default: "duality_gap".
        step_size: Step of the players and of the best-response search, > 0.
        num_response_steps: Steps k of the best-response search, or of "unrolled", >= 0.
        max_iterations: At most so many steps, >= 1.
        tolerance_decimals: The game has settled when no coordinate, rounded to so many
            decimals, changes in a step; >= 0.
        consensus_weight: gamma of "consensus".
        history_capacity: Capacity of the histories of "fictitious_play" (geometric
            retention).
        dtype: "float64" or "float32". Default: "float64".

    Returns:
        A `Solution`.

    Raises:
        TypeError: If the game is not a `Game`.
        ValueError: If a name is unknown, a number out of range or a start missing.

    Example:
        >>> import keras_gamegan as kgg
        >>> result = kgg.games.solve(kgg.games.e4(), num_response_steps=5)
        >>> result.converged, result.iterations
        (True, 104)
        >>> kgg.games.solve(kgg.games.e4(), scheme="simultaneous").diverged
        True
    """
    if not isinstance(game, Game):
        raise TypeError(
            "`game` must be a kgg.games.Game. "
            f"Received: {game!r}. Wrap a value function: kgg.games.Game(value_fn)."
        )
    start = game.start if start is None else start
    if not isinstance(start, (tuple, list)) or len(start) != 2:
        raise ValueError(
            "`start` must be a pair (u0, v0), or the game must have one of its own. "
            f"Received: start={start!r}. Pass start=(u0, v0)."
        )
    validation.check_number("step_size", step_size, exclusive=True)
    validation.check_integer("max_iterations", max_iterations)
    validation.check_integer("tolerance_decimals", tolerance_decimals, 0)
    validation.check_choice("dtype", dtype, ("float32", "float64"))
    if not isinstance(scheme, schemes.Scheme):
        response = BestResponse(
            num_response_steps,
            "sgd",
            step_size,
            through_gradient=scheme == "unrolled_duality_gap",
        )
        scheme = make_scheme(
            scheme, step_size, response, consensus_weight, history_capacity
        )
    u, v = (
        Player(tf.nest.map_structure(lambda x: tf.convert_to_tensor(x, dtype), part))
        for part in start
    )
    return _play(game, u, v, scheme, step_size, max_iterations, tolerance_decimals)


def _play(
    game: Game,
    u: Player,
    v: Player,
    scheme: schemes.Scheme,
    step_size: float,
    max_iterations: int,
    decimals: int,
) -> Solution:
    update = updates.sgd(step_size)
    state = scheme.initial_state(u, v)

    # Histories carry Python settings beside tensors: only the tensors cross the graph.
    first = tf.nest.flatten(state)

    def pack(state: Structure) -> list:
        return [
            leaf.tensors() if _is_history(leaf) else leaf
            for leaf in tf.nest.flatten(state)
        ]

    def unpack(tensors: list) -> Structure:
        parts = [
            leaf.with_tensors(part) if _is_history(leaf) else part
            for leaf, part in zip(first, tensors, strict=True)
        ]
        return tf.nest.pack_sequence_as(state, parts)

    @tf.function
    def one_step(u: Player, v: Player, tensors: list) -> tuple[Player, Player, list]:
        stepper = descent_stepper.DescentStepper(
            update, descent_stepper.DescentStepper.initial_states(update, u, v)
        )
        step = scheme.step(game, u, v, unpack(tensors), stepper)
        check_step(scheme, step)
        return step.u, step.v, pack(step.state)

    tensors = pack(state)
    one_step = one_step.get_concrete_function(u, v, tensors)
    visited = [_to_numpy((u.weights, v.weights))]
    bound = _DIVERGED * max(
        1.0, *(np.max(np.abs(leaf)) for leaf in tf.nest.flatten(visited[0]))
    )
    converged = diverged = False
    while len(visited) <= max_iterations and not (converged or diverged):
        u, v, tensors = one_step(u, v, tensors)
        visited.append(_to_numpy((u.weights, v.weights)))
        leaves = tf.nest.flatten(visited[-1])
        diverged = not all(np.all(np.abs(leaf) < bound) for leaf in leaves)
        converged = not diverged and all(
            np.array_equal(np.round(new, decimals), np.round(old, decimals))
            for new, old in zip(leaves, tf.nest.flatten(visited[-2]), strict=True)
        )
    # The mean of what is remembered, where something is; else the last iterate.
    remembered: Structure = (None, None)
    if isinstance(state, schemes.State):
        remembered = histories.of_state(unpack(tensors))
    return Solution(
        iterations=len(visited) - 1,
        converged=converged,
        diverged=diverged,
        solution=tuple(
            last if past is None else _to_numpy(past.average())
            for past, last in zip(remembered, visited[-1], strict=True)
        ),
        trajectory=tf.nest.map_structure(lambda *leaves: np.stack(leaves), *visited),
        value=float(game.value(u, v)),
    )


def _is_history(part: object) -> bool:
    return isinstance(part, tensor_history.TensorHistory)


def _to_numpy(structure: Structure) -> Structure:
    return tf.nest.map_structure(lambda leaf: leaf.numpy(), structure)
