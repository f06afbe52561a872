"""Data to train on: synthetic points, and images through TensorFlow Datasets."""

from keras_gamegan.datasets.images import load_arrays as load_arrays
from keras_gamegan.datasets.images import load_images as load_images
from keras_gamegan.datasets.mixtures import GaussianMixture as GaussianMixture
from keras_gamegan.datasets.mixtures import gaussian_grid as gaussian_grid
from keras_gamegan.datasets.mixtures import gaussian_ring as gaussian_ring
from keras_gamegan.datasets.stream import ShuffledStream as ShuffledStream
from keras_gamegan.datasets.swiss_roll import SwissRoll as SwissRoll
from keras_gamegan.datasets.swiss_roll import swiss_roll as swiss_roll

__all__ = [
    "GaussianMixture",
    "ShuffledStream",
    "SwissRoll",
    "gaussian_grid",
    "gaussian_ring",
    "load_arrays",
    "load_images",
    "swiss_roll",
]
