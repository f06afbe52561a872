"""The augmentation that an argument stands for."""

from typing import Any

import keras

from keras_gamegan.augment import augmentation, layer


def get(augment: Any) -> augmentation.Augmentation | None:
    """Returns the augmentation that an argument stands for.

    Args:
        augment: An `Augmentation`; None; or any Keras layer that maps a batch of data
            to one of the same shape, which is called with `training=True`: see
            `LayerAugmentation`.

    Raises:
        TypeError: If it is none of these.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> type(kgg.augment.get(keras.layers.RandomFlip())).__name__
        'LayerAugmentation'
    """
    if augment is None or isinstance(augment, augmentation.Augmentation):
        return augment
    if isinstance(augment, keras.layers.Layer):
        return layer.LayerAugmentation(augment)
    raise TypeError(
        "`augment` must be one of kgg.augment, such as "
        'kgg.augment.DiffAugment("color,translation,cutout"), a Keras layer, or None. '
        f"Received: augment={augment!r} (of type {type(augment).__name__})."
    )
