"""Variables that a model keeps beside its networks, each under a key of its own."""

from typing import Any

import keras
import numpy as np

from keras_gamegan.stateless_network import StatelessNetwork

# Under several replicas all hold the same: the first one's value is the value.
_AGGREGATION = "only_first_replica"


class VariableStore(keras.layers.Layer):
    """Base of what is kept between steps: averages, histories, worst players.

    What belongs to a weight of a network is known by that weight, not by its place in
    a list: freezing or unfreezing a layer reorders lists, and leaves the pairs. In a
    file its key is the weight's place in `StatelessNetwork.stored_variables`, which
    freezing leaves too.

    Args:
        name: Layer name.
    """

    def __init__(self, name: str | None) -> None:
        super().__init__(name=name, trainable=False, dtype="float32")
        # In an object that Keras does not look into: it would walk the pairs.
        self._table = _Table()

    def keep(
        self,
        key: str,
        shape: tuple,
        dtype: str,
        network: Any = None,
        weight: keras.Variable | None = None,
    ) -> keras.Variable:
        """Makes a variable of zeros, known by its key, or by key and weight.

        Args:
            key: What it is, the beginning of its name.
            shape: Shape.
            dtype: Name of the dtype.
            network: `StatelessNetwork` that the weight belongs to, or None.
            weight: Keras variable that it belongs to, or None.
        """
        name = key if weight is None else f"{key}_{_place(network, weight)}"
        variable = self.add_weight(
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            name=name,
            aggregation=_AGGREGATION,
        )
        if not hasattr(type(self), name):
            # tf.train.Checkpoint finds variables in attributes alone.
            setattr(self, name, variable)
        self._table.add(_Entry(key, network, weight, variable))
        return variable

    def kept(self, key: str, weight: keras.Variable | None = None) -> Any:
        """Returns the variable of a key, or of key and weight; None without one."""
        return self._table.find(key, weight)

    def file_layout(self) -> list[keras.Variable]:
        """Returns the variables in the order of the files of version 0.1."""
        return self._table.variables()

    def make_room(self, key: str, place: int) -> None:
        """Makes a variable that a file has and this object has not, if it may have it.

        What was made for a weight stays when the weight is frozen, and is not made anew
        in a model that is built frozen.

        Args:
            key: What it is.
            place: Place of the weight that it belongs to.
        """

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables to a file; called by Keras."""
        for key, variable in self._table.by_key().items():
            store[key] = variable

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables from a file, all or none; called by Keras."""
        keys = set(store.keys())
        if keys and all(key.isdecimal() for key in keys):
            layout = self.file_layout()
            mine = {str(place): variable for place, variable in enumerate(layout)}
        else:
            for key in sorted(keys - set(self._table.by_key())):
                name, _, place = key.rpartition("_")
                if name and place.isdecimal():
                    self.make_room(name, int(place))
            mine = self._table.by_key()
        arrays = {key: np.asarray(store[key]) for key in keys & set(mine)}
        wrong = sorted(keys ^ set(mine)) + [
            key
            for key, array in arrays.items()
            if array.shape != tuple(mine[key].shape)
        ]
        if wrong:
            raise ValueError(
                f"What a file keeps as {self.name!r} must fit the networks and "
                "settings of the model that reads it. Received: a file that differs in "
                f"{', '.join(wrong[:5])}{', ...' if len(wrong) > 5 else ''}. Build the "
                "same networks with the same layers frozen, and the same history or "
                "best response."
            )
        for key, array in arrays.items():
            mine[key].assign(array)


class _Entry:
    """A kept variable and what it belongs to."""

    def __init__(
        self,
        key: str,
        network: Any,
        weight: keras.Variable | None,
        variable: keras.Variable,
    ) -> None:
        self.key, self.network, self.weight = key, network, weight
        self.variable = variable


class _Table:
    """Kept variables by what they belong to."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int | None], _Entry] = {}

    def add(self, entry: _Entry) -> None:
        weight = None if entry.weight is None else id(entry.weight)
        self._entries[entry.key, weight] = entry

    def find(self, key: str, weight: keras.Variable | None) -> keras.Variable | None:
        entry = self._entries.get((key, None if weight is None else id(weight)))
        return None if entry is None else entry.variable

    def variables(self) -> list[keras.Variable]:
        return [entry.variable for entry in self._entries.values()]

    def by_key(self) -> dict[str, keras.Variable]:
        places: dict[int, dict[int, int]] = {}
        found = {}
        for entry in self._entries.values():
            key = entry.key
            if entry.weight is not None:
                network = id(entry.network)
                if network not in places:
                    places[network] = _places(entry.network)
                key = f"{key}_{places[network][id(entry.weight)]}"
            found[key] = entry.variable
        return found


def _places(network: StatelessNetwork) -> dict[int, int]:
    return {id(v): place for place, v in enumerate(network.stored_variables)}


def _place(network: StatelessNetwork, weight: keras.Variable) -> int:
    return _places(network)[id(weight)]
