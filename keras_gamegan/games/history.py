"""A player's history: which slot holds what, and the mixture it stands for."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from keras_gamegan.games import randomness, retention, structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import Structure, TensorLike


class PlayerHistory(Protocol):
    """What fictitious play asks of a history of one player."""

    def mixture(self, current: Player) -> Mixture:
        """Returns the `Mixture` to be answered, the live player being ``current``."""

    def record(self, player: Player) -> "PlayerHistory":
        """Returns the history with the live player stored."""


MIXTURES = ("sampled", "sliced", "full")


class DueInterval(Protocol):
    """What a history asks of an interval that is no number of steps."""

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        """Returns whether a push is due after so many steps, a boolean scalar."""


class Slots(NamedTuple):
    """The book-keeping of a bank, without the models themselves.

    Attributes:
        ordinals: int64 (capacity,), number of the push each model entered at, -1 where
            a slot is empty.
        steps: int64 (capacity,), training step of each model's weights, -1 if empty.
        head: int64 scalar, the slot of the live model.
        clock: int64 scalar, steps recorded so far.
    """

    ordinals: tf.Tensor
    steps: tf.Tensor
    head: tf.Tensor
    clock: tf.Tensor


def initial_slots(capacity: int) -> Slots:
    """Returns the slots of a bank that holds only the live model."""
    first = tf.one_hot(0, capacity, on_value=0, off_value=-1, dtype=tf.int64)
    zero = tf.zeros((), tf.int64)
    return Slots(first, first, zero, zero)


def record_step(
    slots: Slots,
    rule: retention.Retention,
    push: TensorLike,
    uniform_number: TensorLike,
    tick: int | tf.Tensor = 1,
) -> Slots:
    """Returns the slots after one more training step.

    If ``push``, the head, which holds the weights of the step before, is frozen and
    the live model moves to the slot the rule gives. The live weights of this step then
    belong into ``slots.head``: one slot is written per step, whatever happened.

    Args:
        slots: `Slots`.
        rule: A `retention.Retention`.
        push: Boolean scalar.
        uniform_number: Scalar on [0, 1), this step's random number.
        tick: Training steps by which the clock advances. Default: 1.

    Returns:
        `Slots`.
    """
    push = tf.convert_to_tensor(push)
    count = tf.reduce_max(slots.ordinals)
    chosen = rule.slot(slots.ordinals, slots.head, count, uniform_number)
    head = tf.where(push, chosen, slots.head)
    clock = slots.clock + tick
    at_head = tf.equal(tf.range(tf.size(slots.ordinals, tf.int64)), head)
    ordinals = tf.where(at_head, count + tf.cast(push, tf.int64), slots.ordinals)
    return Slots(ordinals, tf.where(at_head, clock, slots.steps), head, clock)


def retention_number(seed: int, slots: Slots) -> tf.Tensor:
    """Returns the random number by which a rule chooses who gives way.

    Args:
        seed: Integer seed of the history.
        slots: `Slots` before the step; the newest ordinal tells two pushes of one step
            apart.
    """
    stream = randomness.fold(
        randomness.root(seed), randomness.Purpose.RETENTION, slots.clock
    )
    return randomness.uniform(randomness.fold(stream, tf.reduce_max(slots.ordinals)))


def is_due(clock: tf.Tensor, interval: int | tf.Tensor) -> tf.Tensor:
    """Returns whether the step after ``clock`` steps begins with a push."""
    return tf.logical_and(clock > 0, tf.equal(clock % interval, 0))


def probabilities(
    slots: Slots,
    current_weight: float | tf.Tensor | None = None,
    dtype: tf.DType = tf.float32,
    decay: float | None = None,
) -> tf.Tensor:
    """Returns the probability with which each slot's model is played.

    Args:
        slots: `Slots`.
        current_weight: Probability of the live model once there are others, in
            [0, 1]; the others share the rest. None: the live model counts as the
            newest of them.
        dtype: Dtype of the result.
        decay: Factor in (0, 1] from one model's share to that of the next older one.
            None: all share equally.

    Returns:
        Tensor (capacity,) that sums to 1, zero on empty slots.
    """
    filled = tf.cast(slots.ordinals >= 0, dtype)
    number = tf.reduce_sum(filled)
    if current_weight is None:
        if decay is None:
            return filled / number
        return _faded(filled, slots.ordinals, decay)
    is_head = tf.one_hot(slots.head, tf.size(slots.ordinals), dtype=dtype)
    weight = tf.where(
        number > 1, structures.number(current_weight, dtype), tf.ones((), dtype)
    )
    others = (filled - is_head) / tf.maximum(number - 1, 1)
    if decay is not None:
        others = _faded(filled - is_head, slots.ordinals, decay)
    return weight * is_head + (1 - weight) * others


def _faded(mask: tf.Tensor, ordinals: tf.Tensor, decay: float) -> tf.Tensor:
    """Returns shares on a 0-1 ``mask`` of slots, each `decay` times the next newer."""
    capacity = ordinals.shape[0]
    newer = (ordinals[tf.newaxis] > ordinals[:, tf.newaxis]) & (mask > 0)[tf.newaxis]
    rank = tf.reduce_sum(tf.cast(newer, tf.int32), axis=1)
    # Powers and their sums from the host: no device rounds them another way.
    powers = decay ** np.arange(capacity)
    totals = np.concatenate([[1.0], np.cumsum(powers)])
    total = tf.gather(
        tf.constant(totals, mask.dtype), tf.cast(tf.reduce_sum(mask), tf.int32)
    )
    share = tf.gather(tf.constant(powers, mask.dtype), tf.minimum(rank, capacity - 1))
    return mask * share / total


def carried_probabilities(before: Slots, after: Slots, shares: tf.Tensor) -> tf.Tensor:
    """Returns assigned probabilities after a step that may have pushed a model.

    The new model gets the mean share, 1 / (models held); a model that gave way loses
    its own; the rest are scaled so that all sum to 1. Without a push nothing changes.

    Args:
        before: `Slots` before the step.
        after: `Slots` after it.
        shares: Tensor (capacity,), each slot's probability before the step.

    Returns:
        Tensor (capacity,), each slot's probability after the step.
    """
    pushed = tf.reduce_max(after.ordinals) > tf.reduce_max(before.ordinals)
    filled = tf.cast(after.ordinals >= 0, shares.dtype)
    is_head = tf.one_hot(after.head, tf.size(after.ordinals), dtype=shares.dtype)
    mean = 1 / tf.reduce_sum(filled)
    rest = shares * (1 - is_head)
    # Had the models that remain no share at all, they divide it equally.
    rest = tf.where(tf.reduce_sum(rest) > 0, rest, filled - is_head)
    total = tf.reduce_sum(rest)
    scale = tf.where(total > 0, (1 - mean) / tf.where(total > 0, total, 1), 0)
    return tf.where(pushed, mean * is_head + scale * rest, shares)


def systematic_slots(
    uniform_number: TensorLike, slices: int, shares: tf.Tensor
) -> tf.Tensor:
    """Returns the slot that each slice of a batch plays: a systematic sample.

    Slice s takes the point (U + s / S) mod 1 of the cumulated probabilities. Each point
    is uniform, so every slice plays a slot with that slot's probability and the mean
    over slices is unbiased for any batch; the points are 1 / S apart, so a slot of
    probability p is played floor(S p) or ceil(S p) times, which reduces the variance.

    Args:
        uniform_number: Scalar U on [0, 1).
        slices: Number S of slices, an int.
        shares: Tensor (capacity,), probabilities.

    Returns:
        int64 tensor (slices,).
    """
    spread = tf.constant(np.arange(slices) / slices, shares.dtype)
    points = tf.cast(uniform_number, shares.dtype) + spread
    points = tf.where(points >= 1, points - 1, points)
    return randomness.categorical(points, shares)


def mixture_of(
    member: Callable[[tf.Tensor], Player],
    shares: tf.Tensor,
    kind: str,
    stream: tf.Tensor,
    slices: int = 1,
) -> Mixture:
    """Returns the `Mixture` of stored models that a player answers.

    Args:
        member: Function from a slot, an int64 scalar, to its `Player`.
        shares: Tensor (capacity,), the slots' probabilities.
        kind: "full", all of them; "sampled", one that is drawn; "sliced", a systematic
            sample, each for its slice of a batch.
        stream: Random stream of this step.
        slices: Number of models drawn for "sliced".
    """
    if kind == "full":
        slots = [tf.constant(slot, tf.int64) for slot in range(shares.shape[0])]
        return structures.Mixture(tuple(map(member, slots)), shares)
    # In float32 everywhere: the same draws, in whatever dtype the players are.
    shares = tf.cast(shares, tf.float32)
    number = randomness.uniform(stream)
    if kind == "sampled":
        return structures.pure(member(randomness.categorical(number, shares)))
    drawn = systematic_slots(number, slices, shares)
    return structures.Mixture(
        tuple(map(member, tf.unstack(drawn, slices))),
        tf.fill([slices], tf.constant(1 / slices, shares.dtype)),
        sliced=True,
    )


class TensorHistory:
    """A history of players kept as immutable tensors, for closed-form games.

    Args:
        player: The `Player` whose history begins.
        capacity: Number of slots, the live model's included, >= 1.
        interval: Steps between pushes, >= 1; or an object with `is_due(clock)`.
        retention_rule: A rule's name or a `retention.Retention`.
        current_weight: As in `probabilities`.
        mixture: "full", the mean over all stored models; "sampled", one of them drawn
            at every step; "sliced", the mean over `slices` drawn ones.
        seed: Integer.
        decay: As in `probabilities`.
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
        self.slots = initial_slots(capacity)
        self.members = tf.nest.map_structure(
            lambda leaf: tf.repeat(leaf[tf.newaxis], capacity, axis=0), player.weights
        )

    def tensors(self) -> tuple[Slots, Structure]:
        """Returns all that changes from step to step, as one structure of tensors."""
        return self.slots, self.members

    def with_tensors(self, tensors: tuple[Slots, Structure]) -> "TensorHistory":
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
        share = self.probabilities()
        return tf.nest.map_structure(
            lambda leaf: tf.tensordot(tf.cast(share, leaf.dtype), leaf, axes=1),
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
        return mixture_of(
            fresh.member, self.probabilities(), self.kind, stream, self.slices
        )

    def probabilities(self) -> tf.Tensor:
        """Returns the probability of each slot's model: float64 (capacity,)."""
        return probabilities(self.slots, self.current_weight, tf.float64, self.decay)

    def record(self, player: Player) -> "TensorHistory":
        """Returns the history one step later, with ``player`` at its head."""
        clock = self.slots.clock
        if isinstance(self.interval, int):
            due = is_due(clock, self.interval)
        else:
            due = tf.logical_and(clock > 0, self.interval.is_due(clock))
        slots = record_step(
            self.slots,
            self.rule,
            due,
            retention_number(self.seed, self.slots),
        )
        return self._written(slots.head, player).with_slots(slots)

    def with_slots(self, slots: Slots) -> "TensorHistory":
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
