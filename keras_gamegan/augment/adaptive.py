"""Adaptive discriminator augmentation: as much as the data need."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.augment import augmentation, geometry

# Steps over which the discriminator's answers are averaged.
_INTERVAL = 4


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Adaptive(augmentation.Augmentation):
    r"""Augments with a probability p that follows how far the discriminator overfits.

    Overfitting is measured by r = E sign(D(x)) over real images: 0 where D cannot tell
    them, 1 where it knows them all. Every four steps of batch size B,

    $$ p \leftarrow \mathrm{clip}\Bigl(p + \frac{4 B}{N}\,
       \mathrm{sign}(\bar r - target),\; 0,\; 1\Bigr), $$

    so p could go from 0 to 1 in N images. Each transformation of the pipeline is
    applied with probability p, those of place as one bilinear warp with mirrored
    borders: mirror, quarter turns, whole-pixel translation (1/8 of a side), scaling
    (2^n, n of standard deviation .2), rotation, stretching (.2), fractional
    translation (1/8); then brightness (.2), contrast (2^n, .5), inversion of luma, and
    of three channels hue and saturation (2^n, 1). As long as p is below about .8 they
    do not leak into what is generated, if mirrored and turned images are ones that the
    data could hold: where they are not, `DiffAugment` is the safer choice.

    p is a variable of the model: it is saved, resumed and the same on every replica,
    and logged as `augment_probability`.

    Args:
        target: r to hold, in (0, 1). Default: .6, the paper's.
        num_images: N, > 0. Default: 500,000, the paper's; for runs of less than some
            ten thousand steps take a tenth.
        initial: p to begin with, in [0, 1]. Default: 0.

    Raises:
        TypeError: If a number is not one.
        ValueError: If it is out of range; at the GAN, if data are no images of 1 or 3
            channels.

    Example:
        >>> import keras_gamegan as kgg
        >>> pair = kgg.networks.dcgan_pair((16, 16, 3), 4, base_filters=2)
        >>> gan = kgg.GAN(*pair, augment=kgg.augment.Adaptive(target=0.6))
        >>> float(gan.augment.probability)
        0.0

    References:
        T. Karras, M. Aittala, J. Hellsten, S. Laine, J. Lehtinen, T. Aila: "Training
        Generative Adversarial Networks with Limited Data", 2020.
    """

    num_draws = 28
    log_names = ("augment_probability",)

    def __init__(
        self,
        target: float = 0.6,
        num_images: float = 500_000,
        initial: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target = validation.check_number("target", target, 0.0, 1.0)
        self.num_images = validation.check_number("num_images", num_images, 1.0)
        self.initial = validation.check_number("initial", initial, 0.0, 1.0)
        self.probability = self._scalar("probability", self.initial)
        self._signs = self._scalar("signs", 0.0)

    def _scalar(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(value),
            trainable=False,
            name=name,
            aggregation="only_first_replica",
        )

    def check(self, shape: tuple) -> None:
        """Raises unless data of a shape are images, grey or in colour."""
        super().check(shape)
        if shape[-1] not in (1, 3):
            raise ValueError(
                "`augment=Adaptive()` takes images of 1 or 3 channels. Received: data "
                f"of shape {shape}. Use DiffAugment, which takes any number."
            )

    def logs(self) -> dict[str, tf.Tensor]:
        """Returns p."""
        return {"augment_probability": tf.convert_to_tensor(self.probability)}

    def adapt(self, sign: tf.Tensor, share: Any, step: tf.Tensor) -> None:
        """Moves p after a step; see the class."""
        signs = tf.convert_to_tensor(self._signs) + tf.cast(sign, tf.float32)
        due = tf.equal(step % _INTERVAL, _INTERVAL - 1)
        change = tf.sign(signs / _INTERVAL - self.target) * (
            _INTERVAL * tf.cast(share.size, tf.float32) / self.num_images
        )
        before = tf.convert_to_tensor(self.probability)
        moved = tf.clip_by_value(before + change, 0.0, 1.0)
        self.probability.assign(tf.where(due, moved, before))
        self._signs.assign(tf.where(due, 0.0, signs))

    def augment(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns the images changed."""
        draws = iter(tf.unstack(tf.cast(uniform, tf.float32), axis=1))
        probability = tf.convert_to_tensor(self.probability)

        def given(
            value: tf.Tensor, otherwise: tf.Tensor, chance: tf.Tensor = probability
        ) -> tf.Tensor:
            """The value where this image's coin says so."""
            return tf.where(next(draws) < chance, value, otherwise)

        images = geometry.warp(images, _moved(images, draws, given, probability))
        return _colored(images, draws, given)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "target": self.target,
            "num_images": self.num_images,
            "initial": self.initial,
        }


