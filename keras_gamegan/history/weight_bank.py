"""A bank of historical models of one network, as non-trainable variables."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan import stateless_network, validation, variable_store
from keras_gamegan.distribution import replicas, workers
from keras_gamegan.games import bookkeeping, randomness, structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.history import intervals, storage
from keras_gamegan.history.settings import History

MIXTURES = bookkeeping.MIXTURES
_KEY = "members"


class WeightBank(variable_store.VariableStore):
    """Keeps `capacity` models of a network, the live one among them.

    For every weight and every piece of state of the network there is one variable with
    a leading axis of length `capacity`; a frozen weight, in which the models do not
    differ, is read from the network itself. One slot, the head, follows the live model:
    `record` writes it every step. Every `interval` steps, or at `push`, the head is
    frozen and the live model moves on to the slot that the retention rule gives up.
    Cost and memory do not depend on how long the history is.

    "full" answers the exact mean over all members, computed in a loop over them. One
    batched computation over the stacked weights (`tf.vectorized_map`) was measured
    against it: no faster for fully connected networks, up to twice as slow for
    convolutional ones; `python benchmarks/full_mixture.py` repeats the comparison.

    Args:
        network: A built Keras model, or a `StatelessNetwork` of one.
        history: A `History`; or its capacity, for `History(capacity, **options)`.
            Default: None, `History(**options)`.
        mixture: "sampled", one member a step; "sliced", some members a step, each for
            a slice of the batch; or "full", all. Default: "sampled".
        seed: Integer seed of retention and of the draws. Default: 0.
        name: Layer name.
        **options: Arguments of `History`, where none is given.

    Raises:
        TypeError: If a number is not one, or options stand beside a `History`.
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> bank = kgg.WeightBank(network, kgg.History(3, retention="fifo"))
        >>> for _ in range(5):
        ...     bank.push()
        >>> bank.size, bank.capacity
        (3, 3)
    """

    def __init__(
        self,
        network: keras.Model | stateless_network.StatelessNetwork,
        history: History | int | None = None,
        *,
        mixture: str = "sampled",
        seed: int = 0,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name)
        self.settings = settings = _settings(history, options)
        self.mixture_kind = validation.check_choice("mixture", mixture, MIXTURES)
        if settings.dtype == "bfloat16" and workers.is_multi_worker_scope():
            raise ValueError(
                "TensorFlow cannot send bfloat16 variables from worker to worker. "
                "Received: History(dtype='bfloat16') on "
                "several workers. Use dtype='float16' there."
            )
        self._interval = intervals.get(settings.interval)
        self._seed = validation.check_seed("seed", seed)
        if not isinstance(network, stateless_network.StatelessNetwork):
            network = stateless_network.StatelessNetwork(network)
        self._network = network
        self.refresh()
        per_slot = (self.capacity,)
        self._ordinals, self._steps, self._head, self._clock = (
            self.keep(key, shape, "int64")
            for key, shape in (
                ("ordinals", per_slot),
                ("steps", per_slot),
                ("head", ()),
                ("clock", ()),
            )
        )
        # Last, and only where needed: files of banks without it stay as they are.
        self._assigned = None
        if settings.weights == "nash":
            self._assigned = self.keep("probabilities", per_slot, "float64")
            self._assigned.assign(tf.one_hot(0, self.capacity, dtype=tf.float64))
        self._assign_slots(bookkeeping.initial_slots(self.capacity))
        self.built = True

    def refresh(self) -> None:
        """Begins to keep weights that have become trainable, or that are new.

        Until now all models had the value that the network has.
        """
        fixed = {id(variable) for variable in self._network.fixed_variables()}
        moving = [v for v in self._network.stored_variables if id(v) not in fixed]
        self._check_memory(moving)
        for variable in moving:
            self._stack(variable)

    def _check_memory(self, variables: Sequence[keras.Variable]) -> None:
        """Raises if the models do not fit into memory, before any of it is taken."""
        dtypes = (
            storage.storage_dtype(v.dtype, self.settings.dtype) for v in variables
        )
        size = sum(
            math.prod(variable.shape) * tf.as_dtype(dtype).size
            for variable, dtype in zip(variables, dtypes, strict=True)
        )
        validation.check_memory(
            f"a bank of capacity={self.capacity} models",
            self.capacity * size,
            "Lower the capacity, or store in half the width: History(dtype='float16').",
        )

    def _stack(self, variable: keras.Variable) -> keras.Variable:
        """Returns the variable's history, made if there is none."""
        stack = self.kept(_KEY, variable)
        if stack is None:
            stack = self.keep(
                _KEY,
                (self.capacity, *variable.shape),
                storage.storage_dtype(variable.dtype, self.settings.dtype),
                self._network,
                variable,
            )
            # An empty slot is never played, but in a full mixture its loss, times 0,
            # must be a number.
            storage.fill(stack, tf.convert_to_tensor(variable))
        return stack

    def make_room(self, key: str, place: int) -> None:
        """Makes the history of a weight that is frozen here, but not in a file."""
        variables = self._network.stored_variables
        if key == _KEY and place < len(variables):
            self._stack(variables[place])

    def file_layout(self) -> list[keras.Variable]:
        """Returns the variables in the order of the files of version 0.1."""
        stacks = [self._stack(variable) for variable in self._network.variables]
        rest = [self._ordinals, self._steps, self._head, self._clock]
        return stacks + rest + ([] if self._assigned is None else [self._assigned])

    @property
    def capacity(self) -> int:
        """Number of slots, an int."""
        return self.settings.capacity

    @property
    def size(self) -> int:
        """Number of models held, an int from 1 to `capacity`."""
        return int(np.sum(tf.convert_to_tensor(self._ordinals).numpy() >= 0))

    @property
    def member_steps(self) -> np.ndarray:
        """Training step of each member's weights, oldest first: int64 array (size,)."""
        return tf.convert_to_tensor(self._steps).numpy()[self._order()]

    @property
    def member_probabilities(self) -> np.ndarray:
        """Probability of each member in the mixture, oldest first: array (size,)."""
        return self.probabilities(tf.float64).numpy()[self._order()]

    @property
    def member_weights(self) -> list[list[np.ndarray]]:
        """Weights of each member, oldest first: list of lists of NumPy arrays.

        The arrays of a member are in the order of the network's `get_weights()`, ready
        for `set_weights`. The last member is the live model as last recorded.
        """
        members = [self._network.unpack(self.member(slot)) for slot in self._order()]
        return [
            [member[id(variable)].numpy() for variable in self._network.model.weights]
            for member in members
        ]

    def slots(self) -> bookkeeping.Slots:
        """Returns the book-keeping as `games.bookkeeping.Slots` of tensors."""
        return bookkeeping.Slots(
            *(
                tf.convert_to_tensor(variable)
                for variable in (self._ordinals, self._steps, self._head, self._clock)
            )
        )

    def probabilities(self, dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Returns the probability of each slot's model: tensor (capacity,)."""
        if self._assigned is not None:
            return tf.cast(tf.convert_to_tensor(self._assigned), dtype)
        return bookkeeping.probabilities(
            self.slots(),
            self.settings.current_weight,
            dtype,
            self.settings.fading,
        )

    def assign_probabilities(self, probabilities: ArrayLike) -> None:
        """Sets the members' probabilities, of a bank with `weights="nash"`.

        They hold until the next call. A model that is pushed meanwhile gets the mean
        probability 1 / size, the others are scaled to the rest, and a model that gives
        way loses its own.

        Args:
            probabilities: Array (size,) of numbers >= 0 that sum to 1, oldest member
                first, the live model last.

        Raises:
            ValueError: If the array is not that, or the bank's weights are not "nash".

        Example:
            >>> import keras, keras_gamegan as kgg
            >>> network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> bank = kgg.WeightBank(network, 3, retention="fifo", weights="nash")
            >>> bank.push()
            >>> bank.assign_probabilities([0.75, 0.25])
            >>> bank.push()
            >>> [round(float(each), 3) for each in bank.member_probabilities]
            [0.5, 0.167, 0.333]
        """
        if self._assigned is None:
            raise ValueError(
                "Only a bank with weights='nash' takes probabilities. Received: a bank "
                f"with weights={self.settings.weights!r}. Build it with "
                "kgg.History(weights='nash')."
            )
        order = self._order()
        given = storage.check_probabilities(probabilities, len(order))
        by_slot = np.zeros(self.capacity)
        by_slot[order] = given
        self._assigned.assign(by_slot)

    def member(self, slot: int | tf.Tensor) -> Player:
        """Returns the `Player` in a slot, in the dtype of the network."""
        return self._network.pack(
            {
                id(variable): self._row(variable, slot)
                for variable in self._network.variables
            }
        )

    def _row(self, variable: keras.Variable, slot: int | tf.Tensor) -> tf.Tensor:
        """Returns what the model in a slot, or each of several, has of a variable."""
        stack = self.kept(_KEY, variable)
        if stack is not None:
            return tf.cast(replicas.read_row(stack, slot), variable.dtype)
        value, slot = tf.convert_to_tensor(variable), tf.convert_to_tensor(slot)
        if slot.shape.rank == 0:
            return value
        return tf.repeat(value[tf.newaxis], tf.size(slot), axis=0)

    def mixture(self, current: Player) -> Mixture:
        """Returns the `Mixture` of the members, the live one being ``current``.

        "sampled": the one member drawn for this step; "sliced": a systematic sample of
        `slices` members, each for its slice of the batch; "full": all of them with
        their probabilities, empty slots with probability 0.
        """
        if self.capacity == 1:
            return structures.pure(current)
        slots = self.slots()
        probabilities = self.probabilities()

        def fresh(slot: tf.Tensor) -> Player:
            is_live = tf.equal(slot, slots.head)
            if replicas.num_replicas() == 1 and self.mixture_kind != "full":
                # Half of all draws are the live model: nothing is read or copied.
                return tf.cond(is_live, lambda: current, lambda: self.member(slot))
            return tf.nest.map_structure(
                lambda live, stored: tf.where(is_live, live, stored),
                current,
                self.member(slot),
            )

        stream = self._stream(randomness.Purpose.OPPONENT, slots.clock)
        return bookkeeping.mixture_of(
            fresh, probabilities, self.mixture_kind, stream, self.settings.slices
        )

    def record(self, player: Player) -> "WeightBank":
        """Stores the live model after a training step; returns the bank itself."""
        clock = tf.convert_to_tensor(self._clock)
        due = tf.logical_and(clock > 0, self._interval.is_due(clock))
        self._move(due, player)
        return self

    def push(self) -> None:
        """Freezes the live model's current weights as a member.

        Call it between steps, for instance from a callback, where the regular interval
        is not what you want. Under a strategy call it outside of replicas, as a
        callback is.
        """
        live = self._network.player()
        self._write(tf.convert_to_tensor(self._head), live)
        self._move(True, live, tick=0)

    def _move(self, push: bool | tf.Tensor, player: Player, tick: int = 1) -> None:
        """Lets the live model move on if ``push``, and writes it to the head."""
        slots = self.slots()
        number = bookkeeping.retention_number(self._seed, slots)
        moved = bookkeeping.record_step(
            slots, self.settings.retention, push, number, tick=tick
        )
        if self._assigned is not None:
            assigned = tf.convert_to_tensor(self._assigned)
            self._assigned.assign(
                bookkeeping.carried_probabilities(slots, moved, assigned)
            )
        self._assign_slots(moved)
        self._write(moved.head, player)

    def _stream(self, purpose: randomness.Purpose, clock: tf.Tensor) -> tf.Tensor:
        return randomness.fold(randomness.root(self._seed), purpose, clock)

    def _order(self) -> np.ndarray:
        """Returns the filled slots, oldest model first."""
        ordinals = tf.convert_to_tensor(self._ordinals).numpy()
        filled = np.flatnonzero(ordinals >= 0)
        return filled[np.argsort(ordinals[filled])]

    def _write(self, slot: tf.Tensor, player: Player) -> None:
        values = self._network.unpack(player)
        for variable in self._network.variables:
            stack = self.kept(_KEY, variable)
            if stack is not None:
                # A scalar index takes the row as it is, without an axis to be added.
                value = storage.stored(values[id(variable)], stack.dtype)
                stack.value.scatter_update(tf.IndexedSlices(value, slot))

    def _assign_slots(self, slots: bookkeeping.Slots) -> None:
        variables = (self._ordinals, self._steps, self._head, self._clock)
        for variable, value in zip(variables, slots, strict=True):
            variable.assign(value)


def _settings(history: History | int | None, options: dict[str, Any]) -> History:
    """Returns the `History` that the arguments of a bank say."""
    if history is None:
        return History(**options)
    if not isinstance(history, History):
        return History(history, **options)
    if options:
        raise TypeError(
            "A History says all of itself. Received: a History and "
            f"{', '.join(f'{name}=' for name in options)}. Make the History with it."
        )
    return history
