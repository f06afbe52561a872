"""Images turned upright as the EXIF data in their files say."""

import struct
from collections.abc import Iterator

import tensorflow as tf

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


def upright(image: tf.Tensor, content: bytes) -> tf.Tensor:
    """Returns an image turned as its file says.

    Args:
        image: The decoded image (height, width, channels).
        content: The bytes of the JPEG, PNG or WebP file; others say nothing.

    Returns:
        The image, its sides swapped if it lay on its side.
    """
    turns, mirror = _ORIENTATIONS.get(_orientation(content), (0, False))
    image = tf.image.rot90(image, turns) if turns else image
    return tf.image.flip_left_right(image) if mirror else image


def _orientation(content: bytes) -> int:
    """Returns a file's EXIF orientation, 1 (upright) where it has none."""
    for name, start, length in parts(content):
        if name in (b"\xe1", b"eXIf", b"EXIF"):
            part = content[start : start + length]
            if part.startswith(b"Exif\0\0"):
                part = part[6:]
            elif name == b"\xe1":  # Other things stand there too.
                continue
            return _tag(part, 0x0112)
    return 1


def parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields the parts of a file: (kind, where its data begin, their length)."""
    if content.startswith(b"\xff\xd8"):
        place, end = 2, len(content) - 3
        # Up to where the picture begins.
        while place < end and content[place] == 0xFF and content[place + 1] != 0xDA:
            if content[place + 1] == 0xFF:  # What fills up.
                place += 1
                continue
            (length,) = struct.unpack_from(">H", content, place + 2)
            yield content[place + 1 : place + 2], place + 4, length - 2
            place += 2 + length
    elif content.startswith(b"\x89PNG"):
        place, end = 8, len(content) - 7
        while place < end:
            (length,) = struct.unpack_from(">I", content, place)
            yield content[place + 4 : place + 8], place + 8, length
            place += 12 + length
    elif content.startswith(b"RIFF"):
        place, end = 12, len(content) - 7
        while place < end:
            (length,) = struct.unpack_from("<I", content, place + 4)
            yield content[place : place + 4], place + 8, length
            place += 8 + length + length % 2


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
            is_long = struct.unpack(order + "H", entry[2:4])[0] == 4
            return struct.unpack(order + "HI"[is_long], entry[8 : 10 + 2 * is_long])[0]
    return 1
