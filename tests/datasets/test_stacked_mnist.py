"""Stacked MNIST: uniform modes, stacked as the labels say, at any step at once."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_gamegan as kgg
from keras_gamegan.datasets import images


def coded_digits():
    """30 images of MNIST's shape whose grey says which they are, three of a digit."""
    number = np.arange(30)
    grey = (8 * number).astype("uint8")
    return np.tile(grey[:, None, None, None], (1, 28, 28, 1)), number // 3


@pytest.fixture(name="digits")
def fixture_digits(monkeypatch):
    """Coded digits in MNIST's place, in an order that is not that of the labels."""
    found, labels = coded_digits()
    order = np.random.default_rng(0).permutation(30)
    loaded = found[order], labels[order].astype("int32")
    monkeypatch.setattr(images, "load_arrays", lambda *_, **__: loaded)


@pytest.fixture(name="mock")
def fixture_mock():
    with tfds.testing.mock_data(num_examples=100):
        yield


def draws(seed, steps):
    data = kgg.datasets.stacked_mnist(14, 30, seed, with_labels=True).repeat()
    parts = zip(*data.take(steps), strict=True)
    return tuple(np.concatenate([part.numpy() for part in each]) for each in parts)


@pytest.mark.usefixtures("digits")
def test_every_channel_is_an_image_of_its_digit():
    stacked, modes = draws(0, 20)
    assert stacked.shape == (600, 14, 14, 3) and stacked.dtype == np.float32
    assert modes.dtype == np.int32 and modes.min() >= 0 and modes.max() < 1000
    # The means of blocks of one grey are that grey.
    grey = (stacked + 1.0) * 127.5
    assert np.ptp(grey, axis=(1, 2)).max() < 1e-4
    numbers = np.round(grey[:, 0, 0] / 8).astype(int)
    digits = np.stack([modes // 100, modes // 10 % 10, modes % 10], axis=1)
    np.testing.assert_array_equal(numbers // 3, digits)


@pytest.mark.usefixtures("digits")
def test_digits_and_their_images_are_uniform_and_independent():
    stacked, modes = draws(1, 400)
    numbers = np.round((stacked[:, 0, 0] + 1.0) * 127.5 / 8).astype(int)
    # Chi-square tests at 1e-4: of images in each channel, of pairs of channels, of the
    # image drawn given its digit in another channel, and of the thousand modes.
    for channel in range(3):
        assert _surprise(np.bincount(numbers[:, channel], minlength=30)) > 1e-4
    for one, other in ((0, 1), (1, 2), (0, 2)):
        pairs = numbers[:, one] // 3 * 10 + numbers[:, other] // 3
        assert _surprise(np.bincount(pairs, minlength=100)) > 1e-4
        pairs = numbers[:, one] % 3 * 10 + numbers[:, other] // 3
        assert _surprise(np.bincount(pairs, minlength=30)) > 1e-4
    assert _surprise(np.bincount(modes, minlength=1000)) > 1e-4


def _surprise(counts):
    import scipy.stats

    return scipy.stats.chisquare(counts).pvalue


@pytest.mark.usefixtures("mock")
def test_a_stream_is_a_function_of_seed_and_step():
    def batches(seed, start=0):
        data = kgg.datasets.stacked_mnist(7, 20, seed).starting_at(start).repeat()
        return np.stack([batch.numpy() for batch in data.take(12)])

    first = batches(0)
    np.testing.assert_array_equal(batches(0), first)
    np.testing.assert_array_equal(batches(0, start=7)[:5], first[7:])
    assert not np.array_equal(batches(1), first)
    # No step repeats another: epochs, of 5 steps here, differ.
    assert len({batch.tobytes() for batch in first}) == 12


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize("image_size", [28, 14, 7, 32, 20])
def test_sizes(image_size):
    data = kgg.datasets.stacked_mnist(image_size, 50)
    assert len(data) == 2
    assert data.element_spec == tf.TensorSpec((50, image_size, image_size, 3))
    for batch in data:
        assert batch.numpy().min() >= -1.0 and batch.numpy().max() <= 1.0
        assert batch.numpy().std() > 0.05


def test_a_smaller_image_is_the_mean_of_blocks(monkeypatch):
    digits = np.random.default_rng(0).integers(0, 256, (10, 28, 28, 1), np.uint8)
    monkeypatch.setattr(images, "load_arrays", lambda *_, **__: (digits, np.arange(10)))
    data = kgg.datasets.stacked_mnist(14, 10, with_labels=True)
    stacked, modes = (part.numpy() for part in next(iter(data)))
    for image, mode in zip(stacked, modes, strict=True):
        for channel, digit in enumerate((mode // 100, mode // 10 % 10, mode % 10)):
            for row, column in ((0, 0), (3, 5), (13, 13)):
                corner = digits[digit, 2 * row :, 2 * column :]
                expected = np.round(corner[:2, :2].mean()) / 127.5 - 1.0
                found = image[row, column, channel]
                np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.usefixtures("mock")
def test_a_killed_run_goes_on_with_the_same_images(tmp_path):
    def trained(epochs, stop_after):
        pair = kgg.networks.dcgan_pair((14, 14, 3), 4, base_filters=2, seed=0)
        gan = kgg.GAN(*pair, seed=0)
        gan.compile(*(keras.optimizers.Adam(1e-3) for _ in range(2)))
        data = kgg.datasets.stacked_mnist(14, 20, seed=3)
        folder = str(tmp_path / str(stop_after))
        for number in sorted({stop_after, epochs}):
            checkpoint = kgg.callbacks.Checkpoint(folder)
            gan.fit(data, epochs=number, callbacks=[checkpoint], verbose=0)
        return gan.get_weights()

    for one, other in zip(trained(4, 4), trained(4, 1), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"image_size": 6}, ValueError, r"image_size=6. Smaller digits cannot"),
        ({"image_size": (14, 14)}, TypeError, r"integer.*image_size=\(14, 14\)"),
        ({"image_size": 14.0}, TypeError, r"image_size=14.0"),
        ({"batch_size": 0}, ValueError, r"batch_size=0"),
        ({"batch_size": 101}, ValueError, r"batch_size=101 for 100 .*smaller batch"),
        ({"seed": -1}, ValueError, r"seed=-1"),
        ({"split": 3}, TypeError, r"split=3"),
    ],
)
def test_errors(arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.datasets.stacked_mnist(**arguments)


def test_a_split_without_a_digit_is_refused():
    with (
        tfds.testing.mock_data(num_examples=4),
        pytest.raises(ValueError, match=r"all ten digits.*'train', which lacks \["),
    ):
        kgg.datasets.stacked_mnist(batch_size=2)


def test_missing_data_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"download=True.*tfds.load\('mnist'"):
        kgg.datasets.stacked_mnist(data_dir=tmp_path, download=False)


def test_stacked_mnist_real_data(data_dir):
    data = kgg.datasets.stacked_mnist(
        batch_size=500, split="test", data_dir=data_dir, with_labels=True
    )
    stacked, modes = (np.concatenate(list(part)) for part in zip(*data, strict=True))
    assert stacked.shape == (10_000, 28, 28, 3)
    assert len(np.unique(modes)) > 990
    # Each channel of a mode is near the mean image of its digit.
    digits, labels = images.load_arrays("mnist", "test", None, data_dir, None, True)
    means = np.stack([digits[labels == digit].mean(axis=0) for digit in range(10)])
    centered = means / 127.5 - 1.0
    distances = np.square(stacked[:500, None, ..., 1:2] - centered).sum((2, 3, 4))
    nearest = distances.argmin(axis=1)
    assert np.mean(nearest == modes[:500] // 10 % 10) > 0.7
