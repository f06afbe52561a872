"""Sampling a trained model, and exporting what samples it."""

from keras_gamegan.sampling.sampler import SOURCES as SOURCES
from keras_gamegan.sampling.sampler import Sampler as Sampler
