"""Stops training when the game has stopped improving."""

import math
import warnings

import keras
import tensorflow as tf

from keras_gamegan import validation


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GapEarlyStopping(keras.callbacks.Callback):
    """Stops when the monitored gap has not improved for `patience` epochs.

    Put it after `DualityGapMonitor` in the list of callbacks. The players' best weights
    are the two networks' and the moving average's; histories are left alone.

    Args:
        monitor: Log to watch; smaller is better. Default: "val_duality_gap".
            "val_minimax" watches the generator alone.
        patience: Epochs without improvement before the run is stopped, >= 1.
            Default: 5.
        min_delta: Smallest change that counts as improvement, >= 0. Default: 0.
        smoothing: Weight of the past in an exponential average of the log, in [0, 1).
            Default: 0, no smoothing.
        restore_best_weights: Whether to end with the best weights. Default: True.

    Attributes:
        stopped_epoch: Epoch at which the run was stopped, or None.
        best: Best smoothed value so far.

    Raises:
        ValueError: If a number is out of range, or the log does not exist.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.callbacks.GapEarlyStopping(patience=3).monitor
        'val_duality_gap'
    """

    def __init__(
        self,
        monitor="val_duality_gap",
        patience=5,
        min_delta=0.0,
        smoothing=0.0,
        restore_best_weights=True,
    ):
        super().__init__()
        self.monitor = monitor
        self.patience = validation.check_integer("patience", patience)
        self.min_delta = validation.check_number("min_delta", min_delta)
        self.smoothing = validation.check_number("smoothing", smoothing, 0.0, 1.0)
        if self.smoothing == 1.0:
            raise ValueError("`smoothing` must be below 1. Received: smoothing=1.0.")
        self.restore_best_weights = bool(restore_best_weights)

    def on_train_begin(self, logs=None):
        """Prepares for a run; called by Keras."""
        self.best = math.inf
        self.best_epoch = 0
        self.stopped_epoch = None
        self._smoothed = None
        self._best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        if self.monitor not in (logs or {}):
            raise ValueError(
                f"`monitor` must be one of the logs. Received: {self.monitor!r}, but "
                f"there are only {sorted(logs or {})}. Put DualityGapMonitor before "
                "GapEarlyStopping in the list of callbacks."
            )
        value = float(logs[self.monitor])
        old = value if self._smoothed is None else self._smoothed
        self._smoothed = self.smoothing * old + (1.0 - self.smoothing) * value
        if not math.isfinite(value):
            warnings.warn(
                f"{self.monitor} is not finite at epoch {epoch + 1}; it counts as no "
                "improvement.",
                UserWarning,
                stacklevel=2,
            )
        if self._smoothed < self.best - self.min_delta:
            self.best, self.best_epoch = self._smoothed, epoch
            if self.restore_best_weights:
                self._best_weights = [
                    tf.convert_to_tensor(v).numpy() for v in self._variables()
                ]
        elif epoch - self.best_epoch >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Ends a run; called by Keras."""
        if self._best_weights is not None:
            for variable, value in zip(
                self._variables(), self._best_weights, strict=True
            ):
                variable.assign(value)
            self._best_weights = None

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {
            "monitor": self.monitor,
            "patience": self.patience,
            "min_delta": self.min_delta,
            "smoothing": self.smoothing,
            "restore_best_weights": self.restore_best_weights,
        }

    @classmethod
    def from_config(cls, config):
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _variables(self):
        model = self.model
        found = [*model.discriminator.weights, *model.generator.weights]
        if model.generator_average is not None:
            found += model.generator_average.weights
        return found
