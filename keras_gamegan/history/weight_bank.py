"""A bank of historical models of one network, as non-trainable variables."""

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import stateless, validation
from keras_gamegan.games import history, randomness, structures
from keras_gamegan.games import retention as retention_rules

_KINDS = ("sampled", "full")


class WeightBank(keras.layers.Layer):
    """Keeps `capacity` models of a network, the live one among them.

    For every weight and every piece of state of the network there is one variable with
    a leading axis of length `capacity`. One slot, the head, follows the live model:
    `record` writes it every step. Every `interval` steps, or at `push`, the head is
    frozen and the live model moves on to the slot that the retention rule gives up.
    Cost and memory do not depend on how long the history is.

    Args:
        network: A built Keras model, or a `StatelessNetwork` of one.
        capacity: Number of slots, >= 1.
        interval: Steps between snapshots, >= 1. Default: 100.
        retention: Rule's name or `Retention`. Default: "geometric".
        current_weight: Probability of the live model in the mixture, or None for all
            equally. Default: 0.5.
        mixture: "sampled", one member a step, or "full", all. Default: "sampled".
        seed: Integer seed of retention and of the draws. Default: 0.
        name: Layer name.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> bank = kgg.WeightBank(network, capacity=3, retention="fifo")
        >>> for _ in range(5):
        ...     bank.push()
        >>> bank.size, bank.capacity
        (3, 3)
    """

    def __init__(
        self,
        network,
        capacity,
        *,
        interval=100,
        retention="geometric",
        current_weight=0.5,
        mixture="sampled",
        seed=0,
        name=None,
    ):
        super().__init__(name=name, trainable=False, dtype="float32")
        self.capacity = validation.check_integer("capacity", capacity)
        self.interval = validation.check_integer("interval", interval)
        self.retention = retention_rules.get(retention)
        self.mixture_kind = validation.check_choice("mixture", mixture, _KINDS)
        self.current_weight = current_weight
        if current_weight is not None:
            self.current_weight = validation.check_number(
                "current_weight", current_weight, 0.0, 1.0, hint="None: all equally."
            )
        self._seed = validation.check_integer("seed", seed, 0)
        self._network = network = stateless.StatelessNetwork(network)
        self._members = [
            self.add_weight(
                shape=(self.capacity, *variable.shape),
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
                name=f"members_{index}",
                aggregation="only_first_replica",
            )
            for index, variable in enumerate(network.variables)
        ]
        self._ordinals, self._steps = (
            self._add_counter(field, (self.capacity,))
            for field in ("ordinals", "steps")
        )
        self._head, self._clock = (
            self._add_counter(field, ()) for field in ("head", "clock")
        )
        self._assign_slots(history.initial_slots(self.capacity))
        # An empty slot is never played, but in a full mixture its loss, times 0, must
        # be a number.
        for stack, variable in zip(self._members, network.variables, strict=True):
            value = tf.convert_to_tensor(variable)
            stack.assign(tf.repeat(value[tf.newaxis], self.capacity, axis=0))
        self.built = True

    @property
    def size(self):
        """Number of models held, an int from 1 to `capacity`."""
        return int(np.sum(tf.convert_to_tensor(self._ordinals).numpy() >= 0))

    @property
    def member_steps(self):
        """Training step of each member's weights, oldest first: int64 array (size,)."""
        return tf.convert_to_tensor(self._steps).numpy()[self._order()]

    @property
    def member_probabilities(self):
        """Probability of each member in the mixture, oldest first: array (size,)."""
        share = history.probabilities(self.slots(), self.current_weight, tf.float64)
        return share.numpy()[self._order()]

    @property
    def member_weights(self):
        """Weights of each member, oldest first: list of lists of NumPy arrays.

        The arrays of a member are in the order of the network's `get_weights()`, ready
        for `set_weights`. The last member is the live model as last recorded.
        """
        order = self._order()
        stacks = {
            id(variable): tf.convert_to_tensor(stack).numpy()
            for variable, stack in zip(
                self._network.variables, self._members, strict=True
            )
        }
        return [
            [
                np.array(stacks[id(variable)][slot])
                for variable in self._network.model.weights
            ]
            for slot in order
        ]

    def slots(self):
        """Returns the book-keeping as `games.history.Slots` of tensors."""
        return history.Slots(
            *(
                tf.convert_to_tensor(variable)
                for variable in (self._ordinals, self._steps, self._head, self._clock)
            )
        )

    def member(self, slot):
        """Returns the `Player` in a slot; ``slot`` is an int or an integer tensor."""
        values = [
            tf.gather(tf.convert_to_tensor(stack), slot) for stack in self._members
        ]
        number = len(self._network.weight_variables)
        return structures.Player(values[:number], values[number:])

    def mixture(self, current):
        """Returns the `Mixture` of the members, the live one being ``current``.

        "sampled": the one member drawn for this step; "full": all of them with their
        probabilities, empty slots with probability 0.
        """
        if self.capacity == 1:
            return structures.pure(current)
        slots = self.slots()
        share = history.probabilities(slots, self.current_weight)

        def fresh(slot):
            return tf.nest.map_structure(
                lambda live, stored: tf.where(tf.equal(slot, slots.head), live, stored),
                current,
                self.member(slot),
            )

        if self.mixture_kind == "full":
            slot_numbers = [
                tf.constant(slot, tf.int64) for slot in range(self.capacity)
            ]
            return structures.Mixture(
                tuple(fresh(slot) for slot in slot_numbers), share
            )
        number = randomness.uniform(
            self._stream(randomness.Purpose.OPPONENT, slots.clock)
        )
        return structures.pure(fresh(randomness.categorical(number, share)))

    def record(self, player):
        """Stores the live model after a training step; returns the bank itself."""
        slots = self.slots()
        moved = history.record_step(
            slots,
            self.retention,
            history.is_due(slots.clock, self.interval),
            self._retention_number(slots),
        )
        self._assign_slots(moved)
        self._write(moved.head, player.weights + player.state)
        return self

    def push(self):
        """Freezes the live model's current weights as a member.

        Call it between steps, for instance from a callback, where the regular interval
        is not what you want.
        """
        live = self._network.player()
        self._write(tf.convert_to_tensor(self._head), live.weights + live.state)
        slots = self.slots()
        moved = history.record_step(
            slots, self.retention, True, self._retention_number(slots), tick=0
        )
        self._assign_slots(moved)
        self._write(moved.head, live.weights + live.state)

    def _retention_number(self, slots):
        # The ordinal tells two pushes of one step apart.
        count = tf.reduce_max(slots.ordinals)
        return randomness.uniform(
            randomness.fold(
                self._stream(randomness.Purpose.RETENTION, slots.clock), count
            )
        )

    def _stream(self, purpose, clock):
        return randomness.fold(randomness.root(self._seed), purpose, clock)

    def _order(self):
        """Returns the filled slots, oldest model first."""
        ordinals = tf.convert_to_tensor(self._ordinals).numpy()
        filled = np.flatnonzero(ordinals >= 0)
        return filled[np.argsort(ordinals[filled])]

    def _write(self, slot, values):
        for stack, value in zip(self._members, values, strict=True):
            stack.value.scatter_update(
                tf.IndexedSlices(value[tf.newaxis], tf.reshape(slot, [1]))
            )

    def _assign_slots(self, slots):
        variables = (self._ordinals, self._steps, self._head, self._clock)
        for variable, value in zip(variables, slots, strict=True):
            variable.assign(value)

    def _add_counter(self, name, shape):
        return self.add_weight(
            shape=shape,
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name=name,
            aggregation="only_first_replica",
        )
