"""Augmentation layers within a discriminator, which act for one player only."""

import warnings
from typing import Any

import keras

from keras_gamegan.models import layer_tree

# Keras' layers for images that do the same in training and in inference mode.
_ALWAYS = tuple(
    getattr(keras.layers, name)
    for name in (
        "AutoContrast",
        "CenterCrop",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "MaxNumBoundingBoxes",
        "Resizing",
    )
    if hasattr(keras.layers, name)
)


def warn(discriminator: Any, stacklevel: int) -> None:
    """Warns if a discriminator augments, since a frozen one then does not.

    A frozen opponent is a fixed function, in inference mode, in which Keras' layers do
    nothing. So the discriminator would learn on augmented data, and the generator play
    against one that sees its data as it is.

    Args:
        discriminator: Keras model.
        stacklevel: Of the caller, as `warnings.warn` counts.
    """
    found = [
        f"{layer.name!r} ({type(layer).__name__})"
        for layer in layer_tree.layers_of(discriminator)
        if augments(layer)
    ]
    if not found:
        return
    warnings.warn(
        "The discriminator should augment real and generated data alike, in both "
        f"players' steps. Received: a discriminator with {', '.join(found)}, which "
        "acts in training mode only, hence in the discriminator's own step: a frozen "
        "opponent runs in inference mode. Take it out and "
        "pass it as GAN(..., augment=layer), or one of kgg.augment.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def augments(layer: Any) -> bool:
    """Returns whether a layer changes images in training mode only.

    Keras' layers for images, and those derived from them, are known by their method
    `get_random_transformation`.
    """
    return hasattr(layer, "get_random_transformation") and not isinstance(
        layer, _ALWAYS
    )
