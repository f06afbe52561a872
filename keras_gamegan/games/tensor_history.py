"""A history of a player as immutable tensors, for closed-form games."""

from typing import Protocol

import tensorflow as tf

from keras_gamegan.games import bookkeeping, randomness, retention, structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import Structure, TensorLike


class DueInterval(Protocol):
    """What a history asks of an interval that is no number of steps."""

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        """Returns whether a push is due after so many steps, a boolean scalar."""


class TensorHistory:
    """A history of players kept as immutable tensors, for closed-form games.

    Args:
        player: The `Player` whose history begins.
        capacity: Number of slots, the live model's included, >= 1.
        interval: Steps between pushes, >= 1; or an object with `is_due(clock)`.
        retention_rule: A rule's name or a `retention.Retention`.
        current_weight: As in `bookkeeping.probabilities`.
        mixture: "full", the mean over all stored models; "sampled", one of them drawn
            at every step; "sliced", the mean over `slices` drawn ones.
        seed: Integer.
        decay: As in `bookkeeping.probabilities`.
        slices: Number of models drawn for "sliced", >= 1.
    """

    def __init__(
        self,
        player: Player,
        capacity: int,
        *,
        interval: int | DueInterval = 1,
        retention_rule: str | retention.Retention = "geometric",
        current_weight: float | None = None,
        mixture: str = "full",
        seed: int = 0,
        decay: float | None = None,
        slices: int = 4,
    ) -> None:
        self.capacity = capacity
        self.interval = interval
        self.rule = retention.get(retention_rule)
        self.current_weight = current_weight
        self.decay = decay
        self.kind = mixture
        self.slices = slices
        self.seed = seed
        self.slots = bookkeeping.initial_slots(capacity)
        self.members = tf.nest.map_structure(
            lambda leaf: tf.repeat(leaf[tf.newaxis], capacity, axis=0), player.weights
        )

    def tensors(self) -> tuple[bookkeeping.Slots, Structure]:
        """Returns all that changes from step to step, as one structure of tensors."""
        return self.slots, self.members

    def with_tensors(
        self, tensors: tuple[bookkeeping.Slots, Structure]
    ) -> "TensorHistory":
        """Returns the same history with other contents."""
        copy = object.__new__(TensorHistory)
        copy.__dict__.update(self.__dict__)
        copy.slots, copy.members = tensors
        return copy

    def member(self, index: TensorLike) -> Player:
        """Returns the `Player` in a slot."""
        return Player(
            tf.nest.map_structure(lambda leaf: tf.gather(leaf, index), self.members)
        )

    def average(self) -> Structure:
        """Returns the mean of the stored weights under the mixture's probabilities."""
        probabilities = self.probabilities()
        return tf.nest.map_structure(
            lambda leaf: tf.tensordot(tf.cast(probabilities, leaf.dtype), leaf, axes=1),
            self.members,
        )

    def mixture(self, current: Player) -> Mixture:
        """Returns the `Mixture` of stored models, the live one being ``current``."""
        if self.capacity == 1:
            return structures.pure(current)
        fresh = self._written(self.slots.head, current)
        stream = randomness.fold(
            randomness.root(self.seed), randomness.Purpose.OPPONENT, self.slots.clock
        )
        return bookkeeping.mixture_of(
            fresh.member, self.probabilities(), self.kind, stream, self.slices
        )

    def probabilities(self) -> tf.Tensor:
        """Returns the probability of each slot's model: float64 (capacity,)."""
        return bookkeeping.probabilities(
            self.slots, self.current_weight, tf.float64, self.decay
        )

    def record(self, player: Player) -> "TensorHistory":
        """Returns the history one step later, with ``player`` at its head."""
        clock = self.slots.clock
        if isinstance(self.interval, int):
            due = bookkeeping.is_due(clock, self.interval)
        else:
            due = tf.logical_and(clock > 0, self.interval.is_due(clock))
        slots = bookkeeping.record_step(
            self.slots,
            self.rule,
            due,
            bookkeeping.retention_number(self.seed, self.slots),
        )
        return self._written(slots.head, player).with_slots(slots)

    def with_slots(self, slots: bookkeeping.Slots) -> "TensorHistory":
        """Returns the same models under other book-keeping."""
        return self.with_tensors((slots, self.members))

    def _written(self, slot: tf.Tensor, player: Player) -> "TensorHistory":
        members = tf.nest.map_structure(
            lambda leaf, new: tf.tensor_scatter_nd_update(
                leaf, [[slot]], new[tf.newaxis]
            ),
            self.members,
            player.weights,
        )
        return self.with_tensors((self.slots, members))
