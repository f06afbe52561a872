import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import bookkeeping, structures, tensor_history


def player(number):
    return structures.Player({"w": tf.constant([float(number)])})


def recorded(numbers, capacity, **options):
    """A history that began with player 0 and then recorded these."""
    past = tensor_history.TensorHistory(player(0), capacity, **options)
    for number in numbers:
        past = past.record(player(number))
    return past


def contents(past):
    filled = past.slots.ordinals.numpy() >= 0
    return sorted(past.members["w"].numpy()[filled, 0].tolist())


def test_first_record_replaces_the_initial_player():
    # Clock 0: there is no step before whose weights could be frozen.
    assert contents(recorded([1], 3, retention_rule="fifo")) == [1.0]
    assert contents(recorded([1, 2], 3, retention_rule="fifo")) == [1.0, 2.0]
    assert contents(recorded([1, 2, 3, 4], 3, retention_rule="fifo")) == [2.0, 3.0, 4.0]


def test_interval():
    # Pushes at clocks 2 and 4: the weights of steps 2 and 4 are frozen.
    past = recorded([1, 2, 3, 4, 5], 4, interval=2, retention_rule="fifo")
    assert contents(past) == [2.0, 4.0, 5.0]
    assert sorted(past.slots.steps.numpy().tolist()) == [-1, 2, 4, 5]


@pytest.mark.parametrize(
    ("weight", "expected"), [(None, 3.0), (0.5, 3.25), (1.0, 4.0), (0.0, 2.5)]
)
def test_average(weight, expected):
    # Stored 2, 3, 4; the live one is 4.
    past = recorded([1, 2, 3, 4], 3, retention_rule="fifo", current_weight=weight)
    np.testing.assert_allclose(past.average()["w"], [expected])


def test_full_mixture_answers_the_live_player_too():
    past = recorded([1, 2, 3], 3, retention_rule="fifo")
    mixture = past.mixture(player(7))  # 3 was stored as live: 7 stands in its place.
    values = [float(member.weights["w"][0]) for member in mixture.members]
    assert sorted(values) == [1.0, 2.0, 7.0]
    np.testing.assert_allclose(mixture.probabilities, [1 / 3] * 3)


def test_empty_slots_are_not_played():
    mixture = recorded([1, 2], 4).mixture(player(2))
    assert sorted(mixture.probabilities.numpy().tolist()) == [0, 0, 0.5, 0.5]


def test_capacity_one_is_no_history():
    current = player(5)
    mixture = recorded([1, 2, 3], 1).mixture(current)
    assert mixture.members == (current,) and mixture.probabilities is None


def test_sampled_mixture():
    past = recorded(
        [1], 3, retention_rule="fifo", mixture="sampled", current_weight=0.5
    )
    drawn = []
    for number in range(2, 102):
        past = past.record(player(number))
        mixture = past.mixture(player(number))
        assert len(mixture.members) == 1
        drawn.append(number - float(mixture.members[0].weights["w"][0]))
    ages, counts = np.unique(drawn[2:], return_counts=True)
    assert ages.tolist() == [0.0, 1.0, 2.0]
    expected = np.array([0.5, 0.25, 0.25]) * 98
    assert ((counts - expected) ** 2 / expected).sum() < 18.4  # 1 in 10,000
    # A function of the seed and the clock alone.
    twin = recorded(
        [1], 3, retention_rule="fifo", mixture="sampled", current_weight=0.5
    )
    again = []
    for number in range(2, 12):
        twin = twin.record(player(number))
        again.append(
            number - float(twin.mixture(player(number)).members[0].weights["w"][0])
        )
    assert again == drawn[:10]


def test_tensors_round_trip():
    past = recorded([1, 2], 3)
    copy = tensor_history.TensorHistory(player(0), 3).with_tensors(past.tensors())
    assert contents(copy) == contents(past)


@pytest.mark.parametrize("weight", [None, 0.0, 0.25, 1.0])
def test_probabilities(weight):
    slots = bookkeeping.initial_slots(4)
    alone = bookkeeping.probabilities(slots, weight)
    assert alone.numpy().tolist() == [1.0, 0.0, 0.0, 0.0]
    rule = kgg.games.retention.Fifo()
    for _ in range(2):
        slots = bookkeeping.record_step(slots, rule, True, 0.0)
    head = 1 / 3 if weight is None else weight
    rest = (1 - head) / 2
    np.testing.assert_allclose(
        bookkeeping.probabilities(slots, weight, tf.float64), [rest, rest, head, 0]
    )


def test_is_due():
    due = [int(clock) for clock in range(13) if bookkeeping.is_due(clock, 4)]
    assert due == [4, 8, 12]
