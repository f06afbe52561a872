"""Which part of a run is done, over kills and resumes."""

from collections.abc import Mapping
from typing import Any

import keras


class RunProgress:
    """Counts the train steps of a run of known length.

    An epoch counts as one of `epochs`, whatever its length; within it, steps count
    where the length is known, which Keras may learn only from the first epoch.
    """

    def __init__(self) -> None:
        self._epochs = 1
        self._length: int | None = None
        self._epoch = 0
        self._epoch_step = 0
        self._resumed_epoch: int | None = None

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps."""
        return {
            "epoch": self._epoch,
            "epoch_step": self._epoch_step,
            "length": self._length,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned; `begin` must follow."""
        self._epoch, self._epoch_step = state["epoch"], state["epoch_step"]
        self._length = state["length"]
        self._resumed_epoch = self._epoch

    def begin(self, callback: keras.callbacks.Callback) -> None:
        """Begins a run, or goes on with one.

        Args:
            callback: The callback that owns this, at its `on_train_begin`.

        Raises:
            ValueError: If the run has one epoch, of unknown length.
        """
        self._epochs = callback.params["epochs"]
        length = callback.params.get("steps")
        if self._resumed_epoch is None or length is not None:
            self._length = length
        if self._epochs == 1 and self._length is None:
            raise ValueError(
                f"{type(callback).__name__} must know how long the run is. Received: "
                "one epoch of a data set of unknown length. Pass steps_per_epoch to "
                "fit(), or data.apply(tf.data.experimental.assert_cardinality(n))."
            )

    def begin_epoch(self, epoch: int, step: int) -> None:
        """Begins an epoch, or goes on inside it.

        Args:
            epoch: Its number, from 0.
            step: Train steps of the model so far.
        """
        if epoch != self._resumed_epoch:
            self._epoch, self._epoch_step = epoch, step
        self._resumed_epoch = None

    def end_epoch(self, step: int) -> None:
        """Ends an epoch, whose length is then known."""
        if self._length is None:
            self._length = step - self._epoch_step

    def fraction(self, step: int) -> float:
        """Returns the fraction of the run that is done, in [0, 1].

        Args:
            step: Train steps of the model so far.
        """
        done = 0.0
        if self._length:
            done = min((step - self._epoch_step) / self._length, 1.0)
        return min((self._epoch + done) / self._epochs, 1.0)
