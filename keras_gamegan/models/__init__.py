"""The models: GANs under `model.fit`."""

from keras_gamegan.models.duality_gap_gan import DualityGapGAN as DualityGapGAN
from keras_gamegan.models.fictitious_gan import FictitiousGAN as FictitiousGAN
from keras_gamegan.models.gan import GAN as GAN
from keras_gamegan.models.step.guard import NonFiniteError as NonFiniteError
from keras_gamegan.models.two_player_model import TwoPlayerModel as TwoPlayerModel

__all__ = [
    "GAN",
    "DualityGapGAN",
    "FictitiousGAN",
    "NonFiniteError",
    "TwoPlayerModel",
]
