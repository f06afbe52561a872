"""Images of any size brought to one size, without distortion or aliasing."""

from collections.abc import Sequence

import tensorflow as tf

from keras_gamegan import validation


def as_size(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Returns (height, width) for a side or a pair.

    Args:
        image_size: A positive integer, or a pair of them.

    Returns:
        A tuple of two Python ints.

    Raises:
        TypeError: If it is neither an integer nor a pair of integers.
        ValueError: If a side is not positive, or there are not two.
    """
    hint = "Pass one side, such as 32, or (height, width)."
    if not isinstance(image_size, (tuple, list)):
        side = validation.check_integer("image_size", image_size, hint=hint)
        return side, side
    if len(image_size) != 2:
        raise ValueError(
            "`image_size` must be an integer or a pair of integers. "
            f"Received: image_size={image_size!r}. {hint}"
        )
    height, width = (
        validation.check_integer("image_size", side, hint=hint) for side in image_size
    )
    return height, width


def crop_and_resize(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes the largest centred part of an image that has the shape asked for.

    Args:
        image: uint8 tensor of shape (height, width, channels).
        size: Tuple of two ints, the height and the width of the result.

    Returns:
        uint8 tensor of shape (*size, channels); the image itself if it has that size.
    """
    if tuple(image.shape[:2]) == tuple(size):
        return image
    shape = tf.cast(tf.shape(image)[:2], tf.float64)
    ratio = tf.reduce_min(shape / tf.constant(size, tf.float64))
    # At least one pixel: a side of the part may round to nothing.
    part = tf.maximum(tf.round(ratio * tf.constant(size, tf.float64)), 1.0)
    part = tf.cast(tf.minimum(part, shape), tf.int32)
    offset = (tf.shape(image)[:2] - part) // 2
    image = tf.image.crop_to_bounding_box(image, *tf.unstack(offset), *tf.unstack(part))
    resized = tf.image.resize(image, size, method="bilinear", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)
