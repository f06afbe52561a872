"""What a player of exact fictitious play remembers of the opponent's past plays.

Three memories with one interface: `init(play)`, `add(state, play, uniform_number)` and
`mean(state)`. The first two keep a running average, which function space affords; the
third keeps a bounded bank of plays, as a network has to.
"""

from typing import Any, Protocol

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import bookkeeping, retention, structures

NAMES = ("all", *retention.NAMES)


class Memory(Protocol):
    """What remembers the opponent's plays; its state is a structure of tensors."""

    def init(self, play: tf.Tensor) -> Any:
        """Returns the memory of the first play."""

    def add(self, state: Any, play: tf.Tensor, uniform_number: tf.Tensor | None) -> Any:
        """Returns the memory with one more play."""

    def mean(self, state: Any) -> tf.Tensor:
        """Returns the average of the remembered plays."""


class FullMemory:
    """Every play, equally weighted: fictitious play as Brown defined it."""

    def init(self, play: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the memory of the first play."""
        return play, tf.ones((), play.dtype)

    def add(
        self,
        state: tuple[tf.Tensor, tf.Tensor],
        play: tf.Tensor,
        uniform_number: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the memory with one more play."""
        del uniform_number
        # The sum, not the mean, is carried: where plays are whole numbers it is exact,
        # and ties between best responses stay ties.
        total, count = state
        return total + play, count + 1

    def mean(self, state: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Returns the average play."""
        total, count = state
        return total / count


class DiscountedMemory:
    """Exact discount: a play of age a weighs (1 - 1/K)^a / K.

    Args:
        capacity: K >= 1, the number of plays the memory is worth. Until K plays are
            there, all weigh the same.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity

    def init(self, play: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the memory of the first play."""
        return play, tf.ones((), play.dtype)

    def add(
        self,
        state: tuple[tf.Tensor, tf.Tensor],
        play: tf.Tensor,
        uniform_number: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the memory with one more play."""
        del uniform_number
        mean, count = state
        count = count + 1
        rate = tf.maximum(structures.number(1 / self._capacity, play.dtype), 1 / count)
        return mean + rate * (play - mean), count

    def mean(self, state: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Returns the discounted average play."""
        return state[0]


class SlotMemory:
    """A bank of K plays under a retention rule, the latest play always among them.

    Args:
        rule: A `retention.Retention`.
        capacity: K >= 1.
        current_weight: Weight of the latest play: None, as any other; a number in
            [0, 1]; or "1/n", its part of all n plays so far.
    """

    def __init__(
        self,
        rule: retention.Retention,
        capacity: int,
        current_weight: float | str | None = None,
    ) -> None:
        self._rule = rule
        self._capacity = capacity
        self._current_weight = current_weight

    def init(self, play: tf.Tensor) -> tuple[bookkeeping.Slots, tf.Tensor]:
        """Returns the memory of the first play."""
        plays = tf.repeat(play[tf.newaxis], self._capacity, axis=0)
        return bookkeeping.initial_slots(self._capacity), plays

    def add(
        self,
        state: tuple[bookkeeping.Slots, tf.Tensor],
        play: tf.Tensor,
        uniform_number: tf.Tensor,
    ) -> tuple[bookkeeping.Slots, tf.Tensor]:
        """Returns the memory with one more play."""
        slots, plays = state
        slots = bookkeeping.record_step(slots, self._rule, True, uniform_number)
        plays = tf.tensor_scatter_nd_update(plays, [[slots.head]], play[tf.newaxis])
        return slots, plays

    def mean(self, state: tuple[bookkeeping.Slots, tf.Tensor]) -> tf.Tensor:
        """Returns the mean of the stored plays under the mixture's probabilities."""
        slots, plays = state
        weight = self._current_weight
        if weight == "1/n":
            weight = 1 / structures.number(
                tf.reduce_max(slots.ordinals) + 1, plays.dtype
            )
        probabilities = bookkeeping.probabilities(slots, weight, plays.dtype)
        return tf.tensordot(probabilities, plays, axes=1)


def make(
    rule: str | retention.Retention,
    capacity: int | None,
    current_weight: float | str | None,
) -> Memory:
    """Returns the memory that the arguments of a function of the library describe.

    Args:
        rule: "all"; "geometric", the exact discount; any other name of a retention
            rule, or a `retention.Retention`.
        capacity: Number of plays; None with "all", an integer >= 1 otherwise.
        current_weight: As in `SlotMemory`; None without a bank.

    Returns:
        A memory.

    Raises:
        TypeError: If a number is not one.
        ValueError: If an argument is out of range, missing or one too many.
    """
    if not isinstance(rule, retention.Retention):
        validation.check_choice(
            "retention",
            rule,
            NAMES,
            "An instance of a Retention subclass works too.",
        )
    if current_weight is not None and current_weight != "1/n":
        current_weight = validation.check_number(
            "current_weight", current_weight, maximum=1.0, hint='Or pass None or "1/n".'
        )
    if rule in ("all", "geometric") and current_weight is not None:
        raise ValueError(
            "`current_weight` needs a bank of plays. "
            f"Received: current_weight={current_weight!r} with "
            f"retention={rule!r}. Leave it out, or pass another retention."
        )
    if rule == "all":
        if capacity is not None:
            raise ValueError(
                '`capacity` must be None with retention="all". '
                f"Received: capacity={capacity!r}. Choose another retention."
            )
        return FullMemory()
    capacity = validation.check_integer(
        "capacity", capacity, hint="Pass capacity=..., the number of remembered plays."
    )
    if rule == "geometric":
        return DiscountedMemory(capacity)
    return SlotMemory(retention.get(rule), capacity, current_weight)
