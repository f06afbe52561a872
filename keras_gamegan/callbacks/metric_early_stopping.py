"""Stops training when what is measured has stopped improving."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.callbacks import messages
from keras_gamegan.typing import Config, Logs


@keras.saving.register_keras_serializable(package="keras_gamegan")
class MetricEarlyStopping(keras.callbacks.Callback):
    """Stops when a log has not improved for `patience` epochs; returns to the best.

    For GANs, where Keras' own `EarlyStopping` does not do: the best weights are those
    of the two networks and of the moving average (histories are left alone), a
    `Checkpoint` keeps them, so a resumed run goes on waiting where it was and one that
    was stopped stays stopped, and a noisy log can be smoothed. Put it after the
    callback that writes the log, and before `Checkpoint`.

    Args:
        monitor: Log to watch, such as a metric of `Evaluate`: "frechet_distance".
        mode: "min" if smaller is better, "max" if larger is. Default: "min".
        patience: Epochs without improvement before the run is stopped, >= 1.
            Default: 5.
        min_delta: Smallest change that counts as improvement, >= 0. Default: 0.
        smoothing: Weight of the past in an exponential average of the log, in [0, 1).
            Default: 0, no smoothing.
        restore_best_weights: Whether to end with the best weights. Default: True.
        baseline: Value to be better than: until then improvements do not restart the
            waiting. Default: None.
        start_from_epoch: Epochs to let pass before anything counts, >= 0. Default: 0.
        verbose: 1 says why the run was stopped; 0 says nothing. Default: 1.

    Attributes:
        stopped_epoch: Epoch at which the run was stopped, or None.
        best: Best smoothed value so far.
        best_epoch: Its epoch, counted from 0.
        wait: Epochs without improvement.

    Raises:
        ValueError: If a number is out of range, or the log does not exist.

    Example:
        >>> import keras_gamegan as kgg
        >>> stop = kgg.callbacks.MetricEarlyStopping("coverage", mode="max")
        >>> stop.patience, stop.best
        (5, -inf)
    """

    # It may restore weights.
    on_all_workers = True

    def __init__(
        self,
        monitor: str,
        mode: str = "min",
        patience: int = 5,
        min_delta: float = 0.0,
        smoothing: float = 0.0,
        restore_best_weights: bool = True,
        *,
        baseline: float | None = None,
        start_from_epoch: int = 0,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str):
            raise TypeError(
                "`monitor` must be the name of a log. Received: "
                f"monitor={monitor!r} (of type {type(monitor).__name__}). Pass the "
                'name as `fit` prints it, such as "frechet_distance".'
            )
        self.monitor = monitor
        self.mode = validation.check_choice("mode", mode, ("min", "max"))
        self.patience = validation.check_integer("patience", patience)
        self.min_delta = validation.check_number("min_delta", min_delta)
        self.smoothing = validation.check_number("smoothing", smoothing, 0.0, 1.0)
        if self.smoothing == 1.0:
            raise ValueError("`smoothing` must be below 1. Received: smoothing=1.0.")
        self.restore_best_weights = bool(restore_best_weights)
        if baseline is not None:
            baseline = validation.check_number("baseline", baseline, -math.inf)
        self.baseline = baseline
        self.start_from_epoch = validation.check_integer(
            "start_from_epoch", start_from_epoch, 0
        )
        self.verbose = messages.check_verbose(verbose)
        self._restored = False
        self._reset()

    @property
    def has_stopped(self) -> bool:
        """Whether the run was stopped, so that resuming it has nothing to do."""
        stopped = self.stopped_epoch is not None and self.wait >= self.patience
        return self._restored and stopped

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: dictionary of numbers and arrays."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
            "smoothed": self._smoothed,
            "best_weights": self._best_weights,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned; called before training begins."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.wait, self.stopped_epoch = state["wait"], state["stopped_epoch"]
        self._smoothed = state["smoothed"]
        self._best_weights = state["best_weights"]
        self._restored = True

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        if not self._restored:
            self._reset()
        elif not self.has_stopped:
            # It was, but more patience is asked for now.
            self.stopped_epoch = None
        self._restored = False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        logs = logs or {}
        if self.monitor not in logs:
            raise ValueError(
                f"`monitor` must be one of the logs. Received: {self.monitor!r}, but "
                f"there are only {sorted(logs)}. Put the callback that writes it "
                f"(Evaluate, DualityGapMonitor) before {type(self).__name__} in the "
                "list of callbacks."
            )
        value = float(logs[self.monitor])
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if not math.isfinite(value):
            warnings.warn(
                f"{self.monitor} is not finite at epoch {epoch + 1}; it counts as no "
                "improvement.",
                UserWarning,
                stacklevel=2,
            )
        else:
            old = value if self._smoothed is None else self._smoothed
            self._smoothed = self.smoothing * old + (1.0 - self.smoothing) * value
            if self._is_better(self._smoothed, self.best):
                self._improve(epoch)
                return
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        restored = self._best_weights is not None
        if restored:
            for variable, value in zip(
                self._variables(), self._best_weights, strict=True
            ):
                variable.assign(value)
            self._best_weights = None
        if self.verbose and self.stopped_epoch is not None:
            messages.say(self, self._reason(restored))

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "monitor": self.monitor,
            "mode": self.mode,
            "patience": self.patience,
            "min_delta": self.min_delta,
            "smoothing": self.smoothing,
            "restore_best_weights": self.restore_best_weights,
            "baseline": self.baseline,
            "start_from_epoch": self.start_from_epoch,
            "verbose": self.verbose,
        }

    @classmethod
    def from_config(cls, config: Config) -> "MetricEarlyStopping":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _reset(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.best_epoch = 0
        self.wait = 0
        self.stopped_epoch = None
        self._smoothed = None
        self._best_weights = None

    def _is_better(self, value: float, than: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        return sign * value < sign * than - self.min_delta

    def _improve(self, epoch: int) -> None:
        self.best, self.best_epoch = self._smoothed, epoch
        if self.baseline is None or self._is_better(self.best, self.baseline):
            self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
        if self.restore_best_weights:
            self._best_weights = [
                tf.convert_to_tensor(v).numpy() for v in self._variables()
            ]

    def _reason(self, restored: bool) -> str:
        what = self.monitor if not self.smoothing else f"the smoothed {self.monitor}"
        last = "no number" if self._smoothed is None else f"{self._smoothed:.4f}"
        text = f"Stopped after epoch {self.stopped_epoch + 1}: {what} has not "
        if math.isinf(self.best):
            return f"{text}been finite for {self.patience} epoch(s)."
        if self.baseline is not None and not self._is_better(self.best, self.baseline):
            side = "below" if self.mode == "min" else "above"
            text += f"come {side} the baseline {self.baseline:.4f} "
            text += f"in {self.wait} epoch(s); "
        else:
            text += f"improved by more than {self.min_delta:g} "
            text += f"for {self.wait} epoch(s); "
        text += f"it is {last}, the best was {self.best:.4f} "
        text += f"at epoch {self.best_epoch + 1}."
        if restored:
            text += " That epoch's weights are back; stored histories are as they were."
        return text

    def _variables(self) -> list[keras.Variable]:
        model = self.model
        found = [*model.maximizer.weights, *model.minimizer.weights]
        average = getattr(model, "generator_average", None)
        if average is not None:
            found += average.weights
        return found
