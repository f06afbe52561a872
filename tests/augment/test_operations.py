"""Each transformation against NumPy, given the numbers it draws."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.augment import adaptive, geometry

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (5, 8, 12, 3)).astype("float32")


def uniform(number, rows=5):
    return RNG.uniform(0, 1, (rows, number)).astype("float32")


def test_color():
    draws = uniform(3)
    found = kgg.augment.DiffAugment("color").augment(IMAGES, draws)
    for image, (b, s, c), result in zip(IMAGES, draws, found, strict=True):
        x = image + (b - 0.5)
        gray = x.mean(-1, keepdims=True)
        x = gray + 2 * s * (x - gray)
        expected = x.mean() + (c + 0.5) * (x - x.mean())
        np.testing.assert_allclose(result, expected, atol=1e-5)


def shifted(image, down, right):
    padded = np.pad(image, ((20, 20), (20, 20), (0, 0)))
    height, width = image.shape[:2]
    return padded[20 - down : 20 - down + height, 20 - right : 20 - right + width]


def test_translation_reaches_an_eighth_of_each_side_and_no_more():
    draws = np.stack([np.linspace(0, 0.999, 40)] * 2, axis=1).astype("float32")
    images = np.repeat(IMAGES[:1], 40, axis=0)
    found = kgg.augment.DiffAugment("translation").augment(images, draws).numpy()
    seen = set()
    for (u, v), result in zip(draws, found, strict=True):
        down, right = int(u * 3) - 1, int(v * 5) - 2
        np.testing.assert_array_equal(result, shifted(images[0], down, right))
        seen.add((down, right))
    assert {d for d, _ in seen} == {-1, 0, 1} and {r for _, r in seen} == {
        *range(-2, 3)
    }


def test_cutout_takes_half_of_each_side():
    draws = uniform(2)
    found = kgg.augment.DiffAugment("cutout").augment(IMAGES, draws).numpy()
    for image, (u, v), result in zip(IMAGES, draws, found, strict=True):
        top, left = int(u * 9) - 2, int(v * 13) - 3
        expected = image.copy()
        expected[max(top, 0) : top + 4, max(left, 0) : left + 6] = 0
        np.testing.assert_array_equal(result, expected)


def matrices(*rows):
    return tf.constant(np.array(rows, "float32"))


@pytest.mark.parametrize(
    "matrix, expected",
    [
        ([[1, 0, 0], [0, 1, 0]], lambda image: image),
        ([[-1, 0, 0], [0, 1, 0]], lambda image: image[:, ::-1]),
        ([[1, 0, 0], [0, -1, 0]], lambda image: image[::-1]),
        # What comes in at the border is mirrored.
        (
            [[1, 0, -2], [0, 1, 0]],
            lambda x: np.pad(x, ((0, 0), (2, 0), (0, 0)), "reflect")[:, :-2],
        ),
        (
            [[1, 0, 0], [0, 1, 3]],
            lambda x: np.pad(x, ((0, 3), (0, 0), (0, 0)), "reflect")[3:],
        ),
    ],
)
def test_warps_that_move_whole_pixels(matrix, expected):
    found = geometry.warp(IMAGES[:1], matrices(matrix))
    np.testing.assert_allclose(found[0], expected(IMAGES[0]), atol=1e-5)


def test_a_quarter_turn_and_half_a_pixel():
    square = IMAGES[:1, :, :8]
    turn = geometry.rotation(tf.constant([np.pi / 2]))[:, :2]
    found = geometry.warp(square, turn)
    # (x, y) comes from (-y, x): rows of the result are columns of the image.
    expected = np.transpose(square[0], (1, 0, 2))[::1, ::-1]
    close = [np.abs(found[0] - np.rot90(square[0], turns)).max() for turns in (1, 3)]
    assert min(close) < 1e-4 and expected.shape == square[0].shape
    half = geometry.warp(IMAGES[:1], matrices([[1, 0, 0.5], [0, 1, 0]]))
    mean = (IMAGES[0, :, :-1] + IMAGES[0, :, 1:]) / 2
    np.testing.assert_allclose(half[0, :, :-1], mean, atol=1e-5)


def test_matrices_compose():
    x = tf.constant([2.0])
    move = geometry.translation(x, x) @ geometry.scaling(x, 3 * x)
    np.testing.assert_allclose(move[0] @ [[1.0], [1.0], [1.0]], [[4.0], [8.0], [1.0]])


def test_adaptive_does_nothing_at_zero_and_all_at_one():
    still = kgg.augment.Adaptive(initial=0.0)
    draws = uniform(still.num_draws)
    np.testing.assert_allclose(still.augment(IMAGES, draws), IMAGES, atol=1e-5)
    all_of_it = kgg.augment.Adaptive(initial=1.0)
    changed = np.abs(all_of_it.augment(IMAGES, draws) - IMAGES).mean((1, 2, 3))
    assert (changed > 0.1).all()


def test_all_draws_are_used_by_colours():
    draws = iter(tf.unstack(tf.constant(uniform(28)), axis=1))

    def given(value, otherwise, chance=1.0):
        return tf.where(next(draws) < chance, value, otherwise)

    adaptive._moved(IMAGES, draws, given, tf.constant(1.0))
    adaptive._colored(tf.constant(IMAGES), draws, given)
    assert next(draws, None) is None


def test_colour_keeps_grey_grey_and_saturation_stretches_about_it():
    grey = np.repeat(IMAGES[..., :1], 3, axis=-1)
    draws = iter(tf.unstack(tf.constant(uniform(12)), axis=1))

    def given(value, otherwise, chance=1.0):
        next(draws)
        return value

    found = adaptive._colored(tf.constant(grey), draws, given).numpy()
    np.testing.assert_allclose(found - found[..., :1], 0, atol=1e-5)


def test_normal_numbers():
    found = geometry.normal(tf.constant(RNG.uniform(size=20_000))).numpy()
    assert abs(found.mean()) < 0.03 and abs(found.std() - 1) < 0.03
    assert np.isfinite(geometry.normal(tf.constant([0.0, 1 - 2.0**-24]))).all()


@pytest.mark.parametrize(
    "augment", [kgg.augment.DiffAugment(), kgg.augment.Adaptive(initial=0.9)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_reach_the_images_and_xla_agrees(augment, channels):
    images = tf.constant(IMAGES[..., :channels])
    draws = tf.constant(uniform(augment.num_draws))

    def loss(x):
        return tf.reduce_sum(tf.sin(3.0 * augment.augment(x, draws)))

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        return tape.gradient(value, x)

    slope = gradient(images)
    direction = RNG.normal(size=images.shape).astype("float32")
    step = 1e-2
    difference = loss(images + step * direction) - loss(images - step * direction)
    along = float(tf.reduce_sum(slope * direction))
    assert float(difference) / (2 * step) == pytest.approx(along, rel=0.03, abs=0.5)
    compiled = tf.function(gradient, jit_compile=True)(images)
    np.testing.assert_allclose(compiled, slope, atol=2e-3)
