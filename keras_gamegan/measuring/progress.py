"""A progress bar of a search that runs inside one compiled program."""

import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Steps between two looks at the bar: the program itself is not split.
_INTERVAL = 50
# A shorter search is over before anybody has read a bar.
_LONG = 100


def check(verbose: int | str) -> int | str:
    """Returns ``verbose``, or raises unless it is 0, 1 or "auto"."""
    if verbose not in (0, 1, "auto"):
        raise ValueError(
            '`verbose` must be 0, 1 or "auto" (a bar for long searches, where somebody '
            f"looks on). Received: verbose={verbose!r}."
        )
    return verbose


def is_shown(verbose: int | str, num_steps: int) -> bool:
    """Returns whether a search of so many steps has a bar."""
    if verbose == "auto":
        watched = sys.stdout.isatty() or "ipykernel" in sys.modules
        return watched and num_steps >= _LONG
    return bool(verbose) and num_steps > 0


class Bar:
    """Shows how far a search is.

    Args:
        num_steps: Steps of the search.
    """

    def __init__(self, num_steps: int) -> None:
        self._num_steps = num_steps
        self._bar: Any = None

    def start(self) -> None:
        """Begins a new line; called before every search."""
        self._bar = keras.utils.Progbar(self._num_steps, interval=0)

    def finish(self) -> None:
        """Completes the line."""
        self._bar.update(self._num_steps, finalize=True)

    def at(self, step: tf.Tensor) -> None:
        """Adds to the graph what moves the bar at every so many steps."""

        def show(step: np.ndarray) -> np.ndarray:
            self._bar.update(int(step), finalize=False)
            return step

        tf.cond(
            tf.equal(step % _INTERVAL, 0),
            lambda: tf.numpy_function(show, [step], tf.int32),
            lambda: tf.identity(step),
        )
