"""The arguments of Keras' `fit` and `evaluate`, checked before anything runs.

Keras itself finds out late, when callbacks have been called, or never.
"""

from typing import Any

import keras

from keras_gamegan import validation

_VERBOSE = ("auto", 0, 1, 2)
# Integers, by the smallest that may be given; None is left to Keras.
_INTEGERS = {
    "batch_size": 1,
    "steps_per_epoch": 1,
    "validation_steps": 1,
    "validation_batch_size": 1,
    "steps": 1,
}
_OF_FIT = (
    "batch_size",
    "validation_data",
    "validation_split",
    "shuffle",
    "class_weight",
    "sample_weight",
    "initial_epoch",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
)


def check_fit(epochs: Any, verbose: Any, arguments: dict) -> None:
    """Raises unless the arguments of `fit` that are no data can be meant.

    Args:
        epochs: As in `fit`.
        verbose: As in `fit`.
        arguments: Further arguments of Keras' `fit`.

    Raises:
        TypeError: If one is of the wrong type, or none of `fit`'s.
        ValueError: If one is out of range.
    """
    unknown = [name for name in arguments if name not in _OF_FIT]
    if unknown:
        raise TypeError(
            f"fit() of a GAN takes x, y, epochs, verbose, callbacks, "
            f"{', '.join(_OF_FIT)}. Received: "
            f"{', '.join(f'{name}=' for name in unknown)}. Check the spelling."
        )
    validation.check_integer("epochs", epochs, 0, "Pass the number of the last epoch.")
    validation.check_integer("initial_epoch", arguments.get("initial_epoch", 0), 0)
    frequency = arguments.get("validation_freq", 1)
    if not isinstance(frequency, (list, tuple, set)):
        validation.check_integer(
            "validation_freq", frequency, 1, "Or pass a list of epochs."
        )
    split = arguments.get("validation_split")
    if split is not None:
        validation.check_number("validation_split", split, 0.0, 1.0)
    validation.check_flag("shuffle", arguments.get("shuffle", True))
    check(verbose, arguments)


def check_evaluate(arguments: dict) -> None:
    """Raises unless the arguments of `evaluate` that are no data can be meant.

    Args:
        arguments: Dictionary of them, by name.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If one is out of range, or weighs examples.
    """
    if arguments.get("sample_weight") is not None:
        raise ValueError(
            "A GAN takes no weights of examples. Received: sample_weight=... in "
            "evaluate(). Evaluate a resampled data set instead."
        )
    validation.check_flag("return_dict", arguments.get("return_dict", False))
    check(arguments.get("verbose", "auto"), arguments)
    # `fit` hands its own list on, to be called during validation.
    if not isinstance(arguments.get("callbacks"), keras.callbacks.CallbackList):
        as_callbacks(arguments.get("callbacks"))


def check(verbose: Any, arguments: dict) -> None:
    """Raises unless what `fit` and `evaluate` have in common can be meant."""
    if not isinstance(verbose, (str, int)) or verbose not in _VERBOSE:
        raise ValueError(
            '`verbose` must be "auto", 0 (silent), 1 (a bar) or 2 (a line an epoch). '
            f"Received: verbose={verbose!r}."
        )
    for name, minimum in _INTEGERS.items():
        if arguments.get(name) is not None:
            validation.check_integer(name, arguments[name], minimum)


def as_callbacks(callbacks: Any) -> list:
    """Returns what `callbacks` got as a list of Keras callbacks.

    Raises:
        TypeError: If something else is among them.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        raise TypeError(
            "`callbacks` must be a list of Keras callbacks. Received: a CallbackList. "
            "Pass the list itself; Keras' own (History, progress bar) are added."
        )
    if not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    found = [callback for callback in callbacks if callback is not None]
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            hint = "Make an object of it: add ()." if isinstance(callback, type) else ""
            raise TypeError(
                "`callbacks` must be a list of Keras callbacks. Received: "
                f"{callback!r} (of type {type(callback).__name__}). "
                f"{hint or 'Derive it from keras.callbacks.Callback.'}"
            )
    return found
