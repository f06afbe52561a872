import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import metrics
from keras_gamegan.compat import tfgan
from keras_gamegan.metrics import buffered_metric


def make_features(seed, num, num_features=4, shift=0.0):
    return np.random.default_rng(seed).normal(size=(num, num_features)) + shift


def oracle(real, fake):
    """The unbiased estimate of one block, by loops over pairs."""

    def kernel(x, y):
        return (x @ y / len(x) + 1.0) ** 3

    def within(rows):
        pairs = [kernel(x, y) for x in rows for y in rows if x is not y]
        return sum(pairs) / (len(rows) * (len(rows) - 1))

    between = sum(kernel(x, y) for x in real for y in fake)
    return (
        within(list(real))
        + within(list(fake))
        - 2.0 * between / (len(real) * len(fake))
    )


def tfgan_distance(real, fake, max_block_size):
    module = tfgan.import_tensorflow_gan().eval
    return module.kernel_classifier_distance_and_std_from_activations(
        tf.constant(real), tf.constant(fake), max_block_size
    )


def test_equals_loops_over_pairs():
    real, fake = make_features(0, 9), make_features(1, 7, shift=0.2)
    distance, error = metrics.kernel_distance_from_features(real, fake)
    np.testing.assert_allclose(distance, oracle(real, fake), rtol=1e-10)
    assert np.isnan(error)


@hypothesis.given(
    num_real=st.integers(30, 70),
    num_fake=st.integers(30, 70),
    max_block_size=st.integers(10, 80),
)
@hypothesis.settings(max_examples=8)
def test_equals_tfgan(num_real, num_fake, max_block_size):
    real, fake = make_features(0, num_real), make_features(1, num_fake, shift=0.2)
    expected = tfgan_distance(real, fake, max_block_size)
    metric = metrics.KernelDistance(
        max_samples=100, max_block_size=max_block_size, dtype="float64"
    )
    metric.update_state(real, fake)
    details = metric.details()
    assert details["num_blocks"] == -(-max(num_real, num_fake) // max_block_size)
    np.testing.assert_allclose(float(metric.result()), expected[0], rtol=1e-8)
    np.testing.assert_allclose(details["standard_error"], expected[1], rtol=1e-8)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_blocks_in_a_graph_are_the_eager_ones(jit_compile):
    metric = metrics.KernelDistance(
        max_samples=80, max_block_size=16, num_features=4, dtype="float64"
    )
    real, fake = make_features(0, 50), make_features(1, 41, shift=0.2)

    @tf.function(jit_compile=jit_compile)
    def evaluate(real, fake):
        metric.update_state(real, fake)
        return metric.result()

    expected = tfgan_distance(real, fake, 16)[0]
    np.testing.assert_allclose(evaluate(real, fake), expected, rtol=1e-8)


def test_is_unbiased():
    # Of one distribution the mean over many small samples is 0. The biased estimate,
    # which keeps k(x, x), is off by 2 (E k(x, x) - E k(x, y)) / n = 2 (16 - 2.5) / 20.
    rng = np.random.default_rng(0)
    found = [
        float(metrics.kernel_distance_from_features(*rng.normal(size=(2, 20, 2)))[0])
        for _ in range(100)
    ]
    assert abs(np.mean(found)) < 4.0 * np.std(found) / np.sqrt(100) < 0.6


def test_samples_beyond_the_buffer_are_counted_but_not_used():
    real, fake = make_features(0, 30), make_features(1, 10, shift=0.2)
    metric = metrics.KernelDistance(max_samples=20, dtype="float64")
    metric.update_real(real[:13])
    metric.update_real(real[13:])
    metric.update_fake(fake)
    details = metric.details()
    assert (details["n_real"], details["n_real_seen"]) == (20, 30)
    assert (details["n_fake"], details["n_fake_seen"]) == (10, 10)
    np.testing.assert_allclose(details["value"], oracle(real[:20], fake), rtol=1e-10)


def test_too_few_samples_for_the_blocks():
    metric = metrics.KernelDistance(max_samples=50, max_block_size=10)
    metric.update_state(make_features(0, 40), make_features(1, 7))
    with pytest.raises(ValueError, match=r"at least 8 samples.*40 real and 7 fake"):
        metric.result()
    assert np.isnan(float(tf.function(metric.result)()))
    # Of 1,000 samples 50 are kept, in 5 blocks; so are 50 of 80.
    metric.check_num_samples(1000)
    with pytest.raises(ValueError, match=r"at least 10 samples.*9 real and 50 fake"):
        metric.check_num_samples(80, num_real=9)


@hypothesis.given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=6))
@hypothesis.settings(max_examples=15)
def test_replicas_fill_one_buffer_without_overlap(writes):
    capacity, num_replicas = 9, 3
    buffers = [tf.zeros((capacity, 1)) for _ in range(num_replicas)]
    filled = [tf.zeros((capacity,)) for _ in range(num_replicas)]
    given = {replica: [] for replica in range(num_replicas)}
    for replica, number in writes:
        rows = 1.0 + np.arange(number) + 100.0 * replica + 10.0 * len(given[replica])
        given[replica].extend(rows)
        buffers[replica], filled[replica] = buffered_metric.fill_buffer(
            buffers[replica],
            filled[replica],
            tf.constant(rows[:, None], tf.float32),
            replica,
            num_replicas,
        )
    total, occupied = sum(buffers).numpy()[:, 0], sum(filled).numpy()
    assert set(np.unique(occupied)) <= {0.0, 1.0}
    expected = [row for rows in given.values() for row in rows[:3]]
    assert sorted(total[occupied > 0]) == sorted(expected)
    assert not total[occupied == 0].any()
