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


@pytest.mark.parametrize("source", kgg.sampling.SOURCES)
def test_own_latents_are_those_of_the_seed(gan, source):
    # More than one chunk of the sampler.
    expected = gan.sample(1030, seed=9, source=source)
    latents = generation.latents(9, 1030, (3,), "float32")
    found = gan.sample(latents=latents, seed=9, source=source)
    np.testing.assert_array_equal(found, expected)
    rows = latents.numpy().astype("float64").tolist()[:3]
    np.testing.assert_allclose(
        gan.sample(3, latents=rows, seed=9, source=source), expected[:3], rtol=1e-6
    )


def test_the_number_of_samples_follows(conditional_gan):
    expected = conditional_gan.sample(2, seed=1, labels=[0, 2])
    found = conditional_gan.sample(seed=1, labels=[0, 2])
    np.testing.assert_array_equal(found, expected)
    latents = generation.latents(1, 2, (3,), "float32")
    found = conditional_gan.sample(latents=latents, labels=1)
    np.testing.assert_array_equal(found, conditional_gan.sample(2, seed=1, labels=1))
    with pytest.raises(ValueError, match=r"num_samples=None, and.*sample\(16\)"):
        conditional_gan.sample(labels=1)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"latents": np.ones((2, 4))}, ValueError, r"shape \(num_samples, \*\(3,\)\)"),
        ({"latents": np.ones((3, 3))}, ValueError, r"num_samples=2 and latents .*3, 3"),
        ({"latents": np.full((2, 3), np.nan)}, ValueError, "must be finite.*NaN"),
        ({"latents": [["a"] * 3] * 2}, TypeError, "`latents` must be numbers"),
    ],
)
def test_bad_latents(plain_gan, arguments, error, match):
    with pytest.raises(error, match=match):
        plain_gan.sample(2, **arguments)
    with pytest.raises(ValueError, match=r"latents\[None\]"):
        plain_gan.sample(latents=np.ones(3))


def test_interpolation_leads_from_sample_to_sample(gan, conditional_gan):
    for source in ("current", "average"):
        found = gan.interpolate(5, seed=(3, 4), source=source)
        ends = [gan.sample(1, seed=seed, source=source)[0] for seed in (3, 4)]
        np.testing.assert_allclose(found[[0, -1]], ends, rtol=1e-6)
        assert len(np.unique(found, axis=0)) == 5
    # The middle one is a station of its own.
    found = gan.interpolate(3, seed=[3, 5, 4])[1]
    np.testing.assert_allclose(found, gan.sample(1, seed=5)[0], rtol=1e-6)
    found = conditional_gan.interpolate(4, seed=(0, 1), labels=2)
    expected = conditional_gan.sample(1, seed=1, labels=2)[0]
    np.testing.assert_allclose(found[-1], expected, rtol=1e-6)
    assert gan.interpolate(2).shape == (2, 2)


def test_a_path_of_a_mixture_shows_one_member(gan):
    members = set()
    for seed in range(8):
        biases = set(_bias(gan.interpolate(6, seed=(seed, 99), source="mixture")))
        assert len(biases) == 1
        assert biases == set(_bias(gan.sample(1, seed=seed, source="mixture")))
        members |= biases
    assert len(members) > 1


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"seed": 3}, ValueError, r"at least two latents.*seed=3\. Pass a pair"),
        ({"seed": (3,)}, ValueError, r"Received: seed=\(3,\)"),
        ({"seed": (0, -1)}, ValueError, "`seed` must be an integer of at least 0"),
        ({"num_steps": 1}, ValueError, "`num_steps` must be an integer of at least 2"),
        ({"source": "average"}, ValueError, "average_decay=0.999"),
        ({"labels": 1}, ValueError, "for an unconditional generator"),
    ],
)
def test_bad_paths(plain_gan, arguments, error, match):
    with pytest.raises(error, match=match):
        plain_gan.interpolate(**{"num_steps": 3, "seed": (0, 1), **arguments})
