"""Images of TFDS: mocked ones by default, real ones where they are at hand."""

import socket
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_gamegan.datasets as datasets
from keras_gamegan.datasets import resizing


@pytest.fixture(name="mock")
def fixture_mock():
    """Fashion-MNIST and its like as 100 examples of random pixels."""
    with tfds.testing.mock_data(num_examples=100):
        yield


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize(
    ("name", "image_size", "shape"),
    [
        ("fashion_mnist", None, (28, 28, 1)),
        ("cifar10", None, (32, 32, 3)),
        ("fashion_mnist", 32, (32, 32, 1)),
        ("cifar10", (16, 24), (16, 24, 3)),
    ],
)
def test_elements(name, image_size, shape, cache):
    data = datasets.load_images(
        name, image_size=image_size, batch_size=32, with_labels=True, cache=cache
    )
    assert len(data) == 3
    assert data.element_spec == (
        tf.TensorSpec((32, *shape), tf.float32),
        tf.TensorSpec((32,), tf.int32),
    )
    for images, labels in data:
        assert images.numpy().min() >= -1.0 and images.numpy().max() <= 1.0
        assert images.numpy().std() > 0.1  # Not scaled twice.
        assert labels.numpy().min() >= 0 and labels.numpy().max() < 10


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize("cache", [True, False])
def test_order_follows_the_seed_and_differs_each_epoch(cache):
    def epochs(seed):
        data = datasets.load_images("mnist", batch_size=20, seed=seed, cache=cache)
        return [np.concatenate(list(data)) for _ in range(2)]

    first, second = epochs(0)
    np.testing.assert_array_equal(epochs(0), [first, second])
    assert not np.array_equal(first, second)
    assert not np.array_equal(epochs(1)[0], first)

    def ordered(images):
        return np.sort(images.reshape(100, -1).sum(axis=1, dtype=np.float64))

    np.testing.assert_allclose(ordered(first), ordered(second))


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize("cache", [True, False])
def test_cached_and_streamed_images_are_the_arrays(cache):
    arrays, labels = datasets.load_arrays("mnist", with_labels=True, num_examples=30)
    assert arrays.shape == (30, 28, 28, 1) and arrays.dtype == np.uint8
    assert labels.shape == (30,) and labels.dtype == np.int32
    data = datasets.load_images(
        "mnist",
        num_examples=30,
        batch_size=20,
        shuffle=False,
        drop_remainder=False,
        with_labels=True,
        cache=cache,
    )
    images, classes = (np.concatenate(part) for part in zip(*data, strict=True))
    np.testing.assert_allclose(images, arrays / 255.0 * 2.0 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(classes, labels)


@pytest.mark.usefixtures("mock")
def test_fit_takes_it():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = datasets.load_images("mnist", batch_size=25, with_labels=True)
    history = model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    assert int(model.optimizer.iterations) == 8


def test_resizing_keeps_constants_and_does_not_alias():
    # A checkerboard of single pixels is grey at half its size; without antialiasing it
    # would come out black, white or striped.
    board = np.indices((32, 32)).sum(axis=0) % 2 * 255
    board = tf.constant(board[:, :, None], tf.uint8)
    small = resizing.crop_and_resize(board, (16, 16)).numpy()
    assert np.all(np.abs(small[2:-2, 2:-2].astype(float) - 127.5) < 16)
    flat = tf.fill((20, 30, 3), tf.constant(77, tf.uint8))
    for size in ((10, 10), (40, 8), (64, 64)):
        resized = resizing.crop_and_resize(flat, size)
        assert resized.shape == (*size, 3)
        np.testing.assert_array_equal(resized, np.full((*size, 3), 77))


def test_resizing_crops_instead_of_distorting():
    # The sides of a wide image are cut off, so only the middle band is left.
    image = np.zeros((10, 30, 1), np.uint8)
    image[:, 10:20] = 200
    np.testing.assert_array_equal(
        resizing.crop_and_resize(tf.constant(image), (5, 5)), np.full((5, 5, 1), 200)
    )
    same = tf.constant(image)
    assert resizing.crop_and_resize(same, (10, 30)) is same


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"name": "fashion_mnits"}, ValueError, r"Did you mean .*'fashion_mnist'"),
        ({"name": 3}, TypeError, r"name=3"),
        ({"name": "imdb_reviews"}, ValueError, r'"image".*imdb_reviews'),
        ({"image_size": 0}, ValueError, r"image_size=0"),
        ({"image_size": (8, -1)}, ValueError, r"image_size=-1"),
        ({"image_size": (8, 8, 3)}, ValueError, r"pair.*\(8, 8, 3\)"),
        ({"image_size": 8.0}, TypeError, r"image_size=8.0"),
        ({"split": None}, TypeError, r"split=None"),
        ({"batch_size": 101}, ValueError, r"batch_size=101 for 100 examples"),
        ({"num_examples": 0}, ValueError, r"num_examples=0"),
        ({"seed": -1}, ValueError, r"seed=-1"),
        ({"name": "celeb_a", "with_labels": True}, ValueError, r'"label".*celeb_a'),
        ({"name": "oxford_flowers102"}, ValueError, r"image_size=64"),
    ],
)
def test_errors(arguments, error, match):
    with pytest.raises(error, match=match):
        datasets.load_images(**{"name": "mnist", **arguments})


