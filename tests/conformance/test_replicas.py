"""Replica invariance: the same global batches give the same run on 1, 2, 4 replicas."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data
from tests.conformance import cases, outcomes, run_cases

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
QUICK = ["GAN alternating", "FictitiousGAN sampled"]
# Every row on 2 replicas in float64, every sixth on 4 in float32 (others on 2 or 3
# workers); the command that prints the table measures all.
RUNS = [
    pytest.param(
        name,
        replicas,
        dtype,
        marks=[] if name in QUICK and replicas == 2 else [pytest.mark.slow],
    )
    for names, replicas, dtype in (
        (cases.EXACT, 2, "float64"),
        (cases.EXACT_FLOAT32[::6], 4, "float32"),
    )
    for name in names
]


@functools.cache
def alone(name, dtype):
    """The outcome of a row without a strategy."""
    return run_cases.train(name, dtype)


def on(replicas, name, dtype):
    return run_cases.train(name, dtype, run_cases.strategy_for(replicas))


@pytest.mark.parametrize("name, replicas, dtype", RUNS)
def test_replicas_equal_one_device(name, replicas, dtype):
    gap = outcomes.compare(alone(name, dtype), on(replicas, name, dtype))
    assert gap <= TOLERANCE[dtype]


@pytest.mark.slow
@pytest.mark.parametrize("name", cases.INEXACT)
def test_what_is_not_exact_is_finite_and_the_same_on_both_replicas(name):
    strategy = run_cases.strategy_for(2)
    with strategy.scope():
        gan = cases.build(name)
    gan.fit(cases.data(name), epochs=2, verbose=0)
    for variable in gan.weights:
        first, second = strategy.experimental_local_results(variable.value)
        assert np.isfinite(first.numpy()).all()
        np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-7)


def test_replicas_draw_different_latents():
    strategy = run_cases.strategy_for(2)
    drawn = []

    def step(real):
        source = labelled_data.source_of(real, None, randomness.root(3), [3])
        return source(0).examples.latents

    # As Keras does it, inside a function: there the sizes of the shares are not static.
    @tf.function
    def run(iterator):
        return strategy.run(step, args=(next(iterator),))

    for size in (4, 5):
        data = tf.data.Dataset.from_tensors(tf.zeros([size, 2])).unbatch().batch(size)
        iterator = iter(strategy.experimental_distribute_dataset(data))
        parts = strategy.experimental_local_results(run(iterator))
        drawn.append(np.concatenate([part.numpy() for part in parts]))
    assert len(np.unique(drawn[1][:, 0])) == 5
    # The same whatever the shares: a function of the place in the global batch.
    np.testing.assert_array_equal(drawn[0], drawn[1][:4])


def test_data_range_is_that_of_all_replicas():
    strategy = run_cases.strategy_for(2)
    with strategy.scope():
        gan = cases.build("GAN alternating")
    data = np.zeros((4, 2), "float32")
    data[0], data[3] = -2, 5
    gan.fit(data, batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_array_equal(gan.data_range, [-2, 5])


def test_optimizers_with_slots_and_static_batches():
    adam = functools.partial(keras.optimizers.Adam, 1e-2)
    found = []
    for replicas in (1, 2):
        strategy = run_cases.strategy_for(replicas) or tf.distribute.get_strategy()
        with strategy.scope():
            gan = cases.build("GAN alternating", "float64", adam)
        data = cases.data("GAN alternating", "float64", (12, 24), drop_remainder=True)
        found.append(outcomes.outcome(gan, gan.fit(data, epochs=3, verbose=0).history))
    assert outcomes.compare(*found) <= 1e-6
