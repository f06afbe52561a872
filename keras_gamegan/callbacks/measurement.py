"""What the callbacks share that measure something during `fit` and log it."""

import time
from collections.abc import Mapping
from typing import Any

import keras

from keras_gamegan.callbacks import schedule
from keras_gamegan.typing import Logs


class Measurement(keras.callbacks.Callback):
    """A callback that measures when it is due and adds the figures to the logs.

    An epoch's logs get the last figures, a step's logs those measured at that step.
    `Checkpoint`, which must come after it, keeps the last figures: a resumed run logs
    what the uninterrupted one would have.

    Subclasses write `_prepare` and `_measure`.

    Args:
        every: "epoch", or a number of train steps.
        from_first_epoch: Whether the first epoch's end is measured if nothing was
            before, so that the logs are complete. Default: True.

    Attributes:
        seconds: Seconds spent measuring since the beginning of `fit`.
    """

    def __init__(self, every: str | int, from_first_epoch: bool = True) -> None:
        super().__init__()
        self.schedule = schedule.Schedule(every)
        self.seconds = 0.0
        self._from_first_epoch = from_first_epoch
        self._began: float | None = None
        self._ended: float | None = None
        self._figures: dict[str, float] | None = None
        self._restored = False

    @property
    def cost(self) -> float:
        """Fraction of the time since the beginning of `fit` spent measuring."""
        if self._began is None:
            return 0.0
        now = time.perf_counter() if self._ended is None else self._ended
        return self.seconds / (now - self._began)

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: the last figures."""
        return {"figures": self._figures}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned."""
        self._figures = state["figures"]
        self._restored = True

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        if not self._restored:
            self._figures = None
        self._restored = False
        self._began, self._ended = time.perf_counter(), None
        self._prepare()
        self.schedule.start(self.model.num_steps)
        self.seconds = time.perf_counter() - self._began

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        if self.schedule.due_after_batch(self.model.num_steps):
            self._take()
            self._add_to(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        missing = self._from_first_epoch and self._figures is None
        if self.schedule.due_after_epoch() or missing:
            self._take()
        self._add_to(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        self._ended = time.perf_counter()

    def _prepare(self) -> None:
        """Checks and compiles what a measurement needs; `fit` begins."""
        raise NotImplementedError

    def _measure(self) -> dict[str, float]:
        """Returns {name of the log: figure} of the model as it is now."""
        raise NotImplementedError

    def _take(self) -> None:
        began = time.perf_counter()
        self._figures = self._measure()
        self.seconds += time.perf_counter() - began

    def _add_to(self, logs: Logs) -> None:
        if logs is not None and self._figures is not None:
            logs.update(self._figures)
