import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from keras_gamegan import metrics
from keras_gamegan.compat import tfgan


def oracle(probabilities):
    marginal = probabilities.mean(axis=0)
    divergences = scipy.special.rel_entr(probabilities, marginal).sum(axis=1)
    return np.exp(divergences.mean())


def score(rows, **kwargs):
    metric = metrics.ClassifierScore(dtype="float64", **kwargs)
    metric.update_state(rows)
    return float(metric.result())


@hypothesis.given(
    hnp.arrays(
        "float64",
        st.tuples(st.integers(1, 20), st.integers(2, 6)),
        elements=st.floats(-60.0, 60.0),
    )
)
@hypothesis.settings(max_examples=20)
def test_equals_scipy_within_its_bounds(logits):
    found = score(logits)
    np.testing.assert_allclose(found, oracle(scipy.special.softmax(logits, axis=1)))
    assert 1.0 <= found <= logits.shape[1] * (1.0 + 1e-12)


def test_equals_tfgan():
    logits = np.random.default_rng(0).normal(size=(100, 10)) * 3.0
    module = tfgan.import_tensorflow_gan().eval
    expected = module.classifier_score_from_logits(tf.constant(logits))
    np.testing.assert_allclose(score(logits), expected, rtol=1e-10)


def test_probabilities_and_logits_agree():
    logits = np.random.default_rng(0).normal(size=(50, 4))
    probabilities = scipy.special.softmax(logits, axis=1)
    found = score(probabilities, from_logits=False)
    np.testing.assert_allclose(found, score(logits), rtol=1e-12)


def test_extremes():
    # Sure of each sample: the score is the number of classes that occur.
    np.testing.assert_allclose(score(np.eye(5), from_logits=False), 5.0)
    np.testing.assert_allclose(score(np.eye(5)[[0, 1]], from_logits=False), 2.0)
    # Unsure of all: 1, also where logits are so large that probabilities underflow.
    np.testing.assert_allclose(score(np.zeros((3, 5))), 1.0)
    np.testing.assert_allclose(score(2000.0 * np.eye(5)), 5.0)


def test_logits_are_not_taken_for_probabilities():
    with pytest.raises(ValueError, match="Pass `from_logits=True` if they are logits"):
        score(np.array([[0.3, 2.0]]), from_logits=False)
    with pytest.raises(ValueError, match="Pass `from_logits=True` if they are logits"):
        score(np.array([[-0.5, 1.5]]), from_logits=False)


@pytest.mark.parametrize(
    "last_layers",
    [
        [keras.layers.Dense(3, activation="softmax")],
        [keras.layers.Dense(3), keras.layers.Softmax()],
        [keras.Sequential([keras.layers.Dense(3, activation="softmax")])],
    ],
    ids=["activation", "layer", "nested"],
)
def test_probabilities_are_not_taken_for_logits(last_layers):
    classifier = keras.Sequential([keras.Input((2,)), *last_layers], name="softmaxed")
    with pytest.raises(ValueError, match="softmaxed, whose last layer is a softmax"):
        metrics.ClassifierScore(classifier)
    metric = metrics.ClassifierScore(classifier, from_logits=False)
    assert metric.num_classes == 3
    rows = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    metric.update_state(rows)
    expected = oracle(np.asarray(classifier(rows), "float64"))
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)


def test_config_of_a_classifier_round_trips():
    metric = metrics.ClassifierScore(from_logits=False, num_classes=4)
    restored = metrics.ClassifierScore.from_config(metric.get_config())
    assert (restored.num_classes, restored.from_logits) == (4, False)


def test_from_logits_must_be_a_boolean():
    with pytest.raises(TypeError, match="False means probabilities"):
        metrics.ClassifierScore(from_logits="auto")
