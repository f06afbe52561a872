"""Pairs of a discriminator and a generator, as Keras functional models."""

from keras_gamegan.networks.conditional import conditional as conditional
from keras_gamegan.networks.dcgan import dcgan_pair as dcgan_pair
from keras_gamegan.networks.mlp import mlp_pair as mlp_pair
from keras_gamegan.networks.modern import modern_pair as modern_pair
from keras_gamegan.networks.residual import residual_pair as residual_pair
from keras_gamegan.networks.spectral import (
    SpectralNormalization as SpectralNormalization,
)

__all__ = [
    "SpectralNormalization",
    "conditional",
    "dcgan_pair",
    "mlp_pair",
    "modern_pair",
    "residual_pair",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
