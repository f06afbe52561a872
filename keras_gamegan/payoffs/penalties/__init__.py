"""Penalties of the discriminator's slope, their sums and schedules."""

from keras_gamegan.payoffs.penalties.lookup import Sum as Sum
from keras_gamegan.payoffs.penalties.lookup import get as get
from keras_gamegan.payoffs.penalties.penalty import Penalty as Penalty
from keras_gamegan.payoffs.penalties.scheduled import Scheduled as Scheduled
from keras_gamegan.payoffs.penalties.slopes import R1 as R1
from keras_gamegan.payoffs.penalties.slopes import R2 as R2
from keras_gamegan.payoffs.penalties.slopes import GradientPenalty as GradientPenalty
from keras_gamegan.payoffs.penalties.slopes import (
    squared_input_gradient as squared_input_gradient,
)

__all__ = [
    "R1",
    "R2",
    "GradientPenalty",
    "Penalty",
    "Scheduled",
    "Sum",
    "get",
    "squared_input_gradient",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
