import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.spatial.distance

from keras_gamegan import metrics
from keras_gamegan.metrics import neighbors


def oracle(real, fake, num_neighbors):
    """Kynkäänniemi et al. (2019), equations 1 to 3."""

    def share_inside(queries, points):
        own = scipy.spatial.distance.cdist(points, points, "sqeuclidean")
        radii = np.sort(own, axis=1)[:, num_neighbors]
        distances = scipy.spatial.distance.cdist(queries, points, "sqeuclidean")
        return (distances <= radii).any(axis=1).mean()

    return share_inside(fake, real), share_inside(real, fake)


def rows(minimum):
    # Integers: distances are exact, so that ties are ties in both computations.
    return hnp.arrays(
        "int64",
        st.tuples(st.integers(minimum, 25), st.just(2)),
        elements=st.integers(0, 9),
    )


@hypothesis.given(real=rows(5), fake=rows(5), num_neighbors=st.integers(1, 4))
@hypothesis.settings(max_examples=20)
def test_equals_scipy(real, fake, num_neighbors):
    found = metrics.precision_recall_from_features(real, fake, num_neighbors)
    np.testing.assert_allclose(found, oracle(real, fake, num_neighbors))


def test_more_rows_than_fit_at_a_time(monkeypatch):
    monkeypatch.setattr(neighbors, "_ROWS_AT_A_TIME", 7)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 3)), rng.normal(size=(43, 3)) + 0.7
    metric = metrics.PrecisionRecall(max_samples=60, dtype="float64")
    metric.update_state(real, fake)
    found = metric.result()
    expected = oracle(real, fake, 3)
    assert 0.0 < expected[0] < 1.0
    np.testing.assert_allclose((found["precision"], found["recall"]), expected)


def test_collapse_costs_recall_and_noise_costs_precision():
    rng = np.random.default_rng(0)
    modes = np.repeat([[0.0, 0.0], [50.0, 0.0]], 40, axis=0)
    real = modes + rng.normal(size=modes.shape)
    one_mode = 0.3 * rng.normal(size=(80, 2))
    precision, recall = metrics.precision_recall_from_features(real, one_mode)
    assert precision > 0.9
    assert recall < 0.5
    spread = rng.uniform(-100.0, 100.0, size=(80, 2))
    precision, recall = metrics.precision_recall_from_features(real, spread)
    assert precision < 0.2
    assert recall > 0.9


def test_a_copy_of_the_data_is_perfect():
    real = np.random.default_rng(0).normal(size=(40, 5)) + 1000.0
    found = metrics.precision_recall_from_features(real, real[::-1], 1)
    np.testing.assert_array_equal(found, (1.0, 1.0))
    # Also where all points of the data are one point, and radii are 0.
    found = metrics.precision_recall_from_features(real[:1].repeat(5, 0), real[:5], 2)
    assert float(found[0]) == 0.2


def test_too_few_samples():
    found = metrics.precision_recall_from_features(np.eye(3), np.eye(3), 3)
    assert np.isnan(found).all()
    metric = metrics.PrecisionRecall()
    metric.update_state(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match=r"at least 4 samples.*3 real and 3 fake"):
        metric.result()
    with pytest.raises(ValueError, match="`max_samples` must be an integer of at lea"):
        metrics.PrecisionRecall(num_neighbors=5, max_samples=5)
