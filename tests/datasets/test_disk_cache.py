"""Decoded images that are kept on disk."""

import os
import warnings

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.datasets import decoding, folder
from tests.datasets.trees import EXPECTED, values


def test_the_cache_is_used_until_something_changes(tree, tmp_path, monkeypatch):
    cache, decoded = tmp_path / "cache", []
    plain = decoding.read
    monkeypatch.setattr(
        decoding, "read", lambda *args: decoded.append(1) or plain(*args)
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


def cut(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize(
    "kind, damage",
    [
        ("rows", cut),
        ("rows", lambda path: path.write_bytes(b"")),
        ("rows", lambda path: path.write_bytes(path.read_bytes() + b"more")),
        ("rows", os.unlink),
        ("json", cut),
        ("json", lambda path: path.write_bytes(b"")),
        ("json", lambda path: path.write_bytes(b"\xff")),
        ("json", lambda path: path.write_text("{}")),
        ("json", lambda path: path.write_text("[0, 1, 9]")),
        ("json", lambda path: path.write_text("[1, 0]")),
        ("json", lambda path: path.write_text("[[0]]")),
        ("json", lambda path: path.write_text("[-1]")),
    ],
)
def test_a_damaged_cache_is_made_anew(kind, damage, tree, tmp_path):
    def load():
        stream = folder.folder_stream(tree, 8, 8, cache=tmp_path, shuffle=False)
        return values([stream.batch(0)])

    assert load() == EXPECTED
    (path,) = tmp_path.glob(f"*.{kind}")
    damage(path)
    assert load() == EXPECTED
    assert len(os.listdir(tmp_path)) == 3  # The images, their rows, and the listing.


def test_a_cache_that_is_no_folder_is_refused(tree, tmp_path):
    (tmp_path / "file").write_text("a user's")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"`cache` must be a place.*cache='.*file"):
            kgg.datasets.load_folder(tree, 8, 4, cache=path)
    assert (tmp_path / "file").read_text() == "a user's"
