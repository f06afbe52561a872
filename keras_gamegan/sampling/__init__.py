"""Sampling a trained model, and exporting what samples it."""

from keras_gamegan.sampling.methods import SamplingMethods as SamplingMethods
from keras_gamegan.sampling.sampler import SOURCES as SOURCES
from keras_gamegan.sampling.sampler import Sampler as Sampler

__all__ = [
    "SOURCES",
    "Sampler",
    "SamplingMethods",
]
