import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.sampling import generation


def _bias(samples):
    """Which generator made each sample: its bias, to the nearest 50."""
    return np.round(samples.mean(axis=1) / 50) * 50


@pytest.mark.parametrize(("source", "bias"), [("current", 300), ("average", 50)])
def test_source(gan, source, bias):
    samples = gan.sample(20, seed=1, source=source)
    assert samples.shape == (20, 2) and samples.dtype == np.float32
    assert set(_bias(samples)) == {bias}


def test_current_is_the_live_generator_on_the_seeds_latents(gan):
    latents = generation.latents(1, 20, (3,), "float32")
    np.testing.assert_allclose(
        gan.sample(20, seed=1), gan.predict(latents, verbose=0), rtol=1e-6
    )


def test_mixture_draws_members_by_probability(gan):
    biases = _bias(gan.sample(1500, seed=4, source="mixture"))
    counts = np.array([np.sum(biases == value) for value in (100, 200, 300)])
    assert counts.sum() == 1500
    expected = 1500 * np.array([0.25, 0.25, 0.5])
    # Chi-squared with 2 degrees of freedom exceeds 18.4 once in 10,000.
    assert ((counts - expected) ** 2 / expected).sum() < 18.4


@pytest.mark.parametrize("source", kgg.sampling.SOURCES)
def test_fewer_samples_are_the_beginning_of_more(gan, source):
    # More than one chunk of the sampler.
    long = gan.sample(1100, seed=9, source=source)
    np.testing.assert_allclose(gan.sample(1030, seed=9, source=source), long[:1030])
    np.testing.assert_allclose(
        gan.sample(3, seed=9, source=source), long[:3], rtol=1e-6
    )


def test_seeds(gan):
    np.testing.assert_array_equal(gan.sample(5, seed=3), gan.sample(5, seed=3))
    assert np.any(gan.sample(5, seed=3) != gan.sample(5, seed=4))
    assert np.any(gan.sample(5) != gan.sample(5))


@pytest.mark.parametrize("source", kgg.sampling.SOURCES)
def test_no_samples(gan, source):
    assert gan.sample(0, source=source).shape == (0, 2)


def test_it_samples_the_weights_of_today(plain_gan):
    expected = plain_gan.sample(4, seed=0) + np.array([1.0, 2.0])
    bias = plain_gan.generator.layers[-1].bias
    bias.assign_add([1.0, 2.0])
    np.testing.assert_allclose(plain_gan.sample(4, seed=0), expected, rtol=1e-5)
    bias.assign_sub([1.0, 2.0])


def test_labels(conditional_gan):
    labels = np.array([0, 1, 2, 0, 1])
    samples = conditional_gan.sample(5, seed=2, labels=labels)
    latents = generation.latents(2, 5, (3,), "float32")
    expected = conditional_gan.generator([latents, tf.constant(labels)])
    np.testing.assert_allclose(samples, expected, rtol=1e-5, atol=1e-6)
    column = conditional_gan.sample(5, seed=2, labels=labels[:, None])
    np.testing.assert_array_equal(column, samples)
    other = conditional_gan.sample(5, seed=2, labels=[0, 1, 2, 0, 2])
    np.testing.assert_allclose(samples[:4], other[:4])
    assert np.any(samples[4] != other[4])


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"num_samples": -1}, ValueError, "`num_samples` must be an integer of at lea"),
        ({"num_samples": 2.0}, TypeError, "Received: num_samples=2.0"),
        ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
        ({"seed": "x"}, TypeError, "`seed` must be an integer"),
        ({"source": "best"}, ValueError, "'current', 'average', 'mixture'.*'best'"),
        ({"labels": [0, 1]}, ValueError, "for an unconditional generator"),
        ({"source": "average"}, ValueError, "average_decay=0.999"),
        ({"source": "mixture"}, ValueError, "Use FictitiousGAN with History"),
    ],
)
def test_bad_arguments(plain_gan, arguments, error, match):
    with pytest.raises(error, match=match):
        plain_gan.sample(**{"num_samples": 2, **arguments})


def test_bad_labels(conditional_gan):
    with pytest.raises(ValueError, match=r"labels=None.*4 labels"):
        conditional_gan.sample(4)
    with pytest.raises(ValueError, match=r"num_samples=4 and labels of shape \(2,\)"):
        conditional_gan.sample(4, labels=[0, 1])
    for labels in ([0.5], np.array([0.5]), np.array([2**32 + 1]), [np.nan], [np.inf]):
        with pytest.raises(ValueError, match="whole numbers that int32 holds"):
            conditional_gan.sample(1, labels=labels)
    with pytest.raises(TypeError, match="`labels` must be numbers"):
        conditional_gan.sample(1, labels=["shoe"])


def test_one_label_is_that_of_all_samples(conditional_gan):
    expected = conditional_gan.sample(3, seed=1, labels=[2, 2, 2])
    for labels in (2, np.full((3, 1), 2)):
        found = conditional_gan.sample(3, seed=1, labels=labels)
        np.testing.assert_array_equal(found, expected)


def test_labels_of_any_exact_dtype(conditional_gan):
    expected = conditional_gan.sample(2, seed=1, labels=[0, 2])
    for labels in (
        np.array([0.0, 2.0]),
        np.array([0, 2], "uint8"),
        tf.constant([0, 2], tf.int64),
        (0, 2),
    ):
        np.testing.assert_array_equal(
            conditional_gan.sample(2, seed=1, labels=labels), expected
        )
    assert conditional_gan.sample(0, labels=[]).shape == (0, 2)
