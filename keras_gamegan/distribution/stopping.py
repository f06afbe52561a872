"""Stopping early on several workers: all of them, at the same step."""

import keras

from keras_gamegan.distribution import workers
from keras_gamegan.typing import Logs

# Steps of an epoch between two exchanges: 10 ms for one is 0.1 ms a step.
STEPS_BETWEEN = 100
# A callback of one worker may take its time at the end of an epoch: saving, measuring.
_SECONDS = 3600.0
_GO_ON, _STOP = "go on", "stop"


class StopTogether(keras.callbacks.Callback):
    """Stops all workers once a callback has set `stop_training` on one of them.

    A worker that stops alone leaves the others waiting in the middle of a step. So the
    wish is held back until all workers know it: at the next multiple of
    `STEPS_BETWEEN` steps of an epoch, or at its end. The last callback of `fit`, on
    every worker or on none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted = False

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        self._wanted = False

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        if self.model.stop_training:
            self._wanted = True
            self.model.stop_training = False
        if (batch + 1) % STEPS_BETWEEN == 0:
            self._agree(f"step {batch + 1} of the epoch")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        self._wanted = self._wanted or self.model.stop_training
        self._agree(f"the end of epoch {epoch + 1}")

    def _agree(self, moment: str) -> None:
        texts = workers.all_texts(
            self.model.distribute_strategy,
            _STOP if self._wanted else _GO_ON,
            moment,
            _SECONDS,
        )
        self._wanted = _STOP in texts
        self.model.stop_training = self._wanted
