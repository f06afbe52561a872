"""The book-keeping of a history: which slot holds what, and how likely it is played."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan.games import randomness, retention, structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import TensorLike

MIXTURES = ("sampled", "sliced", "full")


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
        decay: Factor in (0, 1] from one model's probability to that of the next older
            one. None: all are equally probable.

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
    """Returns probabilities on a 0-1 ``mask`` of slots, each `decay` times the next."""
    capacity = ordinals.shape[0]
    newer = (ordinals[tf.newaxis] > ordinals[:, tf.newaxis]) & (mask > 0)[tf.newaxis]
    rank = tf.reduce_sum(tf.cast(newer, tf.int32), axis=1)
    # Powers and their sums from the host: no device rounds them another way.
    powers = decay ** np.arange(capacity)
    totals = np.concatenate([[1.0], np.cumsum(powers)])
    total = tf.gather(
        tf.constant(totals, mask.dtype), tf.cast(tf.reduce_sum(mask), tf.int32)
    )
    faded = tf.gather(tf.constant(powers, mask.dtype), tf.minimum(rank, capacity - 1))
    return mask * faded / total


def carried_probabilities(
    before: Slots, after: Slots, probabilities: tf.Tensor
) -> tf.Tensor:
    """Returns assigned probabilities after a step that may have pushed a model.

    The new model gets the mean probability, 1 / (models held); a model that gave way
    loses its own; the rest are scaled so that all sum to 1. Without a push nothing
    changes.

    Args:
        before: `Slots` before the step.
        after: `Slots` after it.
        probabilities: Tensor (capacity,), each slot's before the step.

    Returns:
        Tensor (capacity,), each slot's probability after the step.
    """
    pushed = tf.reduce_max(after.ordinals) > tf.reduce_max(before.ordinals)
    filled = tf.cast(after.ordinals >= 0, probabilities.dtype)
    is_head = tf.one_hot(after.head, tf.size(after.ordinals), dtype=probabilities.dtype)
    mean = 1 / tf.reduce_sum(filled)
    rest = probabilities * (1 - is_head)
    # Had the models that remain no probability at all, they divide it equally.
    rest = tf.where(tf.reduce_sum(rest) > 0, rest, filled - is_head)
    total = tf.reduce_sum(rest)
    scale = tf.where(total > 0, (1 - mean) / tf.where(total > 0, total, 1), 0)
    return tf.where(pushed, mean * is_head + scale * rest, probabilities)


def systematic_slots(
    uniform_number: TensorLike, slices: int, probabilities: tf.Tensor
) -> tf.Tensor:
    """Returns the slot that each slice of a batch plays: a systematic sample.

    Slice s takes the point (U + s / S) mod 1 of the cumulated probabilities. Each point
    is uniform, so every slice plays a slot with that slot's probability and the mean
    over slices is unbiased for any batch; the points are 1 / S apart, so a slot of
    probability p is played floor(S p) or ceil(S p) times, which reduces the variance.

    Args:
        uniform_number: Scalar U on [0, 1).
        slices: Number S of slices, an int.
        probabilities: Tensor (capacity,).

    Returns:
        int64 tensor (slices,).
    """
    spread = tf.constant(np.arange(slices) / slices, probabilities.dtype)
    points = tf.cast(uniform_number, probabilities.dtype) + spread
    points = tf.where(points >= 1, points - 1, points)
    return randomness.categorical(points, probabilities)


def mixture_of(
    member: Callable[[tf.Tensor], Player],
    probabilities: tf.Tensor,
    kind: str,
    stream: tf.Tensor,
    slices: int = 1,
) -> Mixture:
    """Returns the `Mixture` of stored models that a player answers.

    Args:
        member: Function from a slot, an int64 scalar, to its `Player`.
        probabilities: Tensor (capacity,), each slot's.
        kind: "full", all of them; "sampled", one that is drawn; "sliced", a systematic
            sample, each for its slice of a batch.
        stream: Random stream of this step.
        slices: Number of models drawn for "sliced".
    """
    if kind == "full":
        slots = [tf.constant(slot, tf.int64) for slot in range(probabilities.shape[0])]
        return structures.Mixture(tuple(map(member, slots)), probabilities)
    # In float32 everywhere: the same draws, in whatever dtype the players are.
    probabilities = tf.cast(probabilities, tf.float32)
    number = randomness.uniform(stream)
    if kind == "sampled":
        return structures.pure(member(randomness.categorical(number, probabilities)))
    drawn = systematic_slots(number, slices, probabilities)
    return structures.Mixture(
        tuple(map(member, tf.unstack(drawn, slices))),
        tf.fill([slices], tf.constant(1 / slices, probabilities.dtype)),
        sliced=True,
    )
