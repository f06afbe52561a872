"""Image files of every kind, against Pillow's reading of the same bytes."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.datasets import decoding

RNG = np.random.default_rng(0)


def decode(content, size, color_mode):
    return decoding.fitted(decoding.read(content), size, color_mode)


def picture(height=12, width=12, mode="RGB"):
    channels = {"RGB": 3, "RGBA": 4, "LA": 2, "CMYK": 4}.get(mode, 0)
    shape = (height, width, channels) if channels else (height, width)
    if mode == "I;16":
        return PIL.Image.fromarray(RNG.integers(0, 2**16, shape, np.uint16))
    pixels = RNG.integers(0, 256, shape, np.uint8)
    if mode in ("P", "1"):
        return PIL.Image.fromarray(pixels).convert(mode)
    return PIL.Image.fromarray(pixels, mode=None) if mode == "L" else _as(mode, pixels)


def _as(mode, pixels):
    bands = [PIL.Image.fromarray(pixels[..., i]) for i in range(pixels.shape[-1])]
    return PIL.Image.merge(mode, bands)


def written(path, image, **arguments):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **arguments)
    return path.read_bytes()


def over_white(image):
    """What a viewer shows of an image with transparency on a white page."""
    image = image.convert("RGBA")
    pixels = np.asarray(image, "float64")
    opacity = pixels[..., 3:] / 255
    return np.rint(pixels[..., :3] * opacity + 255 * (1 - opacity))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_png_of_every_mode(mode, tmp_path):
    image = picture(mode=mode)
    content = written(tmp_path / "a.png", image)
    found = decode(content, (12, 12), "rgb")
    np.testing.assert_allclose(found, over_white(image), atol=1)
    gray = decode(content, (12, 12), "grayscale")
    expected = np.rint(over_white(image) @ (0.299, 0.587, 0.114))
    np.testing.assert_allclose(gray[..., 0], expected, atol=1)


def test_png_of_16_bits_and_with_a_transparent_colour(tmp_path):
    deep = picture(mode="I;16")
    found = decode(written(tmp_path / "a.png", deep), (12, 12), "grayscale")
    np.testing.assert_array_equal(found[..., 0], np.asarray(deep) >> 8)
    image = picture(mode="P")
    content = written(tmp_path / "b.png", image, transparency=image.getpixel((3, 2)))
    assert decode(content, (12, 12), "rgb")[2, 3].tolist() == [255] * 3


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(mode, tmp_path):
    image = picture(mode=mode).resize((48, 48), PIL.Image.Resampling.BICUBIC)
    content = written(tmp_path / "a.jpg", image, quality=95)
    found = decode(content, (48, 48), "rgb").astype(int)
    with PIL.Image.open(tmp_path / "a.jpg") as read:
        expected = np.asarray(read.convert("RGB"), int)
    # Decoders may round differently, and fill in colours.
    assert np.abs(found - expected).mean() < 2


def test_a_cmyk_jpeg_whose_adobe_marker_was_stripped(tmp_path, monkeypatch):
    color = (220, 60, 30)
    image = PIL.Image.new("RGB", (24, 16), color).convert("CMYK")
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    content = written(tmp_path / "a.jpg", image, quality=95, exif=turned)
    start = content.index(b"\xff\xee")
    (length,) = struct.unpack(">H", content[start + 2 : start + 4])
    assert content[start + 4 : start + 9] == b"Adobe"
    stripped = content[:start] + content[start + 2 + length :]
    for given in (content, stripped):
        found = decode(given, (24, 16), "rgb").astype(int)
        assert np.abs(found - color).max() <= 3
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="this CMYK JPEG"):
        decode(stripped, (24, 16), "rgb")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_images_are_turned_upright(suffix, orientation, order, tmp_path):
    corners = np.zeros((16, 24, 3), np.uint8)
    corners[:8, :8] = (255, 0, 0)
    corners[8:, 16:] = (0, 255, 0)
    exif = PIL.Image.Exif()
    exif.endian = order
    exif[0x010F] = "a camera"
    exif[0x0112] = orientation
    image = PIL.Image.fromarray(corners)
    content = written(tmp_path / f"a.{suffix}", image, exif=exif, quality=95)
    with PIL.Image.open(tmp_path / f"a.{suffix}") as read:
        expected = np.asarray(PIL.ImageOps.exif_transpose(read), int)
    found = decode(content, expected.shape[:2], "rgb").astype(int)
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize("suffix", ["webp", "gif", "bmp"])
def test_other_formats(suffix, tmp_path):
    image = picture().quantize(64).convert("RGB")
    lossless = {"lossless": True} if suffix == "webp" else {}
    content = written(tmp_path / f"a.{suffix}", image, **lossless)
    found = decode(content, (12, 12), "rgb")
    np.testing.assert_array_equal(found, np.asarray(image))


def test_webp_without_tensorflows_decoder(tmp_path, monkeypatch):
    image = picture(mode="RGBA")
    content = written(tmp_path / "a.webp", image, lossless=True, exact=True)
    monkeypatch.delattr(tf.io, "decode_webp", raising=False)
    found = decode(content, (12, 12), "rgb")
    np.testing.assert_allclose(found, over_white(image), atol=1)
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        decode(content, (12, 12), "rgb")


def test_the_content_counts_and_not_the_name(tmp_path):
    image = picture()
    image.save(tmp_path / "a.jpg", format="png")
    found = kgg.datasets.load_folder(tmp_path, 12, 1, shuffle=False)
    pixels = (next(iter(found)).numpy()[0] + 1) * 127.5
    np.testing.assert_allclose(pixels, np.asarray(image), atol=1e-4)


def test_aspect_ratio_is_kept_and_the_centre_taken(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 200
    content = written(tmp_path / "a.png", PIL.Image.fromarray(wide))
    assert (decode(content, (10, 10), "rgb") == 200).all()


@pytest.mark.parametrize("colors", [2, 4, 16, 200])
def test_palettes_of_any_depth(colors):
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype="uint8")
    picture, file = PIL.Image.fromarray(pixels).quantize(colors), io.BytesIO()
    picture.save(file, "PNG")
    found = decode(file.getvalue(), (16, 16), "rgb")
    np.testing.assert_array_equal(found, np.array(picture.convert("RGB")))


def test_the_first_picture_of_an_animated_webp():
    first, *rest = (
        PIL.Image.fromarray(np.full((16, 16, 3), value, "uint8")) for value in (10, 99)
    )
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=rest, lossless=True)
    assert np.all(decode(file.getvalue(), (16, 16), "rgb") == 10)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bitmaps_of_every_depth(mode, tmp_path):
    image = picture(9, 11, "RGB").convert(mode)
    content = written(tmp_path / "a.bmp", image)
    found = decode(content, (9, 11), "rgb")
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))


def bitmap(bits, compression, data, palette=b"", masks=b"", header=40):
    """A bitmap of two rows of two pixels."""
    if header == 12:
        head = struct.pack("<IHHHH", 12, 2, 2, 1, bits)
    else:
        head = struct.pack("<IiiHHI", 40, 2, 2, 1, bits, compression)
        head += struct.pack("<IiiII", len(data), 0, 0, len(palette) // 4, 0)
    start = 14 + len(head) + len(masks) + len(palette)
    place = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    return place + head + masks + palette + data


RED, BLUE = [255, 0, 0], [0, 0, 255]
# Rows from below: red and blue, blue and red; palettes and pixels are blue first.
PALETTE = bytes([0, 0, 255, 0, 255, 0, 0, 0])


@pytest.mark.parametrize(
    "content",
    [
        bitmap(1, 0, b"\x40\0\0\0\x80\0\0\0", PALETTE),
        bitmap(4, 0, b"\x01\0\0\0\x10\0\0\0", PALETTE),
        bitmap(8, 0, b"\0\1\0\0\1\0\0\0", PALETTE),
        bitmap(8, 1, b"\1\0\1\1\0\0\1\1\1\0\0\1", PALETTE),  # Compressed.
        bitmap(8, 0, b"\0\1\0\0\1\0\0\0", bytes([0, 0, 255, 255, 0, 0]), header=12),
        bitmap(24, 0, bytes([0, 0, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0])),
        bitmap(16, 0, struct.pack("<4H", 0x7C00, 31, 31, 0x7C00)),
        bitmap(
            16,
            3,
            struct.pack("<4H", 0xF800, 31, 31, 0xF800),
            masks=struct.pack("<3I", 0xF800, 0x7E0, 31),
        ),
        bitmap(
            32,
            3,
            struct.pack("<4I", 255 << 24, 255 << 8, 255 << 8, 255 << 24),
            masks=struct.pack("<3I", 255 << 24, 255 << 16, 255 << 8),
        ),
        bitmap(32, 0, struct.pack("<4I", 255 << 16, 255, 255, 255 << 16)),
    ],
    ids=["1", "4", "8", "8-rle", "8-os2", "24", "16-555", "16-565", "32-masks", "32"],
)
def test_bitmaps_of_every_layout(content):
    found = decode(content, (2, 2), "rgb").tolist()
    assert found == [[BLUE, RED], [RED, BLUE]]


def test_the_fourth_byte_of_a_bitmap_is_opacity_unless_all_are_0(tmp_path):
    image = picture(mode="RGBA")
    content = written(tmp_path / "a.bmp", image)
    found = decode(content, (12, 12), "rgb")
    np.testing.assert_allclose(found, over_white(image), atol=1)
    image.putalpha(0)
    found = decode(written(tmp_path / "b.bmp", image), (12, 12), "rgb")
    np.testing.assert_array_equal(found, np.asarray(image)[..., :3])


@pytest.mark.parametrize("frames", [1, 2])
def test_transparent_gifs(frames, tmp_path):
    image = picture(9, 11).quantize(16)
    more = [picture(9, 11).quantize(16) for _ in range(frames - 1)]
    transparent = image.getpixel((3, 2))
    animated = {"save_all": True, "append_images": more} if more else {}
    content = written(tmp_path / "a.gif", image, transparency=transparent, **animated)
    found = decode(content, (9, 11), "rgb")
    with PIL.Image.open(tmp_path / "a.gif") as read:
        np.testing.assert_array_equal(found, over_white(read))
    assert found[2, 3].tolist() == [255] * 3


@pytest.mark.parametrize("left, top", [(0, 0), (2, 1)])
def test_what_a_gif_leaves_free_is_white(left, top, tmp_path):
    content = written(tmp_path / "a.gif", PIL.Image.new("L", (4, 3), 7))
    # On a larger canvas the same frame, at its place.
    head, _, rest = content.partition(b"," + struct.pack("<4H", 0, 0, 4, 3))
    content = head[:6] + struct.pack("<2H", 6, 5) + head[10:]
    content += b"," + struct.pack("<4H", left, top, 4, 3) + rest
    expected = np.full((5, 6, 3), 255)
    expected[top : top + 3, left : left + 4] = 7
    np.testing.assert_array_equal(decode(content, (5, 6), "rgb"), expected)


@pytest.mark.parametrize("suffix, start", [("gif", 5), ("bmp", 3), ("png", 9)])
def test_no_beginning_of_a_file_is_an_image(suffix, start, tmp_path):
    options = {"transparency": 0} if suffix == "gif" else {}
    content = written(tmp_path / f"a.{suffix}", picture(mode="P"), **options)
    for end in range(start, len(content) - 60, 7):
        with pytest.raises(ValueError):
            decode(content[:end], (12, 12), "rgb")


@pytest.mark.parametrize("suffix", ["gif", "bmp"])
def test_what_pillow_has_to_read(suffix, tmp_path, monkeypatch):
    image = picture(mode="P")
    options = {"transparency": image.getpixel((0, 0))} if suffix == "gif" else {}
    content = written(tmp_path / f"a.{suffix}", image, **options)
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    text = rf"this {suffix.upper()}. Install.*pip install pillow"
    with pytest.raises(ImportError, match=text):
        decode(content, (12, 12), "rgb")


def chunk(kind, data):
    checked = kind + data
    return (
        struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    )


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_transparent_grey_of_few_bits(depth):
    values = RNG.integers(0, 2**depth, (8, 8), np.uint8)
    bits = np.unpackbits(values[..., None], axis=-1)[..., -depth:].reshape(8, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(bits, axis=1))
    content = b"\x89PNG\r\n\x1a\n"
    content += chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, depth, 0, 0, 0, 0))
    content += chunk(b"tRNS", struct.pack(">H", 0)) + chunk(
        b"IDAT", zlib.compress(rows)
    )
    content += chunk(b"IEND", b"")
    found = decode(content, (8, 8), "grayscale")[..., 0]
    shades = values.astype(int) * 255 // (2**depth - 1)
    np.testing.assert_array_equal(found, np.where(values == 0, 255, shades))


@pytest.mark.parametrize("comment", ["see the tRNS chunk", "IDAT here", "x"])
@pytest.mark.parametrize("transparency", [None, bytes([255, 0])])
def test_comments_that_name_chunks(comment, transparency):
    image = PIL.Image.fromarray(np.arange(2, dtype=np.uint8).repeat(8).reshape(4, 4))
    image = PIL.Image.merge("L", [image]).convert("P")
    image.putpalette([0, 0, 200, 200, 0, 0] + [0] * 42)
    noted = PIL.PngImagePlugin.PngInfo()
    noted.add_text("Comment", comment)
    buffer = io.BytesIO()
    more = {} if transparency is None else {"transparency": transparency}
    image.save(buffer, "PNG", pnginfo=noted, bits=4, **more)
    content = buffer.getvalue()
    with PIL.Image.open(io.BytesIO(content)) as picture:
        expected = over_white(picture.convert("RGBA"))
    np.testing.assert_array_equal(decode(content, (4, 4), "rgb"), expected)


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("kind", [3, 4])
def test_exif_of_every_layout(kind, filled):
    """A short or a long number, and a marker with bytes that fill up before it."""
    image = picture(6, 4)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    plain = buffer.getvalue()
    number = struct.pack(">HH", 6, 0) if kind == 3 else struct.pack(">I", 6)
    entry = struct.pack(">HHI", 0x0112, kind, 1) + number
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    part = b"Exif\0\0" + tiff
    marker = b"\xff" * (1 + 2 * filled) + b"\xe1" + struct.pack(">H", len(part) + 2)
    turned = plain[:2] + marker + part + plain[2:]
    upright = decode(plain, (6, 4), "rgb")
    found = decode(turned, (4, 6), "rgb")
    np.testing.assert_array_equal(found, np.rot90(upright, -1))
