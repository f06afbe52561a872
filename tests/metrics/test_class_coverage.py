import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gamegan import metrics


def oracle(logits):
    num_classes = logits.shape[1]
    histogram = np.bincount(logits.argmax(axis=1), minlength=num_classes)
    shares, uniform = histogram / len(logits), np.full(num_classes, 1 / num_classes)
    with np.errstate(divide="ignore"):
        return {
            "modes": float(np.count_nonzero(histogram)),
            "kl": scipy.stats.entropy(uniform, shares),
            "reverse_kl": scipy.stats.entropy(shares, uniform),
        }


def measure(samples, **kwargs):
    metric = metrics.ClassCoverage(dtype="float64", **kwargs)
    metric.update_state(samples)
    return {name: float(value) for name, value in metric.result().items()}


@hypothesis.given(
    hnp.arrays(
        "float64",
        st.tuples(st.integers(1, 30), st.integers(2, 6)),
        elements=st.floats(-60.0, 60.0),
    )
)
@hypothesis.settings(max_examples=20)
def test_equals_numpy(logits):
    found, expected = measure(logits), oracle(logits)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12)


def test_extremes():
    assert measure(np.eye(5)) == {"modes": 5.0, "kl": 0.0, "reverse_kl": 0.0}
    found = measure(np.eye(8)[[1, 1, 1]])
    assert found["modes"] == 1.0 and found["kl"] == np.inf
    np.testing.assert_allclose(found["reverse_kl"], np.log(8.0))


def test_perfect_samples_have_the_divergence_of_the_docstring():
    rng = np.random.default_rng(0)
    classes = rng.integers(100, size=10_000)
    found = measure(np.eye(100)[classes])["reverse_kl"]
    np.testing.assert_allclose(found, 99 / 20_000, rtol=0.5)


def test_config_of_a_classifier_round_trips():
    metric = metrics.ClassCoverage(num_classes=4)
    restored = metrics.ClassCoverage.from_config(metric.get_config())
    assert restored.num_classes == 4
    digits = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    config = metrics.ClassCoverage(metrics.stacked_classifier(digits)).get_config()
    assert metrics.ClassCoverage.from_config(config).num_classes == 64


def digits_classifier(num_classes=3):
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, kernel_initializer="glorot_normal"),
        ],
        name="digits",
    )


@pytest.mark.parametrize("num_channels", [1, 2, 3])
def test_a_stack_has_the_number_and_the_probability_of_its_channels(num_channels):
    digits = digits_classifier()
    images = np.random.default_rng(0).normal(size=(40, 4, 4, num_channels))
    images = images.astype("float32")
    stacked = metrics.stacked_classifier(digits, num_channels)
    assert stacked.output_shape == (None, 3**num_channels)
    logits = np.asarray(stacked(images))
    each = [np.asarray(digits(images[..., [c]])) for c in range(num_channels)]
    number = np.zeros(40, int)
    for own in each:
        number = 3 * number + own.argmax(axis=1)
    np.testing.assert_array_equal(logits.argmax(axis=1), number)
    expected = np.ones((40, 1))
    for own in each:
        joint = expected[:, :, None] * scipy.special.softmax(own, axis=1)[:, None]
        expected = joint.reshape(40, -1)
    np.testing.assert_allclose(scipy.special.softmax(logits, 1), expected, rtol=1e-4)


def test_a_stacked_classifier_is_saved_and_shares_its_weights(tmp_path):
    digits = digits_classifier()
    stacked = metrics.stacked_classifier(digits)
    images = np.random.default_rng(1).normal(size=(5, 4, 4, 3)).astype("float32")
    stacked.save(tmp_path / "stacked.keras")
    restored = keras.saving.load_model(tmp_path / "stacked.keras")
    np.testing.assert_array_equal(restored(images), stacked(images))
    digits.set_weights([np.zeros_like(weight) for weight in digits.get_weights()])
    np.testing.assert_array_equal(stacked(images), np.zeros((5, 27)))


def test_the_judge_of_stacks_in_either_metric():
    stacked = metrics.stacked_classifier(digits_classifier())
    images = np.random.default_rng(2).normal(size=(50, 4, 4, 3)).astype("float32")
    logits = np.asarray(stacked(images), "float64")
    found = measure(images, classifier=stacked)
    np.testing.assert_allclose(found["reverse_kl"], oracle(logits)["reverse_kl"])
    score = metrics.ClassifierScore(stacked)
    score.update_state(images)
    assert 1.0 <= float(score.result()) <= 27.0


def test_wrong_classifiers():
    with pytest.raises(TypeError, match=r"functional or Sequential.*function"):
        metrics.stacked_classifier(lambda images: images)
    colour = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"Received: .*takes \[\(None, 4, 4, 3\)\]"):
        metrics.stacked_classifier(colour)
    with pytest.raises(ValueError, match=r"must be built.*takes \[\] to \[\]"):
        metrics.stacked_classifier(keras.Sequential([keras.layers.Flatten()]))
    with pytest.raises(ValueError, match="num_channels=0"):
        metrics.stacked_classifier(digits_classifier(), 0)
    with pytest.raises(TypeError, match="`classifier` must be None, a Keras model"):
        metrics.ClassCoverage(3)
    with pytest.raises(ValueError, match=r"takes: .*4, 4, 3.*Received: shape"):
        measure(
            np.zeros((2, 4, 4, 1), "float32"),
            classifier=metrics.stacked_classifier(digits_classifier()),
        )
