"""What is drawn of samples of which shape, pixel by pixel."""

import numpy as np
import pytest

from keras_gamegan.sampling import pictures

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
