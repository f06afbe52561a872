"""Differentiable augmentation with fixed strength."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.augment import augmentation, geometry

# Uniform numbers that each policy takes.
_DRAWS = {"color": 3, "translation": 2, "cutout": 2}
_SHIFT = 1 / 8
_HOLE = 1 / 2


@keras.saving.register_keras_serializable(package="keras_gamegan")
class DiffAugment(augmentation.Augmentation):
    r"""Random colour, translation and cutout on everything the discriminator sees.

    With U uniform on [0, 1), and images x in any range about 0, such as [-1, 1]:

    *   "color": brightness x + U - 1/2; saturation 2U times the distance from the
        pixel's mean over channels; contrast U + 1/2 times that from the image's mean.
    *   "translation": by up to an eighth of each side, zeros coming in.
    *   "cutout": a rectangle of half of each side becomes 0, its centre anywhere.

    For data sets of some hundred to some thousand images, where a discriminator would
    learn them by heart.

    Args:
        policy: Policies, with commas, applied in this order. Default: all three.

    Raises:
        TypeError: If it is not a string.
        ValueError: If there is no such policy; at the GAN, if data are no images.

    Example:
        >>> import keras_gamegan as kgg
        >>> pair = kgg.networks.dcgan_pair((16, 16, 3), 4, base_filters=2)
        >>> gan = kgg.GAN(*pair, augment=kgg.augment.DiffAugment("translation,cutout"))
        >>> gan.augment.policy
        'translation,cutout'

    References:
        S. Zhao, Z. Liu, J. Lin, J.-Y. Zhu, S. Han: "Differentiable Augmentation for
        Data-Efficient GAN Training", 2020.
    """

    def __init__(self, policy: str = "color,translation,cutout", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(policy, str):
            raise TypeError(
                f"`policy` must be a string. Received: policy={policy!r} (of type "
                f"{type(policy).__name__})."
            )
        parts = [part.strip() for part in policy.split(",")]
        for part in parts:
            if part not in _DRAWS:
                raise ValueError(
                    f"`policy` must be some of {', '.join(_DRAWS)}, with commas. "
                    f"Received: policy={policy!r}."
                )
        self.policy = ",".join(parts)
        self.num_draws = sum(_DRAWS[part] for part in parts)

    def augment(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns the images changed."""
        start = 0
        for part in self.policy.split(","):
            draws = uniform[:, start : start + _DRAWS[part]]
            images = getattr(self, f"_{part}")(images, draws)
            start += _DRAWS[part]
        return images

    def _color(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        brightness, saturation, contrast = (
            draws[:, index, None, None, None] for index in range(3)
        )
        images = images + (brightness - 0.5)
        mean = tf.reduce_mean(images, axis=3, keepdims=True)
        images = (images - mean) * (2.0 * saturation) + mean
        mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
        return (images - mean) * (contrast + 0.5) + mean

    def _translation(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        shifts = []
        for axis, size in enumerate(images.shape[1:3]):
            most = int(size * _SHIFT + 0.5)
            shifts.append(_whole(draws[:, axis], 2 * most + 1) - most)
        return geometry.translate(images, *shifts)

    def _cutout(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        sizes = [int(size * _HOLE + 0.5) for size in images.shape[1:3]]
        places = [
            # The centre is any pixel, or one beyond where the hole's side is odd.
            _whole(draws[:, axis], size + 1 - hole % 2) - hole // 2
            for axis, (size, hole) in enumerate(
                zip(images.shape[1:3], sizes, strict=True)
            )
        ]
        return geometry.cut_out(images, places[0], places[1], (sizes[0], sizes[1]))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "policy": self.policy}


def _whole(uniform: tf.Tensor, number: int) -> tf.Tensor:
    """Returns whole numbers from 0 to number - 1."""
    drawn = tf.cast(tf.cast(uniform, tf.float32) * number, tf.int32)
    return tf.minimum(drawn, number - 1)
