"""Folders of image files."""

import os
import warnings

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.datasets import decoding, folder


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
