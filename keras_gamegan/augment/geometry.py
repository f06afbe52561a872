"""Images moved, cut and warped, each in its own way; for XLA, in fixed shapes."""

import math

import tensorflow as tf


def translate(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Moves images by whole pixels, zeros coming in.

    Args:
        images: (b, height, width, channels).
        rows: (b,) int32, how far down, at most the height.
        columns: (b,) int32, how far to the right, at most the width.
    """
    height, width = images.shape[1:3]
    for axis, (size, shift) in enumerate(((height, rows), (width, columns)), start=1):
        places = tf.range(size)[None] - shift[:, None]
        inside = (places >= 0) & (places < size)
        images = tf.gather(
            images, tf.clip_by_value(places, 0, size - 1), axis=axis, batch_dims=1
        )
        mask = tf.reshape(inside, [-1, *([1] * (axis - 1)), size, *([1] * (3 - axis))])
        images = tf.where(mask, images, tf.zeros((), images.dtype))
    return images


def cut_out(
    images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, size: tuple[int, int]
) -> tf.Tensor:
    """Sets a rectangle of each image to zero.

    Args:
        images: (b, height, width, channels).
        rows: (b,) int32, first row of the rectangle; it may begin outside.
        columns: (b,) int32, first column.
        size: (height, width) of the rectangle.
    """
    height, width = images.shape[1:3]
    inside_rows = tf.range(height)[None] - rows[:, None]
    inside_rows = (inside_rows >= 0) & (inside_rows < size[0])
    inside_columns = tf.range(width)[None] - columns[:, None]
    inside_columns = (inside_columns >= 0) & (inside_columns < size[1])
    hole = inside_rows[:, :, None] & inside_columns[:, None, :]
    return tf.where(hole[..., None], tf.zeros((), images.dtype), images)


def warp(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Warps images by affine maps about their centre, bilinearly, mirrored outside.

    Args:
        images: (b, height, width, channels).
        matrices: (b, 2, 3), maps (x, y, 1) of a pixel of the result, from the centre,
            to where in the image it comes from, in pixels.
    """
    height, width, channels = images.shape[1:]
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2
    y = tf.range(height, dtype=tf.float32) - (height - 1) / 2
    grid = tf.stack(
        [
            tf.tile(x[None], [height, 1]),
            tf.tile(y[:, None], [1, width]),
            tf.ones((height, width)),
        ]
    )
    grid = tf.reshape(grid, (3, height * width))
    found = tf.einsum("bij,jn->bin", tf.cast(matrices, tf.float32), grid)
    x = found[:, 0] + (width - 1) / 2
    y = found[:, 1] + (height - 1) / 2
    left, top = tf.floor(x), tf.floor(y)
    flat = tf.reshape(images, (-1, height * width, channels))
    result = tf.zeros((), images.dtype)
    for row in (0, 1):
        for column in (0, 1):
            weight = (1 - tf.abs(x - left - column)) * (1 - tf.abs(y - top - row))
            places = _mirrored(top + row, height) * width
            places += _mirrored(left + column, width)
            corner = tf.gather(flat, places, axis=1, batch_dims=1)
            result += corner * tf.cast(weight, images.dtype)[..., None]
    return tf.reshape(result, tf.shape(images))


def _mirrored(places: tf.Tensor, size: int) -> tf.Tensor:
    """Returns whole numbers within [0, size), reflected at the ends."""
    period = max(2 * (size - 1), 1)
    places = tf.math.floormod(tf.cast(places, tf.int32), period)
    return tf.minimum(places, period - places) if size > 1 else tf.zeros_like(places)


def affine(number: tf.Tensor) -> tf.Tensor:
    """Returns so many identities, (b, 3, 3)."""
    return tf.tile(tf.eye(3)[None], [number, 1, 1])


def rotation(angles: tf.Tensor) -> tf.Tensor:
    """Returns the rotations (b, 3, 3) by angles (b,) in radians."""
    cosine, sine = tf.cos(angles), tf.sin(angles)
    zero, one = tf.zeros_like(angles), tf.ones_like(angles)
    return _rows((cosine, -sine, zero), (sine, cosine, zero), (zero, zero, one))


def scaling(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns the scalings (b, 3, 3) by factors (b,) of both axes."""
    zero, one = tf.zeros_like(x), tf.ones_like(x)
    return _rows((x, zero, zero), (zero, y, zero), (zero, zero, one))


def translation(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns the translations (b, 3, 3) by (b,) pixels."""
    zero, one = tf.zeros_like(x), tf.ones_like(x)
    return _rows((one, zero, x), (zero, one, y), (zero, zero, one))


def _rows(*rows: tuple[tf.Tensor, ...]) -> tf.Tensor:
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def normal(uniform: tf.Tensor) -> tf.Tensor:
    """Returns standard normal numbers of uniform ones on [0, 1)."""
    # Neither end, of which the normal is infinite.
    inside = tf.clip_by_value(
        2.0 * tf.cast(uniform, tf.float32) - 1.0, -0.999999, 0.999999
    )
    return math.sqrt(2.0) * tf.math.erfinv(inside)
