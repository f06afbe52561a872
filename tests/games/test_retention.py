import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import keras_gamegan as kgg
from keras_gamegan.games import bookkeeping, randomness, retention

# Chance of a false alarm of each statistical test, had the seed been drawn anew.
ALARM = 1e-4


@functools.cache
def simulator(name, capacity):
    """Function of uniform numbers (pushes, ...) -> ordinals (pushes + 1, ..., K)."""
    rule = retention.get(name)

    @tf.function(reduce_retracing=True)
    def simulate(numbers):
        def push(slots, numbers):
            return tf.vectorized_map(
                lambda pair: bookkeeping.record_step(pair[0], rule, True, pair[1]),
                (slots, numbers),
            )

        first = tf.nest.map_structure(
            lambda x: tf.repeat(x[tf.newaxis], tf.shape(numbers)[1], axis=0),
            bookkeeping.initial_slots(capacity),
        )
        slots = tf.scan(push, numbers, initializer=first)
        return tf.concat([first.ordinals[tf.newaxis], slots.ordinals], 0)

    return simulate


def run(name, capacity, pushes, copies=1, seed=0):
    """Ordinals after each push of some independent banks: (pushes + 1, copies, K)."""
    numbers = np.random.default_rng(seed).random((pushes, copies))
    ordinals = simulator(name, capacity)(tf.constant(numbers)).numpy()
    return ordinals[:, 0] if copies == 1 else ordinals


@pytest.mark.parametrize("capacity", [1, 2, 3, 8])
@pytest.mark.parametrize("name", retention.NAMES)
def test_what_every_rule_keeps(name, capacity):
    for count, ordinals in enumerate(run(name, capacity, pushes=40)):
        stored = ordinals[ordinals >= 0]
        assert stored.size == min(count + 1, capacity)
        assert np.unique(stored).size == stored.size
        assert stored.max() == count  # The live model is always there.
        if count < capacity:
            np.testing.assert_array_equal(stored, np.arange(count + 1))


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_fifo_keeps_the_last(capacity):
    for count, ordinals in enumerate(run("fifo", capacity, pushes=20)):
        expected = range(max(0, count - capacity + 1), count + 1)
        assert set(ordinals[ordinals >= 0]) == set(expected)


@pytest.mark.parametrize("capacity", [2, 3, 4, 7, 16])
def test_thinned_keeps_an_even_grid(capacity):
    spacings = set()
    for count, ordinals in enumerate(run("thinned", capacity, pushes=150)):
        stored = set(ordinals[ordinals >= 0].tolist())
        spacing = 1
        while count // spacing + 1 > max(capacity - 1, 1):
            spacing *= 2
        spacings.add(spacing)
        # Everything on the grid up to the last push (the head may be off it).
        assert set(range(0, count, spacing)) <= stored
    assert len(spacings) > 2


def test_thinned_of_one_slot_is_the_live_model():
    np.testing.assert_array_equal(run("thinned", 1, pushes=5).ravel(), np.arange(6))


def test_reservoir_is_uniform():
    capacity, pushes, copies = 5, 24, 4000
    ordinals = run("reservoir", capacity, pushes, copies)[-1]
    assert np.all(ordinals.max(axis=1) == pushes)
    counts = np.bincount(ordinals.ravel(), minlength=pushes + 1)[:-1]
    share = (capacity - 1) / pushes
    # Drawn without replacement: the counts' covariance is that of a chi-squared
    # statistic after this factor.
    statistic = ((counts - copies * share) ** 2).sum() / (copies * share * (1 - share))
    statistic *= (pushes - 1) / pushes
    assert statistic < stats.chi2.ppf(1 - ALARM, pushes - 1)
    # No position within the bank is preferred either.
    pairs = np.corrcoef((ordinals == 0).any(axis=1), (ordinals == 1).any(axis=1))[0, 1]
    assert abs(pairs + 1 / (pushes - 1)) < 4 / np.sqrt(copies)


