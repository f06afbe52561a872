"""Folders of image files, against Pillow's reading of the same files."""

import os
import warnings

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.datasets import decoding, folder

RNG = np.random.default_rng(0)


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
    found = decoding.decode(content, (12, 12), "rgb")
    np.testing.assert_allclose(found, over_white(image), atol=1)
    gray = decoding.decode(content, (12, 12), "grayscale")
    expected = np.rint(over_white(image) @ (0.299, 0.587, 0.114))
    np.testing.assert_allclose(gray[..., 0], expected, atol=1)


def test_png_of_16_bits_and_with_a_transparent_colour(tmp_path):
    deep = picture(mode="I;16")
    found = decoding.decode(written(tmp_path / "a.png", deep), (12, 12), "grayscale")
    np.testing.assert_array_equal(found[..., 0], np.asarray(deep) >> 8)
    image = picture(mode="P")
    content = written(tmp_path / "b.png", image, transparency=image.getpixel((3, 2)))
    assert decoding.decode(content, (12, 12), "rgb")[2, 3].tolist() == [255] * 3


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(mode, tmp_path):
    image = picture(mode=mode).resize((48, 48), PIL.Image.Resampling.BICUBIC)
    content = written(tmp_path / "a.jpg", image, quality=95)
    found = decoding.decode(content, (48, 48), "rgb").astype(int)
    with PIL.Image.open(tmp_path / "a.jpg") as read:
        expected = np.asarray(read.convert("RGB"), int)
    # Decoders may round differently, and fill in colours.
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_photographs_are_turned_upright(orientation, order, tmp_path):
    corners = np.zeros((16, 24, 3), np.uint8)
    corners[:8, :8] = (255, 0, 0)
    corners[8:, 16:] = (0, 255, 0)
    exif = PIL.Image.Exif()
    exif.endian = order
    exif[0x010F] = "a camera"
    exif[0x0112] = orientation
    image = PIL.Image.fromarray(corners)
    content = written(tmp_path / "a.jpg", image, exif=exif, quality=95)
    with PIL.Image.open(tmp_path / "a.jpg") as read:
        expected = np.asarray(PIL.ImageOps.exif_transpose(read), int)
    found = decoding.decode(content, expected.shape[:2], "rgb").astype(int)
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize("suffix", ["webp", "gif", "bmp"])
def test_other_formats(suffix, tmp_path):
    image = picture().quantize(64).convert("RGB")
    lossless = {"lossless": True} if suffix == "webp" else {}
    content = written(tmp_path / f"a.{suffix}", image, **lossless)
    found = decoding.decode(content, (12, 12), "rgb")
    np.testing.assert_array_equal(found, np.asarray(image))


def test_webp_without_tensorflows_decoder(tmp_path, monkeypatch):
    image = picture(mode="RGBA")
    content = written(tmp_path / "a.webp", image, lossless=True, exact=True)
    monkeypatch.delattr(tf.io, "decode_webp", raising=False)
    found = decoding.decode(content, (12, 12), "rgb")
    np.testing.assert_allclose(found, over_white(image), atol=1)
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        decoding.decode(content, (12, 12), "rgb")


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
    assert (decoding.decode(content, (10, 10), "rgb") == 200).all()


@pytest.fixture(name="tree")
def fixture_tree(tmp_path):
    """Two classes of four images, with what else lies about in folders."""
    root = tmp_path / "images"
    for label, name in enumerate(["cats", "dogs"]):
        for number in range(4):
            value = 100 * label + 10 * number
            image = PIL.Image.new("RGB", (9 + number, 11), (value, value, value))
            image.save(written_folder(root / name) / f"{number}.PNG")
    (root / "cats" / ".hidden.png").write_bytes(b"x")
    (root / "notes.txt").write_text("not an image")
    return root


