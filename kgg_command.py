"""The console command `kgg`; it loads TensorFlow only for a command that needs it."""

import importlib.util
import os
import pathlib
import sys
from typing import Any


def main() -> None:
    """Runs the command."""
    usage, version = _module("command_line/usage.py"), _module("version.py")
    status = usage.answer(sys.argv[1:], version.__version__)
    if status is None:
        # Before TensorFlow is loaded.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            from keras_gamegan import command_line
        except KeyboardInterrupt:
            # Nothing has begun.
            sys.exit(130)
        status = command_line.main()
    sys.exit(status)


def _module(path: str) -> Any:
    """Returns a module of the package by its file: the package loads TensorFlow."""
    package = importlib.util.find_spec("keras_gamegan")
    place = pathlib.Path(package.origin).parent / path
    spec = importlib.util.spec_from_file_location(place.stem, place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