@pytest.mark.usefixtures("mock")
def test_too_large_for_memory():
    with pytest.raises(ValueError, match=r"which take 0.00 GiB.*cache=False"):
        datasets.load_arrays("mnist", memory_limit=100 * 28 * 28 - 1)
    arrays = datasets.load_arrays("mnist", memory_limit=100 * 28 * 28)
    assert len(arrays) == 100


def test_a_tfds_that_imports_in_part_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", types.ModuleType("tfds"))
    with pytest.raises(ImportError, match="'tensorflow-metadata<1"):
        datasets.load_images("mnist")


def test_missing_data_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"download=True.*tfds.load\('mnist'"):
        datasets.load_images("mnist", data_dir=str(tmp_path), download=False)


def test_failed_download_says_what_to_do(tmp_path, monkeypatch):
    def fail(self):
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(RuntimeError, match=r"no route to host.*copy that folder"):
        datasets.load_images("mnist", data_dir=str(tmp_path))


def test_without_a_network_it_is_said_at_once(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("Name or service not known")

    def never(self):
        raise AssertionError("TFDS tried for minutes.")

    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", never)
    text = r"must download 'mnist'.*no network.*data_dir='prepared'"
    with pytest.raises(RuntimeError, match=text):
        datasets.load_images("mnist", data_dir=str(tmp_path))


def test_unknown_split_real_data(data_dir):
    with pytest.raises(ValueError, match=r"\['test', 'train'\].*split='val'"):
        datasets.load_images("fashion_mnist", "val", data_dir=data_dir)
    for split in ("train[5000000:]", "train[:ten]", "train[:0]"):
        with pytest.raises(ValueError, match=r"(?s)split='train\[.*like 'train"):
            datasets.load_arrays("fashion_mnist", split, data_dir=data_dir)


def test_fashion_mnist_real_data(data_dir):
    images, labels = datasets.load_arrays(
        "fashion_mnist", "test", data_dir=data_dir, with_labels=True, download=False
    )
    assert images.shape == (10_000, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 1000))
    # The published mean of the training set is 72.9; the test set is close to it.
    assert abs(images.mean() - 72.9) < 1.0
    data = datasets.load_images("fashion_mnist", "test[:10%]", 32, data_dir)
    assert len(data) == 1000 // 64
    batch = next(iter(data)).numpy()
    assert batch.shape == (64, 32, 32, 1)
    assert batch.min() == -1.0 and batch.max() > 0.9


def test_streamed_real_data(data_dir):
    def epochs():
        data = datasets.load_images(
            "mnist", "test", data_dir=data_dir, num_examples=500, cache=False, seed=7
        )
        return [np.concatenate(list(data)) for _ in range(2)]

    first, second = epochs()
    assert first.shape == (448, 28, 28, 1)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(epochs(), [first, second])
