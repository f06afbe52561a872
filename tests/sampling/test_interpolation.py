"""Great circles between latents."""

import numpy as np
import pytest

from keras_gamegan.sampling import interpolation

RNG = np.random.default_rng(0)


def slerp(a, b, t):
    """As Shoemake writes it."""
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def test_the_formula():
    a, b = RNG.normal(size=(2, 16))
    found = interpolation.path(np.stack([a, b]), 7)
    expected = [slerp(a, b, t) for t in np.linspace(0, 1, 7)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_array_equal(found[[0, -1]], [a, b])


def test_latents_of_one_norm_keep_it_and_turn_evenly():
    ends = RNG.normal(size=(2, 2, 3))
    ends /= np.linalg.norm(ends, axis=(1, 2), keepdims=True)
    found = interpolation.path(ends.astype("float32"), 9)
    assert found.shape == (9, 2, 3) and found.dtype == np.float32
    flat = found.reshape(9, 6)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1.0, rtol=1e-6)
    cosines = np.sum(flat[1:] * flat[:-1], axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)


def test_more_points_are_stations():
    points = RNG.normal(size=(3, 5))
    found = interpolation.path(points, 5)
    np.testing.assert_array_equal(found[::2], points)
    np.testing.assert_allclose(found[1], slerp(*points[:2], 0.5))
    np.testing.assert_allclose(found[3], slerp(*points[1:], 0.5))


@pytest.mark.parametrize("factor", [1.0, 2.0, 1.0 + 1e-12, 0.0])
def test_parallel_latents_are_joined_by_a_line(factor):
    a = RNG.normal(size=4)
    found = interpolation.path(np.stack([a, factor * a]), 3)
    np.testing.assert_allclose(found[1], (1 + factor) / 2 * a, rtol=1e-12)


@pytest.mark.parametrize("factor", [-1.0, -3.0, -1.0 - 1e-12])
def test_antiparallel_latents_go_round_the_origin(factor):
    a = RNG.normal(size=4)
    found = interpolation.path(np.stack([a, factor * a]), 5)
    norms = np.linspace(1.0, -factor, 5) * np.linalg.norm(a)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), norms)
    assert abs(found[2] @ a) < 1e-9
    np.testing.assert_allclose(found[-1], factor * a)
    # In one dimension there is no way round.
    line = interpolation.path(np.array([[1.0], [factor]]), 3)
    np.testing.assert_allclose(line[1], (1 + factor) / 2)
