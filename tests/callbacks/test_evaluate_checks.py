"""What `Evaluate` refuses, when it is made and before training begins."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests.callbacks.evaluating import REAL, batches, distance, evaluator, make


class Recorder(keras.metrics.Metric):
    """Not one of this library's metrics."""


def test_too_few_samples_are_told_before_training_begins():
    gan = make()
    for num_samples, real, words in (
        (2, REAL, r"at least 3 samples of each side.*300 real and 2 fake"),
        (50, REAL[:2], r"at least 3 samples of each side.*2 real and 50 fake"),
    ):
        evaluate = evaluator(num_samples=num_samples, real_data=real)
        with pytest.raises(ValueError, match=rf"num_samples={num_samples}\).*{words}"):
            gan.fit(batches(), verbose=0, callbacks=[evaluate])
    few = kgg.metrics.PrecisionRecall(num_neighbors=5, max_samples=9)
    with pytest.raises(ValueError, match=r"at least 6 samples.*9 real and 4 fake"):
        gan.fit(batches(), verbose=0, callbacks=[evaluator(few, num_samples=4)])
    assert gan.num_steps == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "mixture"}, "keeps none"),
        ({"real_data": None}, r"needed by distance\. Received: real_data=None"),
        ({"real_data": REAL[:0]}, "at least one example"),
        ({"real_data": REAL[:, :1]}, r"shape \(None, 2\).*Received: shape \(20, 1\)"),
        ({"real_data": np.zeros((9, 2), "uint8")}, r"dtype uint8.*127\.5 - 1"),
        ({"real_data": np.full((9, 2), np.nan)}, r"features of `real` must be finite"),
        ({"real_data": (REAL, np.zeros(7))}, "300 examples and 7 labels"),
        ({"real_data": batches().repeat()}, r"must be finite.*endless"),
        ({"real_data": list(REAL)}, r"300 single examples.*np\.stack\(real_data\)"),
        (
            {"real_data": tf.data.Dataset.from_tensor_slices(REAL)},
            r"shape \(None, 2\).*Received: shape \(2,\)\. That is one example\. Batch",
        ),
        (
            {"real_data": tf.data.Dataset.from_tensors({"image": REAL, "label": 0})},
            r"Received: keys \['image', 'label'\]\. Map them: .*e\['image'\]",
        ),
    ],
)
def test_bad_input_is_told_when_training_begins(arguments, message):
    gan = make()
    with pytest.raises(ValueError, match=message):
        gan.fit(batches(), verbose=0, callbacks=[evaluator(**arguments)])
    assert gan.num_steps == 0


def test_samples_that_do_not_fit_the_extractor_are_told_when_training_begins():
    extractor = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=4, base_filters=2, seed=0)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (80, 28, 28, 1)).astype("float32")
    metric = kgg.metrics.FrechetDistance(extractor)
    evaluate = kgg.callbacks.Evaluate(metric, 80, real_data=images)
    with pytest.raises(ValueError, match=r"`real` must have .*Pass `resize=True`"):
        gan.fit(images, verbose=0, callbacks=[evaluate])
    metric = kgg.metrics.FrechetDistance(extractor, resize=True)
    evaluate = kgg.callbacks.Evaluate(metric, 80, real_data=images)
    history = gan.fit(images, verbose=0, callbacks=[evaluate]).history
    assert history["frechet_distance"][0] > 0.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metrics": [Recorder()]}, TypeError, "must be one of kgg.metrics"),
        ({"metrics": "fid"}, TypeError, "'fid' \\(of type str\\)"),
        (
            {"metrics": [distance(), distance()]},
            ValueError,
            r"Received: \['distance'\] more than once\. Give each its own",
        ),
        ({"source": "live"}, ValueError, "`source` must be one of 'current'"),
        ({"source": []}, ValueError, "or a list of different ones"),
        ({"source": ["average"] * 2}, ValueError, "or a list of different ones"),
        ({"num_samples": 0}, ValueError, "`num_samples` must be"),
        ({"every": "step"}, ValueError, "`every` must be"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be"),
        ({"seed": -1}, ValueError, "`seed` must be"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        evaluator(**arguments)
    with pytest.raises(ValueError, match="Received: none"):
        kgg.callbacks.Evaluate([], 10)
