"""What is drawn of samples of which shape, pixel by pixel; and when it is checked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.callbacks import pictures

RNG = np.random.default_rng(0)


def drawn(*shape, number=4):
    return pictures.draw(RNG.uniform(-1, 1, (number, *shape)), (-1, 1))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # A grid of 2 x 2 of images with borders of 1.
        ((28, 28), (59, 59, 1)),
        ((8, 6), (19, 15, 1)),
        ((8, 6, 1), (19, 15, 1)),
        ((8, 6, 3), (19, 15, 3)),
        ((8, 6, 4), (19, 15, 3)),
        ((1, 8, 6), (19, 15, 1)),
        ((3, 8, 6), (19, 15, 3)),
        ((4, 8, 6), (19, 15, 3)),
        ((4, 4), (11, 11, 1)),
        # The last axis is asked first.
        ((3, 8, 3), (9, 19, 3)),
        # Channels that are no colours: as many grey images beside each other.
        ((8, 6, 2), (19, 29, 1)),
        ((2, 8, 6), (19, 29, 1)),
        ((8, 8, 5), (19, 91, 1)),
        ((5, 8, 8), (19, 91, 1)),
        # Slices beside each other.
        ((5, 8, 6, 1), (19, 71, 1)),
        ((5, 8, 6, 3), (19, 71, 3)),
        ((5, 8, 6, 4), (19, 71, 3)),
        ((3, 5, 8, 6), (19, 71, 3)),
        ((5, 8, 6, 2), (19, 141, 1)),
    ],
)
def test_images_by_shape(shape, expected):
    picture = drawn(*shape)
    assert picture.dtype == np.uint8
    assert picture.shape == expected


def test_pixels_of_images():
    ramp = np.array([[-1.0, 0.0, 1.0, 1.0, -0.6], [1.0, -1.0, np.nan, 0.2, 0.0]])
    pixels = np.array([[0, 128, 255, 255, 51], [255, 0, 0, 153, 128]], np.uint8)
    border = np.pad(pixels, 1, constant_values=128)[..., None]
    for samples in (ramp[None], ramp[None, ..., None], ramp[None, None]):
        picture = pictures.draw(samples, (-1, 1))
        np.testing.assert_array_equal(picture, border)
    # Out of range is cut off; without a range, the samples' own is taken.
    picture = pictures.draw(10 * ramp[None, ..., None], (-1, 1))
    expected = [[0, 128, 255, 255, 0], [255, 0, 0, 255, 128]]
    np.testing.assert_array_equal(picture[1:-1, 1:-1, 0], expected)
    picture = pictures.draw(7 * ramp[None] + 3)
    np.testing.assert_array_equal(picture[1:-1, 1:-1, 0], pixels)
    assert (pictures.draw(np.full((1, 4, 4), 5.0))[1:-1, 1:-1] == 0).all()


def test_pixels_of_colours_and_channels():
    colours = np.array([1.0, -1.0, 0.0, 1.0])
    expected = {3: [255, 0, 128], 4: [255, 0, 128]}
    for channels, pixel in expected.items():
        last = np.broadcast_to(colours[:channels], (1, 5, 5, channels))
        for samples in (last, np.moveaxis(last, -1, 1)):
            picture = pictures.draw(samples, (-1, 1))
            assert picture[3, 3].tolist() == pixel
    for alpha, pixel in ((-1.0, [255, 255, 255]), (0.0, [255, 128, 191])):
        samples = np.broadcast_to([1.0, -1.0, 0.0, alpha], (1, 5, 5, 4))
        assert pictures.draw(samples, (-1, 1))[3, 3].tolist() == pixel
    two = np.broadcast_to([1.0, -1.0], (1, 5, 5, 2))
    row = [128, *[255] * 5, 128, *[0] * 5, 128]
    for samples in (two, np.moveaxis(two, -1, 1)):
        assert pictures.draw(samples, (-1, 1))[3, :, 0].tolist() == row
    slices = np.array([-1.0, 1.0])[None, :, None, None, None] * np.ones((1, 2, 5, 5, 1))
    row = [128, *[0] * 5, 128, *[255] * 5, 128]
    assert pictures.draw(slices, (-1, 1))[3, :, 0].tolist() == row


@pytest.mark.parametrize("shape", [(24, 1), (24, 3), (12, 4), (64, 16), (2, 1)])
def test_series_are_lines(shape):
    samples = RNG.uniform(-1, 1, (5, *shape))
    figure = pictures.draw(samples, (-1, 1))
    (axes,) = figure.axes
    length, channels = shape
    assert len(axes.lines) == 5 * channels
    # The last channel of the fourth sample: first cell of the second row of three.
    x, y = axes.lines[4 * channels - 1].get_data()
    assert len(x) == length and x.min() >= 0 and x.max() <= 1
    expected = -2 + 0.05 + 0.9 * (samples[3, :, -1] + 1) / 2
    np.testing.assert_allclose(y, expected)
    assert f"{length} steps of {channels}" in axes.get_title()


def test_points_are_scattered_or_counted():
    points = RNG.normal(size=(40, 7))
    for dimension, names in ((2, ("", "")), (7, ("coordinate 1 of 7", "2 of 7"))):
        (axes,) = pictures.draw(points[:, :dimension]).axes
        (found,) = axes.collections
        np.testing.assert_allclose(found.get_offsets(), points[:, :2])
        assert axes.get_xlabel() == names[0]
        assert axes.get_ylabel().endswith(names[1])
    for samples in (points[:, :1], points[:, 0]):
        (axes,) = pictures.draw(samples).axes
        heights = [bar.get_height() for bar in axes.patches]
        np.testing.assert_array_equal(heights, np.histogram(points[:, 0], 7)[0])
    with pytest.raises(ValueError, match=r"Received: samples of shape \(2, 2, 2, 2, 2"):
        drawn(2, 2, 2, 2, 2)


def make(shape, activation="tanh", classes=None):
    """A compiled GAN whose generator ends in an activation."""
    size = int(np.prod(shape))
    if classes:
        pair = kgg.networks.mlp_pair(2, 4, width=8, num_classes=classes, seed=0)
    else:
        pair = (
            keras.Sequential(
                [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)]
            ),
            keras.Sequential(
                [
                    keras.Input((4,)),
                    keras.layers.Dense(size, activation=activation),
                    keras.layers.Reshape(shape),
                ]
            ),
        )
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    return gan


def begin(gan, folder, **arguments):
    """What `fit` does before its first step; returns the callback."""
    grid = kgg.callbacks.SampleGrid(folder, **arguments)
    grid.set_model(gan)
    grid.on_train_begin()
    return grid


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", (-1, 1)),
        ("sigmoid", (0, 1)),
        ("softmax", (0, 1)),
        ("relu", None),
        (None, None),
    ],
)
def test_the_range_is_that_of_the_generator(activation, expected, tmp_path):
    gan = make((6, 6, 1), activation)
    grid = begin(gan, tmp_path, num_samples=4, seed=3)
    grid.on_epoch_end(0)
    picture = tf.io.decode_png((tmp_path / "epoch_001.png").read_bytes()).numpy()
    samples = gan.sample(4, seed=3)
    low, high = expected or (samples.min(), samples.max())
    pixels = np.rint((samples[0] - low) / (high - low) * 255)
    np.testing.assert_allclose(picture[1:7, 1:7], pixels, atol=1)
    given = begin(gan, tmp_path, value_range=(-4, 4))
    assert abs(int(given._picture()[3, 3, 0]) - 128) < 64


@pytest.mark.parametrize("shape", [(8, 8, 2), (3, 8, 8), (24, 3), (4, 8, 8, 1), (7,)])
def test_every_shape_is_written(shape, tmp_path):
    grid = begin(make(shape), tmp_path, num_samples=5)
    assert not list(tmp_path.iterdir())
    grid.on_epoch_end(0)
    picture = tf.io.decode_png((tmp_path / "epoch_001.png").read_bytes()).numpy()
    assert len(np.unique(picture)) > 2


def test_what_cannot_be_drawn_is_told_when_training_begins(tmp_path):
    gan = make((2, 2, 2, 2, 2))
    data = np.zeros((8, 2, 2, 2, 2, 2), "float32")
    with pytest.raises(ValueError, match="Leave SampleGrid out"):
        gan.fit(data, verbose=0, callbacks=[kgg.callbacks.SampleGrid(tmp_path)])
    assert gan.num_steps == 0

    gan = make((2,), classes=10)
    with pytest.raises(
        ValueError, match=r"10 labels for num_samples=64.*np\.resize\(labels, 64\)"
    ):
        begin(gan, tmp_path, labels=np.arange(10))
    with pytest.raises(ValueError, match="labels"):
        begin(gan, tmp_path)
    assert isinstance(
        begin(gan, tmp_path, labels=np.arange(64) % 10).labels, np.ndarray
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value_range", [(1, 1), (1, -1), (1,), 1.0, (0, 1, 2)])
def test_bad_ranges(value_range, tmp_path):
    with pytest.raises(ValueError, match=r"must be a pair.*Received: value_range="):
        kgg.callbacks.SampleGrid(tmp_path, value_range=value_range)
    with pytest.raises(TypeError, match="`value_range` must be a number"):
        kgg.callbacks.SampleGrid(tmp_path, value_range=("black", "white"))
