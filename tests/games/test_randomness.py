import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gamegan.games import randomness

DRAWS = {
    "uniform": lambda stream: randomness.uniform(stream, (7,), tf.float64),
    "uniform32": lambda stream: randomness.uniform(stream, (7,)),
    "uniform16": lambda stream: randomness.uniform(stream, (7,), tf.float16),
    "normal": lambda stream: randomness.normal(stream, (7,)),
    "integers": lambda stream: randomness.integers(stream, (7,), 10),
    "fold": lambda stream: randomness.fold(stream, 3, randomness.Purpose.MIXTURE),
}


@pytest.mark.parametrize("name", DRAWS)
def test_same_numbers_eagerly_in_graphs_and_under_xla(name):
    draw, stream = DRAWS[name], randomness.root(5)
    eager = draw(stream).numpy()
    np.testing.assert_array_equal(tf.function(draw)(stream), eager)
    if name == "normal":  # The inverse error function rounds as it may.
        np.testing.assert_allclose(
            tf.function(draw, jit_compile=True)(stream), eager, rtol=1e-5
        )
    else:
        np.testing.assert_array_equal(
            tf.function(draw, jit_compile=True)(stream), eager
        )


@pytest.mark.parametrize("seed", [(0, 0), (5, 7), (-3, 2**60)])
def test_streams_and_bits_are_those_of_tensorflow(seed):
    stream = tf.constant(seed, tf.int64)
    expected = tf.random.experimental.stateless_fold_in(
        stream, tf.constant(9, tf.int64), alg=randomness.ALGORITHM
    )
    np.testing.assert_array_equal(randomness.fold(stream, 9), expected)
    bits = tf.random.stateless_uniform(
        (3, 5), stream, None, None, tf.uint32, alg=randomness.ALGORITHM
    )
    uniform = (bits.numpy() >> 8) * 2.0**-24
    np.testing.assert_array_equal(randomness.uniform(stream, (3, 5)), uniform)
    bits = tf.random.stateless_uniform(
        (7,), stream, None, None, tf.uint64, alg=randomness.ALGORITHM
    )
    uniform = (bits.numpy() >> np.uint64(11)) * 2.0**-53
    np.testing.assert_array_equal(randomness.uniform(stream, (7,), tf.float64), uniform)


@pytest.mark.parametrize("name", ["uniform", "normal"])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_longer_draw_begins_with_the_shorter_one(name, width):
    draw, stream = getattr(randomness, name), randomness.root(1)
    short, long = draw(stream, (5, width)), draw(stream, (64, width))
    np.testing.assert_array_equal(short, long[:5])


def test_streams_are_distinct():
    root = randomness.root(0)
    streams = [root, randomness.root(1)]
    streams += [randomness.fold(root, purpose) for purpose in randomness.Purpose]
    streams += [randomness.fold(root, purpose, 9) for purpose in randomness.Purpose]
    streams += [randomness.fold(root, 0, 1), randomness.fold(root, 1, 0)]
    streams += [randomness.fold(root, index) for index in range(100, 112)]
    draws = {tuple(randomness.uniform(s, (4,)).numpy()) for s in streams}
    assert len(draws) == len(streams)


def test_fold_takes_integers_and_tensors_alike():
    stream = randomness.root(tf.constant(3))
    expected = randomness.fold(randomness.root(3), 2**40, 7)
    folded = randomness.fold(stream, tf.constant(2**40, tf.int64), tf.constant(7))
    np.testing.assert_array_equal(folded, expected)


def test_laws():
    stream = randomness.root(0)
    numbers = randomness.uniform(stream, (20_000,), tf.float64).numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 4 / np.sqrt(12 * 20_000)
    normal = randomness.normal(stream, (20_000,)).numpy()
    assert abs(normal.mean()) < 4 / np.sqrt(20_000)
    assert abs(normal.std() - 1) < 4 / np.sqrt(2 * 20_000)
    integers = randomness.integers(stream, (20_000,), 5).numpy()
    counts = np.bincount(integers, minlength=5)
    assert counts.size == 5
    # Chi-squared with 4 degrees of freedom exceeds 23.5 once in 10,000.
    assert ((counts - 4000) ** 2 / 4000).sum() < 23.5


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
)
@settings(max_examples=50)
def test_categorical(weights, numbers):
    probabilities = np.array(weights) / sum(weights)
    chosen = randomness.categorical(
        tf.constant(numbers, tf.float64), tf.constant(probabilities)
    ).numpy()
    assert np.all(probabilities[chosen] > 0)
    edges = np.cumsum(probabilities)
    away = np.min(np.abs(np.subtract.outer(numbers, edges)), axis=1) > 1e-9
    expected = np.searchsorted(edges, numbers, side="right")
    np.testing.assert_array_equal(chosen[away], expected[away])


def test_categorical_at_the_ends():
    probabilities = tf.constant([0.0, 0.3, 0.7, 0.0])
    numbers = tf.constant([0.0, np.nextafter(np.float32(1), 0)])
    chosen = randomness.categorical(numbers, probabilities)
    assert chosen.numpy().tolist() == [1, 2]
    assert chosen.dtype == tf.int64


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype):
    stream = randomness.root(2)
    uniform = randomness.uniform(stream, (50_000,), dtype)
    normal = randomness.normal(stream, (50_000,), dtype)
    assert uniform.dtype == normal.dtype == dtype
    # Half precision must not round up to 1.
    assert float(tf.reduce_max(uniform)) < 1 and float(tf.reduce_min(uniform)) >= 0
    assert np.all(np.isfinite(tf.cast(normal, tf.float64)))


def test_new_seed():
    seeds = {randomness.new_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert all(0 <= seed < 2**31 for seed in seeds)
