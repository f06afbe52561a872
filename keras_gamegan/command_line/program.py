"""Runs the command that was meant, and says what its errors look like."""

import importlib
import sys
import warnings
from typing import Any

import tensorflow as tf

from keras_gamegan import version
from keras_gamegan.command_line import options, usage

_MENDABLE = (ImportError, OSError, RuntimeError, TypeError, ValueError)


def main(arguments: list[str] | None = None) -> int:
    """Runs `kgg` and returns its exit status.

    Errors that a user can mend are one sentence on standard error, and status 1, or 2
    for a command line that makes no sense.

    Args:
        arguments: Without the program's name. Default: None, those of the process.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    answered = usage.answer(arguments, version.__version__)
    if answered is not None:
        return answered
    name, *rest = arguments
    command = importlib.import_module(f"keras_gamegan.command_line.{name}")
    before, warnings.formatwarning = warnings.formatwarning, _sentence
    try:
        command.run(rest)
    except options.UsageError as error:
        return usage.fail(f"kgg {name}", str(error), 2)
    except (*_MENDABLE, tf.errors.OpError) as error:
        return usage.fail(f"kgg {name}", _told(error), 1)
    except KeyboardInterrupt as error:
        return usage.fail(f"kgg {name}", str(error) or "Interrupted.", 130)
    finally:
        warnings.formatwarning = before
    return 0


def _told(error: Exception) -> str:
    """Returns what an error says; of the system's own, what to do about it."""
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    return (
        f"{str(error.filename)!r} cannot be read or written: {error.strerror}. Name "
        "another path, or change its permissions."
    )


def _sentence(message: Warning | str, *_: Any, **__: Any) -> str:
    """Returns a warning as the sentence that it is, without the line of code."""
    return f"kgg: {message}\n"