def written_folder(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


def values(batches):
    """One grey value for each image, back in [0, 255]."""
    rows = [np.asarray(batch)[:, 0, 0, 0] for batch in batches]
    return np.rint((np.concatenate(rows) + 1) * 127.5).astype(int).tolist()


EXPECTED = [0, 10, 20, 30, 100, 110, 120, 130]


def test_files_are_found_in_the_order_of_their_paths(tree):
    images = kgg.datasets.load_folder(tree, 8, 3, shuffle=False, drop_remainder=False)
    assert values(images) == EXPECTED
    assert images.class_names is None and len(images) == 3


def test_subfolders_are_classes(tree):
    pairs = kgg.datasets.load_folder(tree, 8, 8, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4 and labels.dtype == tf.int32
    assert values([images]) == EXPECTED
    assert pairs.class_names == ["cats", "dogs"]


@pytest.mark.parametrize("cached", [False, True])
def test_batches_are_a_function_of_seed_and_step(cached, tree, tmp_path):
    cache = tmp_path / "cache" if cached else None
    loaded = [
        kgg.datasets.load_folder(tree, 8, 3, seed, cache=cache, color_mode="grayscale")
        for seed in (1, 1, 2)
    ]
    first, again, other = ([values([b]) for b in each] * 1 for each in loaded)
    assert first == again != other
    second = [values([b]) for b in loaded[0]]
    assert second != first
    assert [values([b]) for b in loaded[1].starting_at(2)] == second
    assert [values([b]) for b in loaded[1].starting_at(1)] == first[1:]


def test_linked_folders_are_entered_once(tree, tmp_path):
    written_folder(tmp_path / "all")
    os.symlink(tree, tmp_path / "all" / "linked")
    os.symlink(tmp_path / "all", tree / "loop")
    found = kgg.datasets.load_folder(tmp_path / "all", 8, 8, shuffle=False)
    assert values(found) == EXPECTED


def test_remote_folders(tree, tmp_path):
    root = f"ram://{tmp_path.name}/images"
    for path in sorted(tree.rglob("*.PNG")):
        target = f"{root}/{path.relative_to(tree)}"
        tf.io.gfile.makedirs(os.path.dirname(target))
        with tf.io.gfile.GFile(target, "wb") as file:
            file.write(path.read_bytes())
    found = kgg.datasets.load_folder(root, 8, 8, shuffle=False, labels="subfolders")
    ((images, _),) = list(found)
    assert values([images]) == EXPECTED and found.class_names == ["cats", "dogs"]


def test_unreadable_files_are_named_and_left_out(tree):
    good = (tree / "cats" / "0.PNG").read_bytes()
    (tree / "cats" / "0a.png").write_bytes(b"")
    (tree / "cats" / "0b.png").write_bytes(good[: len(good) // 2])
    (tree / "dogs" / "9.webp").write_bytes(b"no image")
    text = r"3 of 11 .*'cats/0a.png', 'cats/0b.png', 'dogs/9.webp'"
    with pytest.warns(UserWarning, match=text):
        pairs = kgg.datasets.load_folder(tree, 8, 8, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    assert values([images]) == EXPECTED
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4


def test_the_cache_is_used_until_something_changes(tree, tmp_path, monkeypatch):
    cache, decoded = tmp_path / "cache", []
    plain = decoding.decode
    monkeypatch.setattr(
        decoding, "decode", lambda *args: decoded.append(1) or plain(*args)
    )

    def load(size=8):
        decoded.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = folder.folder_stream(tree, size, 8, cache=cache, shuffle=False)
        assert isinstance(stream.batch(0), tf.Tensor)
        return values([stream.batch(0)]), len(decoded)

    assert load() == (EXPECTED, 8)
    assert load() == (EXPECTED, 0)
    assert load(size=4) == (EXPECTED, 8)
    # An unreadable file does not come back as a row of zeros.
    (tree / "cats" / "00.png").write_bytes(b"broken")
    assert load() == (EXPECTED, 9)
    assert load() == (EXPECTED, 0)
    path = tree / "dogs" / "3.PNG"
    PIL.Image.new("RGB", (9, 9), (255, 255, 255)).save(path)
    os.utime(path, ns=(1, 1))
    assert load() == ([*EXPECTED[:-1], 255], 9)
    # What a killed process left behind is nobody's cache.
    for listing in cache.glob("*.json"):
        listing.unlink()
    assert load() == ([*EXPECTED[:-1], 255], 9)
    assert not [name for name in os.listdir(cache) if name.startswith(".")]


def test_a_full_disk_is_said_and_leaves_nothing(tree, tmp_path, monkeypatch):
    def fail(path, shape):
        path.write_bytes(b"a part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.disk_cache, "_reserve", fail)
    with pytest.raises(OSError, match=r"could not be kept in the cache.*Make room"):
        kgg.datasets.load_folder(tree, 8, 4, cache=tmp_path / "cache")
    assert not os.listdir(tmp_path / "cache")


def test_training_resumes_bit_for_bit_from_a_cache(tree, tmp_path):
    def train(epochs, checkpoints):
        keras.backend.clear_session()
        images = kgg.datasets.load_folder(tree, 8, 4, cache=tmp_path / "cache")
        pair = kgg.networks.dcgan_pair((8, 8, 3), latent_dim=2, base_filters=2, seed=0)
        gan = kgg.GAN(*pair, seed=0)
        gan.compile()
        saved = kgg.callbacks.Checkpoint(tmp_path / checkpoints)
        gan.fit(images, epochs=epochs, verbose=0, callbacks=[saved])
        return gan.get_weights()

    train(1, "a")
    for one, other in zip(train(3, "a"), train(3, "b"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "path, arguments, error, text",
    [
        ("nowhere", {}, FileNotFoundError, "'.*nowhere', which does not exist"),
        ("images/notes.txt", {}, ValueError, "notes.txt', a file"),
        ("empty", {}, ValueError, "with no files in it"),
        ("texts", {}, ValueError, "with only .csv, .txt files"),
        ("broken", {}, ValueError, r"2 image file\(s\) none can be read: 'a.png', 'b"),
        ("images", {"image_size": 0}, ValueError, "image_size=0"),
        ("images", {"image_size": "64"}, TypeError, "image_size='64'"),
        ("images", {"batch_size": 9}, ValueError, "batch_size=9 for 8 examples"),
        ("images", {"seed": -1}, ValueError, "seed=-1"),
        ("images", {"color_mode": "gray"}, ValueError, "color_mode='gray'"),
        ("images", {"labels": "folders"}, ValueError, "labels='folders'"),
        ("images/cats", {"labels": "subfolders"}, ValueError, "4 image.*'0.PNG'"),
        ("images", {"cache": "ram://x"}, ValueError, "cache='ram://x'"),
        (3, {}, TypeError, "path=3"),
    ],
)
def test_bad_input(path, arguments, error, text, tree, tmp_path):
    written_folder(tmp_path / "empty")
    for name in ("texts/a.txt", "texts/b.csv", "broken/a.png", "broken/b.jpg"):
        written_folder((tmp_path / name).parent)
        (tmp_path / name).write_bytes(b"text")
    given = tmp_path / path if isinstance(path, str) else path
    with pytest.raises(error, match=text):
        kgg.datasets.load_folder(given, **{"batch_size": 4, **arguments})


def test_too_many_for_memory(tree, monkeypatch):
    monkeypatch.setattr(folder, "_MEMORY_LIMIT", 8 * 8 * 8 * 3 - 1)
    with pytest.raises(ValueError, match=r"8 images of shape \(8, 8, 3\).*cache="):
        kgg.datasets.load_folder(tree, 8, 4)
