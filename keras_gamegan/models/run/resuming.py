"""Takes up a run where a checkpoint left it: weights, epoch and place in the data."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_gamegan.datasets import arrays
from keras_gamegan.typing import Logs


class Stage(NamedTuple):
    """One call of Keras' `fit`.

    Attributes:
        x: Data.
        initial_epoch: First epoch.
        epochs: Epoch to stop before.
        steps_per_epoch: As in `fit`, or None.
    """

    x: Any
    initial_epoch: int
    epochs: int
    steps_per_epoch: int | None


def plan(
    model: Any,
    x: Any,
    callbacks: Any,
    epochs: int,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
) -> list[Stage]:
    """Restores the model if a callback can, and says how `fit` goes on from there.

    A callback can resume if it has a method `resume(model)` that restores the model and
    returns None or a position with `epoch`, `batch` (batches of that epoch already
    trained on) and `data_step` (batches of the data already used). If it has an
    attribute `companions`, it is told of all callbacks first, to restore their state
    too; a callback that then says `has_stopped` ends the run before it goes on. Data
    can be entered anywhere if it has a method `starting_at(step)`, as the data sets of
    this library.

    Keras takes the length of every epoch from the first, so a run that stopped inside
    an epoch goes on in two stages: the rest of that epoch, then the others.

    Args:
        model: The model.
        x: `datasets.arrays.ArrayBatches`, or what `fit` got.
        callbacks: List of callbacks.
        epochs: As in `fit`.
        initial_epoch: As in `fit`.
        steps_per_epoch: As in `fit`.

    Returns:
        List of `Stage`.

    Raises:
        ValueError: If the position is inside an epoch and the data cannot be entered
            there.
    """
    position: Any = None
    if any(hasattr(callback, "resume") for callback in callbacks):
        _warn_of_order(x)
    for callback in callbacks:
        if hasattr(callback, "companions"):
            callback.companions = tuple(callbacks)
        if hasattr(callback, "resume"):
            position = callback.resume(model)
        if position is not None:
            break
    done = 0 if position is None else position.data_step
    length = steps_per_epoch or getattr(x, "steps_per_epoch", None)
    whole = position is not None and not position.batch and steps_per_epoch is None
    if whole and length and done % length:
        # An epoch begins, in batches of another size than before.
        done = position.epoch * length
    if isinstance(x, arrays.ArrayBatches):
        x = x.from_step(model.num_steps - done, steps_per_epoch)
    if position is None:
        return [Stage(x, initial_epoch, epochs, steps_per_epoch)]
    seekable = hasattr(x, "starting_at")
    first = max(position.epoch, initial_epoch)
    if any(getattr(callback, "has_stopped", False) for callback in callbacks):
        return [Stage(x, first, first, steps_per_epoch)]
    if not position.batch or first >= epochs:
        x = x.starting_at(done) if seekable else x
        return [Stage(x, min(first, epochs), epochs, steps_per_epoch)]
    if not seekable or length is None:
        raise ValueError(
            "A run that stopped inside an epoch can only go on exactly with data that "
            "can be entered at any step and epochs of known length. Received: a "
            f"checkpoint at batch {position.batch} of epoch {position.epoch + 1}, and "
            "data without starting_at(step) or steps_per_epoch. Use kgg.datasets "
            '(load_images, ShuffledStream), or Checkpoint(every="epoch").'
        )
    left = length - position.batch
    stages = []
    if left > 0:
        rest = x.starting_at(position.data_step).take(left)
        rest = rest.apply(tf.data.experimental.assert_cardinality(left))
        stages.append(Stage(rest, first, first + 1, None))
    after = x.starting_at(position.data_step + left)
    stages.append(Stage(after, first + 1, epochs, steps_per_epoch))
    return stages


def _warn_of_order(x: Any) -> None:
    """Warns of data whose order a checkpoint cannot restore."""
    if isinstance(x, arrays.ArrayBatches) or hasattr(x, "starting_at"):
        return
    warnings.warn(
        "A resumed run goes on with the weights, optimizers, histories and logs of its "
        "checkpoint exactly, but cannot know where these data stood. Received: a "
        f"{type(x).__name__} without starting_at(step). It is the run that was "
        "interrupted only if every epoch yields the same batches; shuffled data start "
        "anew. Arrays and kgg.datasets go on exactly.",
        UserWarning,
        stacklevel=5,
    )


class ContinuedCallbacks(keras.callbacks.CallbackList):
    """One list of callbacks over several calls of `fit` that make up one training."""

    is_first = is_last = True

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        if self.is_first:
            super().on_train_begin(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        if self.is_last:
            super().on_train_end(logs)


def run(
    model: Any,
    keras_fit: Callable[..., Any],
    stages: list[Stage],
    callbacks: Any,
    epochs: int,
    arguments: dict[str, Any],
) -> Any:
    """Runs the stages as one training.

    Args:
        model: The model.
        keras_fit: `keras.Model.fit` of the model.
        stages: List of `Stage`.
        callbacks: List of callbacks.
        epochs: As in `fit`.
        arguments: Further arguments of Keras' `fit`, `verbose` among them.

    Returns:
        Keras' `History`.
    """
    if len(stages) > 1:
        callbacks = ContinuedCallbacks(
            callbacks,
            add_history=True,
            add_progbar=arguments["verbose"] != 0,
            verbose=arguments["verbose"],
            epochs=epochs,
            steps=stages[-1].steps_per_epoch or stages[-1].x.steps_per_epoch,
            model=model,
        )
    for index, stage in enumerate(stages):
        if len(stages) > 1:
            callbacks.is_first = index == 0
            callbacks.is_last = index == len(stages) - 1
        if index and model.stop_training:
            callbacks.is_last = True
            callbacks.on_train_end()
            break
        result = keras_fit(callbacks=callbacks, **stage._asdict(), **arguments)
    return result
