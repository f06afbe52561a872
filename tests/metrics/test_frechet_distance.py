import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.linalg

from keras_gamegan import metrics
from keras_gamegan.compat import tfgan
from keras_gamegan.metrics import frechet_distance


def oracle(real, fake):
    """Heusel et al. (2017), equation 6, by SciPy's general matrix square root."""
    covariance_real = np.cov(real, rowvar=False).reshape(2 * real.shape[1:])
    covariance_fake = np.cov(fake, rowvar=False).reshape(2 * fake.shape[1:])
    root = scipy.linalg.sqrtm(covariance_real @ covariance_fake).real
    means = np.sum((real.mean(0) - fake.mean(0)) ** 2)
    return means + np.trace(covariance_real + covariance_fake - 2.0 * root)


def make_features(seed, num_features, offset=0.0, num=200):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(num_features, num_features))
    return rng.normal(size=(num, num_features)) @ mixing + offset


def measure(real, fake, **kwargs):
    metric = metrics.FrechetDistance(dtype="float64", **kwargs)
    metric.update_state(real, fake)
    return float(metric.result())


@hypothesis.given(
    seed=st.integers(0, 1000),
    num_features=st.integers(1, 12),
    offset=st.sampled_from([0.0, 1.0, 1000.0]),
)
@hypothesis.settings(max_examples=15)
def test_equals_scipy(seed, num_features, offset):
    real = make_features(seed, num_features, offset)
    fake = make_features(seed + 1, num_features, offset + 0.5)
    np.testing.assert_allclose(measure(real, fake), oracle(real, fake), rtol=1e-6)


@pytest.mark.parametrize("num_features", [2, 64])
def test_equals_tfgan(num_features):
    real = make_features(0, num_features).astype("float32")
    fake = make_features(1, num_features, 0.3).astype("float32")
    eval_module = tfgan.import_tensorflow_gan().eval
    expected = eval_module.frechet_classifier_distance_from_activations(real, fake)
    np.testing.assert_allclose(measure(real, fake), expected, rtol=1e-5)


def test_closed_form_of_commuting_covariances():
    # Diagonal covariances: sum (m_r - m_f)^2 + (s_r - s_f)^2, here 1 + 4 + 9 + 1.
    found = metrics.frechet_distance_from_moments(
        [1.0, 0.0], np.diag([16.0, 4.0]), [0.0, 2.0], np.diag([1.0, 9.0])
    )
    np.testing.assert_allclose(found, 15.0, rtol=1e-12)


def test_is_a_symmetric_distance_and_zero_on_itself():
    real, fake = make_features(0, 5), make_features(1, 5)
    np.testing.assert_allclose(measure(real, fake), measure(fake, real), rtol=1e-9)
    scale = np.trace(np.cov(real, rowvar=False))
    assert 0.0 <= measure(real, real[::-1]) < 1e-6 * scale


def test_moments_are_numpys():
    features = make_features(3, 4)
    mean, covariance = frechet_distance.moments_from_sums(
        np.float64(len(features)), features.sum(0), features.T @ features
    )
    np.testing.assert_allclose(mean, features.mean(0), rtol=1e-12)
    expected = np.cov(features, rowvar=False)
    np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-12)


def test_singular_covariances_are_refused_unless_allowed():
    real, fake = make_features(0, 8, num=8), make_features(1, 8, num=20)
    with pytest.raises(ValueError, match=r"at least 9 samples.*8 real and 20 fake"):
        measure(real, fake)
    found = measure(real, fake, allow_singular=True)
    expected = tfgan.import_tensorflow_gan().eval
    expected = expected.frechet_classifier_distance_from_activations(real, fake)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    with pytest.raises(ValueError, match="at least 2 samples"):
        measure(real[:1], fake, allow_singular=True)


def test_nan_moments_give_nan():
    moments = [0.0, 0.0], np.eye(2), [0.0, np.nan], np.eye(2)
    assert np.isnan(metrics.frechet_distance_from_moments(*moments))


def test_details_state_what_was_measured():
    metric = metrics.FrechetDistance()
    metric.update_real(make_features(0, 3, num=50))
    metric.update_fake(make_features(1, 3, num=40))
    details = metric.details()
    assert details.pop("value") > 0.0
    assert details == {
        "n_real": 50,
        "n_fake": 40,
        "extractor": "identity",
        "extractor_fingerprint": "",
    }


def test_statistics_of_the_real_data_can_come_from_a_file(tmp_path):
    real, fake = make_features(0, 3), make_features(1, 3)
    source = metrics.FrechetDistance()
    source.update_real(real)
    state = source.get_state()
    real_only = {key: value for key, value in state.items() if "real" in key}
    np.savez(tmp_path / "real.npz", **real_only)

    metric = metrics.FrechetDistance(dtype="float64")
    with np.load(tmp_path / "real.npz") as statistics:
        metric.set_state(statistics)
    metric.update_fake(fake)
    assert float(metric.result()) == measure(real, fake)
