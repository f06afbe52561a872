"""A player's history: which slot holds what, and the mixture it stands for."""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan.games import randomness, retention, structures


class Slots(NamedTuple):
    """The book-keeping of a bank, without the models themselves.

    Attributes:
        ordinals: int64 (capacity,), number of the push each model entered at, -1 where
            a slot is empty.
        steps: int64 (capacity,), training step of each model's weights, -1 if empty.
        head: int64 scalar, the slot of the live model.
        clock: int64 scalar, steps recorded so far.
    """

    ordinals: Any
    steps: Any
    head: Any
    clock: Any


def initial_slots(capacity):
    """Returns the slots of a bank that holds only the live model."""
    first = tf.one_hot(0, capacity, on_value=0, off_value=-1, dtype=tf.int64)
    zero = tf.zeros((), tf.int64)
    return Slots(first, first, zero, zero)


def record_step(slots, rule, push, uniform_number, tick=1):
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


def is_due(clock, interval):
    """Returns whether the step after ``clock`` steps begins with a push."""
    return tf.logical_and(clock > 0, tf.equal(clock % interval, 0))


def probabilities(slots, current_weight=None, dtype=tf.float32):
    """Returns the probability with which each slot's model is played.

    Args:
        slots: `Slots`.
        current_weight: Probability of the live model once there are others, in
            [0, 1]; the others share the rest equally. None: all models equally.
        dtype: Dtype of the result.

    Returns:
        Tensor (capacity,) that sums to 1, zero on empty slots.
    """
    filled = tf.cast(slots.ordinals >= 0, dtype)
    number = tf.reduce_sum(filled)
    if current_weight is None:
        return filled / number
    is_head = tf.one_hot(slots.head, tf.size(slots.ordinals), dtype=dtype)
    weight = tf.where(
        number > 1, structures.number(current_weight, dtype), tf.ones((), dtype)
    )
    others = (filled - is_head) / tf.maximum(number - 1, 1)
    return weight * is_head + (1 - weight) * others


class TensorHistory:
    """A history of players kept as immutable tensors, for closed-form games.

    Args:
        player: The `Player` whose history begins.
        capacity: Number of slots, the live model's included, >= 1.
        interval: Steps between pushes, >= 1.
        retention: A rule's name or a `retention.Retention`.
        current_weight: As in `probabilities`.
        mixture: "full", the mean over all stored models; "sampled", one of them drawn
            at every step.
        seed: Integer.
    """

    def __init__(
        self,
        player,
        capacity,
        *,
        interval=1,
        retention_rule="geometric",
        current_weight=None,
        mixture="full",
        seed=0,
    ):
        self.capacity = capacity
        self.interval = interval
        self.rule = retention.get(retention_rule)
        self.current_weight = current_weight
        self.kind = mixture
        self.seed = seed
        self.slots = initial_slots(capacity)
        self.members = tf.nest.map_structure(
            lambda leaf: tf.repeat(leaf[tf.newaxis], capacity, axis=0), player.weights
        )

    def tensors(self):
        """Returns all that changes from step to step, as one structure of tensors."""
        return self.slots, self.members

    def with_tensors(self, tensors):
        """Returns the same history with other contents."""
        copy = object.__new__(TensorHistory)
        copy.__dict__.update(self.__dict__)
        copy.slots, copy.members = tensors
        return copy

    def member(self, index):
        """Returns the `Player` in a slot."""
        return structures.Player(
            tf.nest.map_structure(lambda leaf: tf.gather(leaf, index), self.members)
        )

    def average(self):
        """Returns the mean of the stored weights under the mixture's probabilities."""
        share = probabilities(self.slots, self.current_weight, tf.float64)
        return tf.nest.map_structure(
            lambda leaf: tf.tensordot(tf.cast(share, leaf.dtype), leaf, axes=1),
            self.members,
        )

    def mixture(self, current):
        """Returns the `Mixture` of stored models, the live one being ``current``."""
        if self.capacity == 1:
            return structures.pure(current)
        fresh = self._written(self.slots.head, current)
        share = probabilities(self.slots, self.current_weight, tf.float64)
        if self.kind == "full":
            return structures.Mixture(
                tuple(fresh.member(index) for index in range(self.capacity)), share
            )
        stream = randomness.fold(
            randomness.root(self.seed), randomness.Purpose.OPPONENT, self.slots.clock
        )
        index = randomness.categorical(
            randomness.uniform(stream, (), share.dtype), share
        )
        return structures.pure(fresh.member(index))

    def record(self, player):
        """Returns the history one step later, with ``player`` at its head."""
        stream = randomness.fold(
            randomness.root(self.seed), randomness.Purpose.RETENTION, self.slots.clock
        )
        slots = record_step(
            self.slots,
            self.rule,
            is_due(self.slots.clock, self.interval),
            randomness.uniform(stream),
        )
        return self._written(slots.head, player).with_slots(slots)

    def with_slots(self, slots):
        """Returns the same models under other book-keeping."""
        return self.with_tensors((slots, self.members))

    def _written(self, slot, player):
        members = tf.nest.map_structure(
            lambda leaf, new: tf.tensor_scatter_nd_update(
                leaf, [[slot]], new[tf.newaxis]
            ),
            self.members,
            player.weights,
        )
        return self.with_tensors((self.slots, members))
