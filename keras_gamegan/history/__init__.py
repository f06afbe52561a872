"""The history of a network: a bank of weights and what it remembers."""

from keras_gamegan.history.intervals import GrowingInterval as GrowingInterval
from keras_gamegan.history.intervals import Interval as Interval
from keras_gamegan.history.settings import History as History
from keras_gamegan.history.weight_bank import MIXTURES as MIXTURES
from keras_gamegan.history.weight_bank import WeightBank as WeightBank

__all__ = [
    "MIXTURES",
    "GrowingInterval",
    "History",
    "Interval",
    "WeightBank",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
