"""Measures of a whole model: its duality gap."""

from keras_gamegan.measuring.gan_gap import GapEstimate as GapEstimate
from keras_gamegan.measuring.gan_gap import GapEstimator as GapEstimator
from keras_gamegan.measuring.gan_gap import duality_gap as duality_gap

__all__ = [
    "GapEstimate",
    "GapEstimator",
    "duality_gap",
]
