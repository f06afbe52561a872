import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats

from keras_gamegan import metrics

RING = [
    [np.cos(2.0 * np.pi * k / 8.0), np.sin(2.0 * np.pi * k / 8.0)] for k in range(8)
]


def oracle(samples, centers, radius, min_count):
    distances = np.linalg.norm(samples[:, None] - np.asarray(centers), axis=-1)
    nearest, good = distances.argmin(axis=1), distances.min(axis=1) <= radius
    histogram = np.bincount(nearest, minlength=len(centers))
    hits = np.bincount(nearest[good], minlength=len(centers))
    shares, uniform = histogram / len(samples), np.full(len(centers), 1 / len(centers))
    with np.errstate(divide="ignore"):
        return {
            "modes": float((hits >= min_count).sum()),
            "high_quality": good.mean(),
            "kl": scipy.stats.entropy(uniform, shares),
            "reverse_kl": scipy.stats.entropy(shares, uniform),
        }


def measure(samples, centers=RING, standard_deviation=0.1, **kwargs):
    metric = metrics.ModeCoverage(
        centers, standard_deviation, dtype="float64", **kwargs
    )
    metric.update_state(samples)
    return {name: float(value) for name, value in metric.result().items()}


@hypothesis.given(
    # Multiples of 1 / 8 off the centers' axes: no ties, no rounding at the radius.
    points=hnp.arrays("int64", (30, 2), elements=st.integers(-9, 9)),
    min_count=st.integers(1, 3),
)
@hypothesis.settings(max_examples=20)
def test_equals_numpy(points, min_count):
    samples = points / 8.0 + [0.01, 0.023]
    centers = [[-1.0, 0.0], [0.3, 0.7], [1.0, -0.4]]
    found = measure(samples, centers, 0.11, min_count=min_count)
    expected = oracle(samples, centers, 0.33, min_count)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12)


def test_the_mixture_itself_covers_everything():
    rng = np.random.default_rng(0)
    centers = np.repeat(RING, 500, axis=0)
    found = measure(centers + 0.1 * rng.normal(size=centers.shape))
    assert found["modes"] == 8.0
    np.testing.assert_allclose(found["high_quality"], 0.989, atol=0.006)
    assert found["kl"] < 1e-3
    assert found["reverse_kl"] < 1e-3


def test_collapse_to_two_of_eight():
    found = measure(np.repeat(RING[:2], 10, axis=0))
    assert found["modes"] == 2.0
    assert found["high_quality"] == 1.0
    assert found["kl"] == np.inf
    np.testing.assert_allclose(found["reverse_kl"], np.log(8.0 / 2.0))


def test_min_count_asks_for_more_than_a_stray_sample():
    samples = np.concatenate([np.repeat(RING[:3], 20, axis=0), RING])
    assert measure(samples)["modes"] == 8.0
    assert measure(samples, min_count=20)["modes"] == 3.0


@pytest.mark.parametrize("num_dimensions", [1, 2, 10])
def test_expected_high_quality_is_the_chi_distribution(num_dimensions):
    metric = metrics.ModeCoverage(np.zeros((1, num_dimensions)), 1.0, threshold=2.0)
    metric.update_state(np.zeros((1, num_dimensions)))
    expected = scipy.stats.chi(num_dimensions).cdf(2.0)
    details = metric.details()
    np.testing.assert_allclose(details["expected_high_quality"], expected, rtol=1e-9)
    assert (details["num_modes"], details["n_fake"]) == (1, 1)


def test_wrong_arguments():
    for centers in ([0.0, 1.0], np.zeros((0, 2)), [[np.nan, 0.0]]):
        with pytest.raises(ValueError, match="`centers` must be an array"):
            metrics.ModeCoverage(centers, 0.1)
    with pytest.raises(ValueError, match="`standard_deviation` must be a number"):
        metrics.ModeCoverage(RING, 0.0)
    with pytest.raises(ValueError, match="`min_count` must be an integer"):
        metrics.ModeCoverage(RING, 0.1, min_count=0)
    with pytest.raises(ValueError, match=r"must have 2 features.*Received: 3"):
        measure(np.zeros((4, 3)))


def test_centers_cannot_be_changed_by_accident():
    metric = metrics.ModeCoverage(RING, 0.1)
    metric.centers[:] = 0.0
    np.testing.assert_array_equal(metric.centers, RING)
