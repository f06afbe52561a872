"""Image files of any common format as arrays of one size and mode."""

import importlib
import io
import struct
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan.datasets import orientation, resizing

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
# Formats of images that are found in folders and not read.
UNREAD = (
    *(".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".jfif", ".svg"),
    *(".psd", ".tga", ".ppm", ".pgm", ".pbm", ".ico", ".dng", ".cr2", ".nef", ".arw"),
)
# Marks of a JPEG's frame: depth, height, width, number of colours.
_FRAMES = [
    bytes([mark]) for mark in range(0xC0, 0xD0) if mark not in (0xC4, 0xC8, 0xCC)
]
COLOR_MODES = {"rgb": 3, "grayscale": 1}


def read(content: bytes) -> tf.Tensor:
    """Returns the image in a file's content, as large as it is.

    Of animations the first frame is taken, of more than 8 bits the highest 8; what is
    transparent shows white; images are turned as their EXIF orientation says. What
    TensorFlow does not read, or not rightly, Pillow reads.

    Args:
        content: The file's bytes: PNG, JPEG, WebP, GIF or BMP, whatever its name says.

    Returns:
        uint8 tensor (height, width, 3).

    Raises:
        ValueError: If it is no such image, or a damaged one.
        ImportError: If Pillow has to read it and is not installed.
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
    return orientation.upright(image, content)


def fitted(image: tf.Tensor, size: tuple[int, int], color_mode: str) -> np.ndarray:
    """Returns an image cropped and resized.

    Args:
        image: uint8 tensor (height, width, 3).
        size: (height, width) of the result.
        color_mode: "rgb" or "grayscale".

    Returns:
        uint8 array (height, width, 3 or 1).
    """
    found = resizing.crop_and_resize(image, size).numpy()
    if color_mode == "grayscale":
        # Luma of ITU-R BT.601, as `tf.image.rgb_to_grayscale` has it; exact for grey.
        gray = found.astype("float64") @ (0.299, 0.587, 0.114)
        found = np.rint(gray).astype("uint8")[..., None]
    return found


def _decoded(content: bytes) -> tf.Tensor:
    """Returns the image as uint8 (height, width, 3 or 4)."""
    if content.startswith(b"\x89PNG"):
        return _png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(b"GIF8"):
        return _gif(content)
    if content.startswith(b"BM"):
        return _bmp(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    raise ValueError("it is no PNG, JPEG, WebP, GIF or BMP file")


def _png(content: bytes) -> tf.Tensor:
    # With less than 8 bits TensorFlow gets the opacity wrong: of grey ones, and of
    # palettes that say nothing of it.
    transparent = b""
    for name, start, length in orientation.parts(content):
        if name == b"tRNS":
            transparent = content[start : start + length]
    depth, kind = content[24:25], content[25:26]
    coarse = depth < b"\x08" and (kind == b"\0" or (kind == b"\3" and not transparent))
    if not coarse:
        return tf.io.decode_png(content, channels=4)
    image = tf.io.decode_png(content, channels=3)
    if len(transparent) < 2:
        return image
    # The one grey that is transparent, in the file's bits; Pillow mistakes it too.
    most = 2 ** depth[0] - 1
    gray = (transparent[1] & most) * 255 // most
    return tf.where(image == tf.cast(gray, tf.uint8), tf.uint8.max, image)


def _jpeg(content: bytes) -> tf.Tensor:
    # Inks are written inverted, as Adobe does, and viewers take them so. Without
    # Adobe's mark, which some programs strip, TensorFlow takes them as they stand.
    parts = [
        (name, content[start : start + length])
        for name, start, length in orientation.parts(content)
    ]
    has_inks = any(name in _FRAMES and part[5:6] == b"\4" for name, part in parts)
    is_marked = any(name == b"\xee" and part[:5] == b"Adobe" for name, part in parts)
    if has_inks and not is_marked:
        return _pillow(content, "CMYK JPEG")
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _bmp(content: bytes) -> Any:
    # TensorFlow takes palettes for greys, and knows neither the oldest header, nor 16
    # bits, nor compression.
    header, bits, compression = content[14:18], content[28:30], content[30:34]
    plain = header >= b"\x28" and compression == bytes(4)
    if not plain or bits not in (b"\x18\0", b"\x20\0"):
        image = _pillow(content, "BMP")
    else:
        image = tf.io.decode_bmp(content)
    # The fourth byte is opacity in some files, and nothing in those where it is 0.
    is_opaque = image.shape[-1] == 4 and not np.any(image[..., 3])
    return image[..., :3] if is_opaque else image


def _gif(content: bytes) -> Any:
    # Where the first frame is transparent TensorFlow shows black, and of a canvas that
    # the frame does not fill only the frame.
    try:
        transparent, (left, top, width, height) = _first_frame(content)
    except (IndexError, struct.error) as error:
        raise ValueError("it is a GIF without a picture") from error
    canvas = struct.unpack("<2H", content[6:10])
    if not transparent and (left, top, width, height) == (0, 0, *canvas):
        return tf.io.decode_gif(content)[0]
    image = _pillow(content, "GIF")
    inside = np.zeros((*image.shape[:2], 1), bool)
    inside[top : top + height, left : left + width] = True
    return tf.where(inside, image, tf.uint8.max)


def _first_frame(content: bytes) -> tuple[bool, tuple[int, ...]]:
    """Returns whether a GIF's first frame is transparent, and (x, y, width, height)."""
    flags = content[10]
    place = 13 + (3 * 2 ** (flags % 8 + 1) if flags & 128 else 0)
    transparent = False
    while content[place] == 0x21:  # Extensions: a kind, then blocks up to an empty one.
        if content[place + 1] == 0xF9:
            transparent = bool(content[place + 3] & 1)
        place += 2
        while content[place]:
            place += 1 + content[place]
        place += 1
    return transparent, struct.unpack("<4H", content[place + 1 : place + 9])


def _webp(content: bytes) -> Any:
    # An animation without alpha corrupts TensorFlow's memory, and ends the process.
    animated = content[12:16] == b"VP8X" and any(flag & 2 for flag in content[20:21])
    if hasattr(tf.io, "decode_webp") and not animated:  # From TensorFlow 2.20 on.
        return tf.io.decode_webp(content)[0]
    return _pillow(content, "WebP")


def _pillow(content: bytes, kind: str) -> tf.Tensor:
    try:
        pillow = importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(
            f"TensorFlow {tf.__version__} cannot read this {kind}. Install Pillow, "
            "which does: pip install pillow. Or convert the images to PNG."
        ) from error
    try:
        with pillow.open(io.BytesIO(content)) as picture:
            return tf.constant(np.asarray(picture.convert("RGBA")))
    except Exception as error:  # Damaged files raise whatever its readers stumble over.
        raise ValueError(str(error)) from error
