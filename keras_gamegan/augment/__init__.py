"""Augmentation of what the discriminator sees, real and generated alike."""

from keras_gamegan.augment.adaptive import Adaptive as Adaptive
from keras_gamegan.augment.augmentation import Augmentation as Augmentation
from keras_gamegan.augment.diff_augment import DiffAugment as DiffAugment
from keras_gamegan.augment.layer import LayerAugmentation as LayerAugmentation
from keras_gamegan.augment.lookup import get as get

__all__ = ["Adaptive", "Augmentation", "DiffAugment", "LayerAugmentation", "get"]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
