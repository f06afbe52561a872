"""Image files of any common format as arrays of one size and mode."""

import importlib
import io
import struct
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan.datasets import resizing

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
COLOR_MODES = {"rgb": 3, "grayscale": 1}
# Each EXIF orientation as (quarter turns to the left, whether to mirror afterwards).
_ORIENTATIONS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


def decode(content: bytes, size: tuple[int, int], color_mode: str) -> np.ndarray:
    """Returns the image in a file's content, cropped and resized.

    Of animations the first frame is taken, of more than 8 bits the highest 8; what is
    transparent shows white; photographs are turned as their EXIF orientation says.

    Args:
        content: The file's bytes: PNG, JPEG, WebP, GIF or BMP, whatever its name says.
        size: (height, width) of the result.
        color_mode: "rgb" or "grayscale".

    Returns:
        uint8 array (height, width, 3 or 1).

    Raises:
        ValueError: If it is no such image, or a damaged one.
        ImportError: If it is WebP, and neither this TensorFlow nor Pillow reads it.
    """
    try:
        image = _decoded(content)
    except tf.errors.OpError as error:
        raise ValueError(str(error.message).splitlines()[0]) from error
    if image.shape[-1] == 4:
        opacity = tf.cast(image[..., 3:], tf.float32) / 255.0
        colors = tf.cast(image[..., :3], tf.float32)
        image = tf.round(colors * opacity + 255.0 * (1.0 - opacity))
        image = tf.cast(image, tf.uint8)
    image = resizing.crop_and_resize(image, size).numpy()
    if color_mode == "grayscale":
        # Luma of ITU-R BT.601, as `tf.image.rgb_to_grayscale` has it; exact for grey.
        gray = image.astype("float64") @ (0.299, 0.587, 0.114)
        image = np.rint(gray).astype("uint8")[..., None]
    return image


def _decoded(content: bytes) -> tf.Tensor:
    """Returns the image as uint8 (height, width, 3 or 4)."""
    if content.startswith(b"\x89PNG"):
        # With less than 8 bits TensorFlow gets the opacity wrong: of grey ones, and of
        # palettes that say nothing of it.
        opaque = b"tRNS" not in content.partition(b"IDAT")[0]
        kinds = (b"\0", b"\3") if opaque else (b"\0",)
        is_coarse = content[24:25] < b"\x08" and content[25:26] in kinds
        return tf.io.decode_png(content, channels=3 if is_coarse else 4)
    if content.startswith(b"\xff\xd8\xff"):
        image = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
        turns, mirror = _ORIENTATIONS.get(_orientation(content), (0, False))
        image = tf.image.rot90(image, turns)
        return tf.image.flip_left_right(image) if mirror else image
    if content.startswith(b"GIF8"):
        return tf.io.decode_gif(content)[0]
    if content.startswith(b"BM"):
        image = tf.io.decode_bmp(content)
        return tf.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    raise ValueError("it is no PNG, JPEG, WebP, GIF or BMP file")


def _webp(content: bytes) -> Any:
    # An animation without alpha corrupts TensorFlow's memory, and ends the process.
    animated = content[12:16] == b"VP8X" and any(flag & 2 for flag in content[20:21])
    if hasattr(tf.io, "decode_webp") and not animated:  # From TensorFlow 2.20 on.
        return tf.io.decode_webp(content)[0]
    try:
        pillow = importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(
            f"TensorFlow {tf.__version__} cannot read this WebP. Install Pillow, which "
            "does: pip install pillow. Or convert the images to PNG."
        ) from error
    try:
        with pillow.open(io.BytesIO(content)) as picture:
            return tf.constant(np.asarray(picture.convert("RGBA")))
    except OSError as error:
        raise ValueError(str(error)) from error


def _orientation(content: bytes) -> int:
    """Returns a JPEG file's EXIF orientation, 1 (upright) where it has none."""
    place = 2
    while content[place : place + 1] == b"\xff" and place + 4 <= len(content):
        marker = content[place + 1]
        (length,) = struct.unpack(">H", content[place + 2 : place + 4])
        if marker == 0xE1 and content[place + 4 : place + 10] == b"Exif\0\0":
            return _tag(content[place + 10 : place + 2 + length], 0x0112)
        if marker == 0xDA:  # The picture begins.
            break
        place += 2 + length
    return 1


def _tag(tiff: bytes, number: int) -> int:
    """Returns a short integer of a TIFF header's first directory, or 1."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack(order + "I", tiff[4:8])
    if len(tiff) < start + 2:
        return 1
    (count,) = struct.unpack(order + "H", tiff[start : start + 2])
    for index in range(count):
        entry = tiff[start + 2 + 12 * index : start + 14 + 12 * index]
        if len(entry) == 12 and struct.unpack(order + "H", entry[:2])[0] == number:
            return struct.unpack(order + "H", entry[8:10])[0]
    return 1
