"""What callbacks say on the screen."""

import keras

from keras_gamegan.distribution import workers


def say(callback: keras.callbacks.Callback, message: str) -> None:
    """Prints a message on a line of its own; of several workers the chief does.

    Args:
        callback: A Keras callback; a progress bar of its `fit` is left with its line.
        message: One line.
    """
    if not workers.is_chief(callback.model.distribute_strategy):
        return
    in_a_bar = (callback.params or {}).get("verbose") in (1, "auto")
    print(f"\n{message}" if in_a_bar else message, flush=True)


def check_verbose(verbose: int) -> int:
    """Returns ``verbose`` as an int, or raises unless it is 0 or 1."""
    if verbose not in (0, 1):
        raise ValueError(f"`verbose` must be 0 or 1. Received: verbose={verbose!r}.")
    return int(verbose)


def check_samples(callback: keras.callbacks.Callback) -> None:
    """Raises unless a callback's model is one that can be sampled: a GAN.

    Raises:
        TypeError: If it is another model of two players, or a model of Keras.
    """
    if hasattr(callback.model, "sample"):
        return
    name = type(callback).__name__
    raise TypeError(
        f"kgg.callbacks.{name} looks at what a GAN samples. Received: a "
        f"{type(callback.model).__name__}. Leave it out; kgg.callbacks.Checkpoint and "
        "DualityGapMonitor work on every model of two players."
    )
