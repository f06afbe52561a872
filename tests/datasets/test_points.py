"""Synthetic points against the densities they claim."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan.datasets as datasets


def nearest(points, centers):
    distances = np.linalg.norm(points[:, None] - centers[None], axis=-1)
    return distances.argmin(axis=1), distances.min(axis=1)


@pytest.mark.parametrize("num_modes", [1, 2, 8])
def test_ring_has_all_its_modes(num_modes):
    data = datasets.gaussian_ring(num_modes, radius=3.0)
    expected = [
        3.0 * np.exp(2j * np.pi * number / num_modes) for number in range(num_modes)
    ]
    np.testing.assert_allclose(data.centers @ [1, 1j], expected, atol=1e-6)
    assert data.num_modes == num_modes and data.data_dim == 2
    # The trap: an end point that is the first point again.
    assert len(np.unique(data.centers.round(3), axis=0)) == num_modes


@pytest.mark.parametrize(
    "data",
    [
        datasets.gaussian_ring(),
        datasets.gaussian_ring(radius=2.0, standard_deviation=0.02, divisor=1.414),
        datasets.gaussian_grid(),
        datasets.gaussian_grid(coordinates=(-6, -2, 2)),
    ],
)
def test_mixture_moments(data):
    count = 20_000
    points, labels = data.sample(count, seed=1, with_labels=True)
    assert points.shape == (count, 2) and points.dtype == np.float32
    assert labels.shape == (count,) and labels.dtype == np.int32
    mode, _ = nearest(points, data.centers)
    np.testing.assert_array_equal(mode, labels)  # The modes are many deviations apart.
    counts = np.bincount(mode, minlength=data.num_modes)
    share = 1.0 / data.num_modes
    bound = 5 * np.sqrt(count * share * (1 - share))
    assert np.all(np.abs(counts - count * share) < bound)
    noise = (points - data.centers[labels]) / data.standard_deviation
    np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=5 / np.sqrt(count))
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.05)
    # Gaussian tails: E[z^4] = 3, with a standard error of sqrt(96 / (2 n)).
    assert abs(np.mean(noise**4) - 3.0) < 5 * np.sqrt(96 / (2 * count))


def test_settings_of_the_papers():
    ring = datasets.gaussian_ring(radius=2, standard_deviation=0.02, divisor=1.414)
    np.testing.assert_allclose(
        np.linalg.norm(ring.centers, axis=1), 2 / 1.414, rtol=1e-6
    )
    assert ring.standard_deviation == pytest.approx(0.02 / 1.414)
    grid = datasets.gaussian_grid(coordinates=(-6, -2, 2))
    assert grid.num_modes == 9
    np.testing.assert_allclose(grid.centers[1], [-6 / 2.828, -2 / 2.828], rtol=1e-6)
    assert grid.standard_deviation == pytest.approx(0.05 / 2.828)


def test_zero_deviation_gives_the_centers():
    data = datasets.GaussianMixture([[1.0, 2.0, 3.0]], standard_deviation=0)
    np.testing.assert_array_equal(data.sample(3), [[1.0, 2.0, 3.0]] * 3)


def test_swiss_roll_lies_on_its_spiral():
    points = datasets.swiss_roll(noise=0.0).sample(2000) * 7.5
    radius = np.linalg.norm(points, axis=1)
    # On x = t cos t, y = t sin t the radius is the angle t itself.
    assert radius.min() >= 1.5 * np.pi - 1e-3 and radius.max() <= 4.5 * np.pi + 1e-3
    expected = radius[:, None] * np.stack([np.cos(radius), np.sin(radius)], axis=1)
    np.testing.assert_allclose(points, expected, atol=1e-3)
    # Uniform in t: mean 3 pi, standard error pi sqrt(3) / sqrt(2000).
    assert abs(radius.mean() - 3 * np.pi) < 5 * np.pi * np.sqrt(3 / 2000)


def test_swiss_roll_noise():
    # The same seed draws the same curve, so the difference is the noise.
    noisy = datasets.swiss_roll(noise=0.25).sample(5000)
    clean = datasets.swiss_roll(noise=0.0).sample(5000)
    np.testing.assert_allclose((noisy - clean).std(axis=0), 0.25 / 7.5, rtol=0.05)


@pytest.mark.parametrize(
    "make", [datasets.gaussian_ring, datasets.gaussian_grid, datasets.swiss_roll]
)
def test_samples_are_functions_of_their_seeds(make):
    np.testing.assert_array_equal(make(seed=1).sample(5), make(seed=2).sample(5, 1))
    assert not np.array_equal(make(seed=1).sample(5), make(seed=2).sample(5))
    assert not np.array_equal(make().sample(5), next(iter(make().batches(5))))


def test_batches_are_functions_of_the_step():
    data = datasets.gaussian_ring(seed=3)
    endless = data.batches(4)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    assert endless.element_spec == tf.TensorSpec((4, 2), tf.float32)
    whole = [batch.numpy() for batch in endless.take(6)]
    assert not np.array_equal(whole[0], whole[1])
    tail = [batch.numpy() for batch in data.batches(4, start_step=2).take(4)]
    np.testing.assert_array_equal(tail, whole[2:])
    # Each iteration is the next epoch, of fresh points.
    epochs = data.batches(4, steps_per_epoch=3)
    assert len(epochs) == 3
    np.testing.assert_array_equal(list(epochs), whole[:3])
    np.testing.assert_array_equal(list(epochs), whole[3:])


def test_labels_name_the_mode():
    data = datasets.gaussian_ring()
    points, labels = next(iter(data.batches(64, with_labels=True)))
    mode, _ = nearest(points.numpy(), data.centers)
    np.testing.assert_array_equal(labels, mode)
    assert labels.dtype == tf.int32


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: datasets.gaussian_ring(0), ValueError, "num_modes=0"),
        (lambda: datasets.gaussian_ring(radius=-1.0), ValueError, "radius=-1.0"),
        (lambda: datasets.gaussian_ring(divisor=0), ValueError, "divisor=0"),
        (lambda: datasets.gaussian_ring(seed=1.5), TypeError, "seed=1.5"),
        (
            lambda: datasets.gaussian_grid(standard_deviation=-1),
            ValueError,
            "standard_deviation=-1",
        ),
        (lambda: datasets.gaussian_grid((1, 1)), ValueError, r"\(1, 1\).*once"),
        (lambda: datasets.swiss_roll(noise="a"), TypeError, "noise='a'"),
        (
            lambda: datasets.GaussianMixture([1.0], 0.1),
            ValueError,
            r"shape \(1,\).*one row a mode",
        ),
        (
            lambda: datasets.gaussian_ring().batches(0),
            ValueError,
            "batch_size=0",
        ),
        (
            lambda: datasets.gaussian_ring().batches(steps_per_epoch=0),
            ValueError,
            "steps_per_epoch=0",
        ),
        (
            lambda: datasets.swiss_roll().sample(2, with_labels=True),
            ValueError,
            "SwissRoll, whose points have none",
        ),
        (
            lambda: datasets.gaussian_ring().sample(2, with_labels="no"),
            TypeError,
            "with_labels='no'",
        ),
        (
            lambda: datasets.gaussian_ring().batches(2, with_labels="no"),
            TypeError,
            "with_labels='no'",
        ),
    ],
)
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()