def _moved(
    images: tf.Tensor,
    draws: Iterator[tf.Tensor],
    given: Callable[..., tf.Tensor],
    probability: tf.Tensor,
) -> tf.Tensor:
    """Returns the matrices (b, 2, 3) of one warp for each image."""
    height, width = images.shape[1:3]
    zero = tf.zeros([tf.shape(images)[0]])
    one = zero + 1.0
    matrix = geometry.affine(tf.shape(images)[0])

    def then(other: tf.Tensor) -> None:
        nonlocal matrix
        matrix = matrix @ other

    then(geometry.scaling(given(tf.where(next(draws) < 0.5, -one, one), one), one))
    turns = tf.floor(next(draws) * 4.0) * (math.pi / 2)
    then(geometry.rotation(given(turns, zero)))
    x = tf.round((next(draws) * 2.0 - 1.0) * width / 8)
    y = tf.round((next(draws) * 2.0 - 1.0) * height / 8)
    coin = next(draws) < probability
    then(geometry.translation(tf.where(coin, x, zero), tf.where(coin, y, zero)))
    factor = given(2.0 ** (0.2 * geometry.normal(next(draws))), one)
    then(geometry.scaling(factor, factor))
    # Two rotations about the stretching, so that one at least comes with chance p.
    half = 1.0 - tf.sqrt(1.0 - probability)
    angle = (next(draws) * 2.0 - 1.0) * math.pi
    then(geometry.rotation(given(angle, zero, half)))
    factor = given(2.0 ** (0.2 * geometry.normal(next(draws))), one)
    then(geometry.scaling(factor, 1.0 / factor))
    angle = (next(draws) * 2.0 - 1.0) * math.pi
    then(geometry.rotation(given(angle, zero, half)))
    x = geometry.normal(next(draws)) * width / 8
    y = geometry.normal(next(draws)) * height / 8
    coin = next(draws) < probability
    then(geometry.translation(tf.where(coin, x, zero), tf.where(coin, y, zero)))
    return matrix[:, :2]


def _colored(
    images: tf.Tensor, draws: Iterator[tf.Tensor], given: Callable[..., tf.Tensor]
) -> tf.Tensor:
    """Returns the images with other colours."""
    channels = images.shape[-1]
    zero = tf.zeros([tf.shape(images)[0]])
    one = zero + 1.0
    brightness = given(0.2 * geometry.normal(next(draws)), zero)
    contrast = given(2.0 ** (0.5 * geometry.normal(next(draws))), one)
    flip = given(tf.where(next(draws) < 0.5, -one, one), one)
    if channels == 1:
        offset = (brightness * contrast * flip)[:, None, None, None]
        factor = (contrast * flip)[:, None, None, None]
        return images * tf.cast(factor, images.dtype) + tf.cast(offset, images.dtype)
    # Along the luma axis all is mirrored by the flip, across it turned and stretched.
    axis = tf.constant([[1.0, 1.0, 1.0]]) / math.sqrt(3.0)
    along = tf.transpose(axis) @ axis
    hue = given((next(draws) * 2.0 - 1.0) * math.pi, zero)
    saturation = given(2.0 ** geometry.normal(next(draws)), one)
    cross = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    cross /= math.sqrt(3.0)

    def by(values: tf.Tensor) -> tf.Tensor:
        return values[:, None, None]

    turned = by(tf.cos(hue)) * (tf.eye(3) - along) + by(tf.sin(hue)) * cross
    matrix = by(flip) * along + by(saturation) * turned
    matrix *= by(contrast)
    offset = (brightness * contrast * flip)[:, None, None, None]
    matrix, offset = tf.cast(matrix, images.dtype), tf.cast(offset, images.dtype)
    return tf.einsum("bhwc,bdc->bhwd", images, matrix) + offset
