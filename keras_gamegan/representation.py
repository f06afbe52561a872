"""Short representations: a class and its arguments that are not the defaults."""

import inspect
from typing import Any


def short(made: Any, arguments: dict[str, Any] | None = None) -> str:
    """Returns how an object would be made, without arguments that have their default.

    Args:
        made: Object with a `get_config`, or with the arguments given.
        arguments: Its arguments. Default: what `get_config` returns.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.History(capacity=7)
        History(capacity=7)
        >>> kgg.penalties.R1()
        R1()
    """
    parameters = inspect.signature(type(made)).parameters
    arguments = made.get_config() if arguments is None else arguments
    named = [
        f"{name}={_shown(value)}"
        for name, value in arguments.items()
        if name not in parameters or repr(parameters[name].default) != repr(value)
    ]
    return f"{type(made).__name__}({', '.join(named)})"


def _shown(value: Any) -> str:
    """Returns an argument as text; Keras' schedules have none of their own."""
    bare = type(value).__repr__ is object.__repr__ and hasattr(value, "get_config")
    return short(value) if bare else repr(value)
