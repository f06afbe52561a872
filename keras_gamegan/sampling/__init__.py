"""Sampling a trained model, and exporting what samples it."""

from keras_gamegan.sampling.sampler import SOURCES as SOURCES
from keras_gamegan.sampling.sampler import Sampler as Sampler
from keras_gamegan.sampling.sampling_methods import SamplingMethods as SamplingMethods

__all__ = [
    "SOURCES",
    "Sampler",
    "SamplingMethods",
]
