"""Data to train on: synthetic points, and images through TensorFlow Datasets."""

from keras_gamegan.datasets.array_files import load_npz as load_npz
from keras_gamegan.datasets.folder import load_folder as load_folder
from keras_gamegan.datasets.images import load_arrays as load_arrays
from keras_gamegan.datasets.images import load_images as load_images
from keras_gamegan.datasets.mixtures import GaussianMixture as GaussianMixture
from keras_gamegan.datasets.mixtures import gaussian_grid as gaussian_grid
from keras_gamegan.datasets.mixtures import gaussian_ring as gaussian_ring
from keras_gamegan.datasets.pipelines import from_dataset as from_dataset
from keras_gamegan.datasets.sources import load as load
from keras_gamegan.datasets.stacked_mnist import stacked_mnist as stacked_mnist
from keras_gamegan.datasets.stream import ShuffledStream as ShuffledStream
from keras_gamegan.datasets.swiss_roll import SwissRoll as SwissRoll
from keras_gamegan.datasets.swiss_roll import swiss_roll as swiss_roll

__all__ = [
    "GaussianMixture",
    "ShuffledStream",
    "SwissRoll",
    "from_dataset",
    "gaussian_grid",
    "gaussian_ring",
    "load",
    "load_arrays",
    "load_folder",
    "load_images",
    "load_npz",
    "stacked_mnist",
    "swiss_roll",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
