"""What other callbacks know, kept in a checkpoint.

A callback takes part if it has `get_state()`, which returns a dictionary of JSON
values, NumPy arrays and lists of arrays, and `set_state(state)`, called before
`on_train_begin`, which must then leave what was set.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np


def stateful(
    callbacks: Iterable[keras.callbacks.Callback],
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that take part, in order."""
    return [
        callback
        for callback in callbacks
        if hasattr(callback, "get_state") and hasattr(callback, "set_state")
    ]


def check_order(
    callbacks: Sequence[keras.callbacks.Callback], checkpoint: keras.callbacks.Callback
) -> None:
    """Raises if a callback whose state is saved acts after the checkpoint does.

    Raises:
        ValueError: If so.
    """
    places = [callback is checkpoint for callback in callbacks]
    if True not in places:
        return
    late = stateful(callbacks[places.index(True) :])
    if late:
        names = ", ".join(type(callback).__name__ for callback in late)
        raise ValueError(
            "Checkpoint must come after the callbacks whose state it saves, or a "
            f"resumed run forgets what they did last. Received: {names} after it. Put "
            "Checkpoint last in the list of callbacks."
        )


def pack(
    callbacks: Iterable[keras.callbacks.Callback],
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Returns the callbacks' states as (JSON values, dictionary of arrays)."""
    described, arrays = [], {}
    for index, callback in enumerate(stateful(callbacks)):
        plain = {}
        for name, value in callback.get_state().items():
            if isinstance(value, np.ndarray):
                arrays[f"{index}/{name}"] = _portable(value)
            elif isinstance(value, list) and any(
                isinstance(item, np.ndarray) for item in value
            ):
                plain[name] = {"arrays": len(value)}
                for number, item in enumerate(value):
                    arrays[f"{index}/{name}/{number}"] = _portable(item)
            else:
                plain[name] = {"value": value}
        described.append({"class": type(callback).__name__, "state": plain})
    return described, arrays


def unpack(
    described: Iterable[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]
) -> list[tuple[str, dict[str, Any]]]:
    """Returns the states that `pack` took: a list of (name of the class, state).

    Raises:
        LookupError, ValueError: If arrays and description do not fit.
    """
    states = []
    for index, saved in enumerate(described):
        state = {}
        for field, content in saved["state"].items():
            if "value" in content:
                state[field] = content["value"]
            else:
                state[field] = [
                    arrays[f"{index}/{field}/{number}"]
                    for number in range(content["arrays"])
                ]
        states.append((saved["class"], state))
    for key, array in arrays.items():
        owner, field, *rest = key.split("/")
        if not rest:
            states[int(owner)][1][field] = array
    return states


def restore(
    callbacks: Iterable[keras.callbacks.Callback],
    states: Iterable[tuple[str, dict[str, Any]]],
) -> None:
    """Gives the callbacks back what `unpack` returned.

    The n-th callback of a class gets the state of the n-th of that class; one that has
    none starts afresh.
    """
    left = list(states)
    for callback in stateful(callbacks):
        name = type(callback).__name__
        found = next(
            (index for index, each in enumerate(left) if each[0] == name), None
        )
        if found is not None:
            callback.set_state(left.pop(found)[1])


def _portable(array: np.ndarray) -> np.ndarray:
    # NumPy's files know no bfloat16; float32 holds its numbers exactly.
    return array if array.dtype.isbuiltin == 1 else array.astype("float32")
