"""Stops training when the game has stopped improving."""

from typing import Any

import keras

from keras_gamegan.callbacks import metric_early_stopping


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GapEarlyStopping(metric_early_stopping.MetricEarlyStopping):
    """Stops when the monitored gap has not improved for `patience` epochs.

    Put it after `DualityGapMonitor` in the list of callbacks, and before `Checkpoint`,
    which keeps its state. It is `MetricEarlyStopping` of the gap.

    Args:
        monitor: Log to watch; smaller is better. Default: "val_duality_gap".
            "val_minimax" watches the generator alone.
        patience: Epochs without improvement before the run is stopped, >= 1.
            Default: 5.
        min_delta: Smallest change that counts as improvement, >= 0. Default: 0.
        smoothing: Weight of the past in an exponential average of the log, in [0, 1).
            Default: 0, no smoothing.
        restore_best_weights: Whether to end with the best weights. Default: True.
        **kwargs: `baseline`, `start_from_epoch`, `verbose` of `MetricEarlyStopping`.

    Raises:
        ValueError: If a number is out of range, or the log does not exist.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.callbacks.GapEarlyStopping(patience=3).monitor
        'val_duality_gap'
    """

    def __init__(
        self,
        monitor: str = "val_duality_gap",
        patience: int = 5,
        min_delta: float = 0.0,
        smoothing: float = 0.0,
        restore_best_weights: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            monitor,
            "min",
            patience,
            min_delta,
            smoothing,
            restore_best_weights,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as a dictionary."""
        config = super().get_config()
        del config["mode"]
        return config
