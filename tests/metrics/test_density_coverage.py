import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest

from keras_gamegan import metrics
from keras_gamegan.metrics import neighbors


def oracle(real, fake, num_neighbors):
    """Naeem et al. (2020), equations 4 and 5."""

    def distances(one, other):
        return np.sqrt(((one[:, None] - other[None]) ** 2).sum(-1))

    radii = np.sort(distances(real, real), axis=1)[:, num_neighbors]
    inside = distances(real, fake) < radii[:, None]
    return inside.sum(axis=0).mean() / num_neighbors, inside.any(axis=1).mean()


def rows(minimum):
    # Integers: distances are exact, so that ties are ties in both computations.
    return hnp.arrays(
        "int64",
        st.tuples(st.integers(minimum, 25), st.just(2)),
        elements=st.integers(0, 9),
    )


@hypothesis.given(real=rows(5), fake=rows(1), num_neighbors=st.integers(1, 4))
@hypothesis.settings(max_examples=20)
def test_equals_the_definition(real, fake, num_neighbors):
    found = metrics.density_coverage_from_features(real, fake, num_neighbors)
    np.testing.assert_allclose(found, oracle(real, fake, num_neighbors))


def test_equals_the_package_of_the_authors():
    # Numbers that prdc 0.2 prints for these arrays (nearest_k=5).
    rng = np.random.default_rng(7)
    real = rng.normal(size=(200, 4))
    fake = 0.8 * rng.normal(size=(150, 4)) + 0.3
    found = metrics.density_coverage_from_features(real, fake, 5)
    np.testing.assert_allclose(found, (1.1106666666666667, 0.82), rtol=1e-12)


def test_more_rows_than_fit_at_a_time(monkeypatch):
    monkeypatch.setattr(neighbors, "_ROWS_AT_A_TIME", 7)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 3)), rng.normal(size=(43, 3)) + 0.7
    metric = metrics.DensityCoverage(max_samples=60, dtype="float64")
    metric.update_state(real, fake)
    found = metric.result()
    np.testing.assert_allclose(
        (found["density"], found["coverage"]), oracle(real, fake, 3)
    )


def test_an_outlier_raises_recall_and_not_coverage():
    rng = np.random.default_rng(0)
    modes = np.repeat([[0.0, 0.0], [50.0, 0.0]], 40, axis=0)
    real = modes + rng.normal(size=modes.shape)
    one_mode = rng.normal(size=(80, 2))
    outliers = np.concatenate([one_mode[4:], [[60.0, 20.0]] * 2, [[40.0, -20.0]] * 2])
    recalls, coverages = (
        [float(function(real, fake)[1]) for fake in (one_mode, outliers)]
        for function in (
            metrics.precision_recall_from_features,
            metrics.density_coverage_from_features,
        )
    )
    assert recalls[1] > recalls[0] + 0.2
    assert coverages[1] <= coverages[0] <= 0.5


def test_samples_of_the_data_reach_what_the_paper_computes():
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(2, 2000, 8))
    density, coverage = metrics.density_coverage_from_features(real, fake, 3)
    # The paper's expected coverage of equal distributions: 1 - 2^-k for many samples.
    assert float(coverage) == pytest.approx(1 - 2.0**-3, abs=0.02)
    assert float(density) == pytest.approx(1.0, abs=0.05)


def test_too_few_samples():
    found = metrics.density_coverage_from_features(np.eye(3), np.eye(3), 3)
    assert np.isnan(found).all()
    metric = metrics.DensityCoverage()
    metric.update_state(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match=r"at least 4 samples.*3 real and 3 fake"):
        metric.result()