def test_geometric_ages():
    capacity, pushes, copies = 4, 60, 4000
    ordinals = run("geometric", capacity, pushes, copies)[-1]
    ages = pushes - ordinals
    survival = 1 - 1 / capacity
    for age in range(1, 12):
        share = survival**age
        count = (ages == age).sum()
        deviation = np.sqrt(copies * share * (1 - share))
        assert abs(count - copies * share) < 4.5 * deviation
    assert abs(ages.sum() / copies - survival / (1 - survival) ** 2) < 0.5


@given(
    st.sampled_from(retention.NAMES),
    st.integers(1, 9),
    st.lists(st.tuples(st.booleans(), st.floats(0, 1, exclude_max=True)), max_size=12),
)
@settings(max_examples=25)
def test_slots_invariants(name, capacity, moves):
    rule, slots, frozen = retention.get(name), bookkeeping.initial_slots(capacity), {}
    for push, number in moves:
        before, slots = slots, bookkeeping.record_step(slots, rule, push, number)
        ordinals, head = slots.ordinals.numpy(), int(slots.head)
        assert ordinals[head] == ordinals.max()
        assert ordinals.max() == int(tf.reduce_max(before.ordinals)) + push
        assert int(slots.steps[head]) == int(slots.clock) == int(before.clock) + 1
        assert np.array_equal(ordinals >= 0, slots.steps >= 0)
        if not push:
            np.testing.assert_array_equal(ordinals, before.ordinals)
            assert head == int(before.head)
        else:
            frozen[int(before.ordinals[before.head])] = int(before.clock)
        # A frozen model keeps the step of its weights for as long as it is there.
        for ordinal, step in zip(ordinals, slots.steps.numpy(), strict=True):
            if ordinal >= 0 and ordinal != ordinals[head]:
                assert frozen[ordinal] == step
        share = bookkeeping.probabilities(slots, dtype=tf.float64).numpy()
        np.testing.assert_allclose(share, (ordinals >= 0) / (ordinals >= 0).sum())


@pytest.mark.parametrize("name", retention.NAMES)
def test_slot_is_the_same_in_graphs_and_under_xla(name):
    rule = retention.get(name)
    ordinals = tf.constant([6, 2, 9, 4], tf.int64)
    for compiled in (False, True):
        function = tf.function(
            lambda number: rule.slot(ordinals, 2, 9, number), jit_compile=compiled
        )
        for number in (0.0, 0.3, 0.999):
            slot = rule.slot(ordinals, 2, 9, number)
            assert slot.dtype == tf.int64
            assert int(function(tf.constant(number))) == int(slot)


def test_rule_of_ones_own():
    class DropSecond(kgg.games.retention.Retention):
        def occupied_slot(self, ordinals, head, count, uniform_number):
            return tf.constant(1, tf.int64)

    rule = DropSecond()
    assert retention.get(rule) is rule
    slots = bookkeeping.initial_slots(3)
    for _ in range(5):
        slots = bookkeeping.record_step(slots, rule, True, 0.0)
    assert slots.ordinals.numpy().tolist() == [0, 5, 2]


def test_configs():
    for name in retention.NAMES:
        rule = retention.get(name)
        assert rule.name == name
        assert type(type(rule).from_config(rule.get_config())) is type(rule)


def test_errors():
    with pytest.raises(ValueError, match=r"`retention` must be one of 'fifo'.*'lru'.*"):
        retention.get("lru")
    full = tf.constant([0, 1], tf.int64)
    with pytest.raises(TypeError, match=r"Retention is not a rule.*occupied_slot"):
        retention.Retention().slot(full, 1, 1, 0.5)


def test_float32_numbers_fill_every_slot():
    # As `record` draws them; the last number below 1 must stay inside the bank.
    last = np.nextafter(np.float32(1), np.float32(0))
    ordinals = tf.range(8, dtype=tf.int64)
    assert int(retention.Geometric().slot(ordinals, 7, 7, last)) == 7
    numbers = randomness.uniform(randomness.root(0), (64,))
    slots = {int(retention.Geometric().slot(ordinals, 7, 7, n)) for n in numbers}
    assert slots == set(range(8))
