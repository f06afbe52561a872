"""Keras callbacks for training games."""

from keras_gamegan.callbacks.checkpoint import Checkpoint as Checkpoint
from keras_gamegan.callbacks.duality_gap_monitor import (
    DualityGapMonitor as DualityGapMonitor,
)
from keras_gamegan.callbacks.evaluate import Evaluate as Evaluate
from keras_gamegan.callbacks.failure_detector import (
    FailureDetector as FailureDetector,
)
from keras_gamegan.callbacks.gap_early_stopping import (
    GapEarlyStopping as GapEarlyStopping,
)
from keras_gamegan.callbacks.metric_early_stopping import (
    MetricEarlyStopping as MetricEarlyStopping,
)
from keras_gamegan.callbacks.nash_mixture import NashMixture as NashMixture
from keras_gamegan.callbacks.pace_control import PaceControl as PaceControl
from keras_gamegan.callbacks.sample_grid import SampleGrid as SampleGrid
from keras_gamegan.sampling.pictures import image_grid as image_grid

__all__ = [
    "Checkpoint",
    "DualityGapMonitor",
    "Evaluate",
    "FailureDetector",
    "GapEarlyStopping",
    "MetricEarlyStopping",
    "NashMixture",
    "PaceControl",
    "SampleGrid",
    "image_grid",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
