"""Which command was meant, and what its errors look like."""

import difflib
import importlib
import sys
import warnings
from typing import Any

import tensorflow as tf

from keras_gamegan import version
from keras_gamegan.command_line import options

_MENDABLE = (ImportError, OSError, RuntimeError, TypeError, ValueError)
# Name -> what it does; each has a module here with `run(arguments)`.
COMMANDS = {
    "train": "train a GAN on a folder of images, a .npz file or a TFDS data set",
    "sample": "write images of a trained run",
    "evaluate": "measure a trained run",
    "report": "write one page that compares runs",
    "serve": "serve a trained run over HTTP",
    "demo": "train the three trainers on a toy and write a page",
}


def main(arguments: list[str] | None = None) -> int:
    """Runs `kgg` and returns its exit status.

    Errors that a user can mend are one sentence on standard error, and status 1, or 2
    for a command line that makes no sense.

    Args:
        arguments: Without the program's name. Default: None, those of the process.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments[0] in ("--help", "-h", "help", "--helpfull"):
        print(_help())
        return 0
    if arguments[0] in ("--version", "version"):
        print(f"keras_gamegan {version.__version__}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean kgg {close[0]}?" if close else ""
        return _fail("kgg", f"There is no command {name!r}.{hint} See kgg --help.", 2)
    command = importlib.import_module(f"keras_gamegan.command_line.{name}")
    before, warnings.formatwarning = warnings.formatwarning, _sentence
    try:
        command.run(rest)
    except options.UsageError as error:
        return _fail(f"kgg {name}", str(error), 2)
    except (*_MENDABLE, tf.errors.OpError) as error:
        return _fail(f"kgg {name}", str(error), 1)
    except KeyboardInterrupt as error:
        return _fail(f"kgg {name}", str(error) or "Interrupted.", 130)
    finally:
        warnings.formatwarning = before
    return 0


def _sentence(message: Warning | str, *_: Any, **__: Any) -> str:
    """Returns a warning as the sentence that it is, without the line of code."""
    return f"kgg: {message}\n"


def _fail(name: str, message: str, status: int) -> int:
    print(f"{name}: {message}", file=sys.stderr)
    return status


def _help() -> str:
    lines = [f"  {name:9} {about}" for name, about in COMMANDS.items()]
    return "\n".join(
        [
            "usage: kgg COMMAND [arguments]",
            "",
            *lines,
            "",
            "kgg COMMAND --help says more; the first one to try:",
            "  kgg train my_pngs --output_dir=runs/mine",
        ]
    )
