"""Where a search for best responses sets out, and what it carries to the next one."""

from collections.abc import Callable
from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan import representation, validation
from keras_gamegan.games import perturbation as perturbations
from keras_gamegan.games import randomness, structures
from keras_gamegan.games.perturbation import Perturbation
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Structure

NAMES = ("current", "perturbed", "persistent")
_PULL, _PERTURBATION = 0.05, 0.01

OptimizerBegin: TypeAlias = Callable[[Structure], Structure]


class Current:
    """From the current players, with a fresh optimizer; carries nothing."""

    name = "current"

    def initial_state(self, u: Player, v: Player, begin: OptimizerBegin) -> tuple:
        """Returns what is carried from step to step, before the first one.

        Args:
            u: `Player`, the minimiser.
            v: `Player`, the maximiser.
            begin: Function from weights to the first state of the search's optimizer.
        """
        del u, v, begin
        return ()

    def players(
        self, u: Player, v: Player, state: tuple, seed: int | tf.Tensor
    ) -> tuple[Player, Player]:
        """Returns the pair of players from which the search sets out."""
        del state, seed
        return u, v

    def optimizer_states(self, state: tuple) -> tuple | None:
        """Returns the pair of optimizer states it goes on with; None: fresh ones."""
        del state
        return None

    def next_state(
        self, state: tuple, worst: tuple[Player, Player], optimizer_states: tuple
    ) -> tuple:
        """Returns what is carried on, of the players and states that were found."""
        del worst, optimizer_states
        return state


class Perturbed(Current):
    """From the current players with noise; carries the number of steps taken.

    Args:
        perturbation: A `Perturbation`.
    """

    name = "perturbed"

    def __init__(self, perturbation: Perturbation) -> None:
        self.perturbation = perturbation

    def initial_state(self, u: Player, v: Player, begin: OptimizerBegin) -> tuple:
        """Returns (number of steps,)."""
        return (tf.zeros((), tf.int64),)

    def players(
        self, u: Player, v: Player, state: tuple, seed: int | tf.Tensor
    ) -> tuple[Player, Player]:
        """Returns the pair of players, each with noise of this step."""
        stream = randomness.fold(
            randomness.root(seed), state[0], randomness.Purpose.PERTURBATION
        )
        return tuple(  # type: ignore[return-value]
            perturbations.perturbed(
                player, self.perturbation, randomness.fold(stream, side)
            )
            for side, player in enumerate((u, v))
        )

    def next_state(
        self, state: tuple, worst: tuple[Player, Player], optimizer_states: tuple
    ) -> tuple:
        """Returns (number of steps,)."""
        return (state[0] + 1,)


class Persistent(Current):
    """From the worst players of the last step, pulled towards the current ones.

    Mathematics: u_w <- u_w + pull (u - u_w), and so v_w, before each search, which goes
    on with the optimizer where it was; `BestResponse` says what that is good for.

    Args:
        pull: In [0, 1]; 1 restarts from the current players (but keeps the optimizer's
            state), 0 never comes back. If the logged gap is negative the worst players
            are no match for the current ones: raise it. On the ring 0.05 failed and 0.2
            did well. Default: 0.05.

    Raises:
        TypeError: If `pull` is not a number.
        ValueError: If it is out of range.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.BestResponse(1, start=kgg.games.Persistent(pull=0.2)).pull
        0.2

    References:
        Martin, Sandholm: "ApproxED: Approximate Exploitability Descent via Learned
        Best Responses", 2023 (best responses that persist).
    """

    name = "persistent"

    def __init__(self, pull: float = _PULL) -> None:
        self.pull = validation.check_number("pull", pull, 0.0, 1.0)

    def __repr__(self) -> str:
        return representation.short(self, {"pull": self.pull})

    def initial_state(self, u: Player, v: Player, begin: OptimizerBegin) -> tuple:
        """Returns (steps, the pair (u_w, v_w), the pair of optimizer states)."""
        return tf.zeros((), tf.int64), (u, v), (begin(u.weights), begin(v.weights))

    def players(
        self, u: Player, v: Player, state: tuple, seed: int | tf.Tensor
    ) -> tuple[Player, Player]:
        """Returns the pair of worst players, drawn back."""
        step, worst, _ = state
        if self.pull == 1.0:
            return u, v
        # Whoever set weights before the first step meant those to be the start.
        rate = tf.where(step > 0, structures.number(self.pull, tf.float64), 1.0)

        def pulled(old: tf.Tensor, current: tf.Tensor) -> tf.Tensor:
            if not old.dtype.is_floating:
                return current
            return structures.add_scaled(old, rate, current - old)

        return tf.nest.map_structure(pulled, worst, (u, v))

    def optimizer_states(self, state: tuple) -> tuple | None:
        """Returns the pair of optimizer states where they were."""
        return state[2]

    def next_state(
        self, state: tuple, worst: tuple[Player, Player], optimizer_states: tuple
    ) -> tuple:
        """Returns (steps, what was found, the pair of optimizer states)."""
        return state[0] + 1, worst, optimizer_states


def get(start: Any, pull: Any = None, perturbation: Any = None) -> Current:
    """Returns a start from its name or object.

    Args:
        start: "current"; "perturbed", or a `Perturbation`; "persistent", or a
            `Persistent`.
        pull: Of "persistent".
        perturbation: Of "perturbed".

    Raises:
        ValueError: If the name is unknown, or an argument given that the start has no
            use for.
    """
    name = start
    if isinstance(start, Persistent):
        name = "persistent"
    elif isinstance(start, Perturbation):
        name = "perturbed"
    validation.check_choice(
        "start",
        name,
        NAMES,
        "Or pass a kgg.games.Perturbation or a kgg.games.Persistent.",
    )
    for owner, argument, value in (
        ("persistent", "pull", pull),
        ("perturbed", "perturbation", perturbation),
    ):
        if value is not None and start != owner:
            raise ValueError(
                f"`{argument}` belongs to start={owner!r}. Received: "
                f"{argument}={value!r} with start={start!r}. Pass start={owner!r}, or "
                f"leave `{argument}` out."
            )
    if isinstance(start, Persistent):
        return start
    if name == "persistent":
        return Persistent(_PULL if pull is None else pull)
    if name == "current":
        return Current()
    if perturbation is None:
        perturbation = start if isinstance(start, Perturbation) else _PERTURBATION
    noise = perturbations.as_perturbation(perturbation)
    return Current() if noise is None else Perturbed(noise)
