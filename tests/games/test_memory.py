import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.games import memory, retention


def remember(subject, plays, number=0.5):
    state = subject.init(tf.constant(plays[0]))
    for play in plays[1:]:
        state = subject.add(state, tf.constant(play), number)
    return subject.mean(state).numpy()


PLAYS = np.random.default_rng(0).random((9, 3))


def test_full():
    np.testing.assert_allclose(
        remember(memory.FullMemory(), PLAYS), PLAYS.mean(axis=0), rtol=1e-14
    )


def test_full_sums_of_whole_numbers_are_exact():
    plays = np.tile([[1.0, 0.0], [0.0, 1.0]], (50, 1))
    assert remember(memory.FullMemory(), plays).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("capacity", [1, 2, 5, 20])
def test_discounted(capacity):
    # All alike until there are K of them, then each new one takes a share 1/K.
    expected = PLAYS[: min(capacity, len(PLAYS))].mean(axis=0)
    for play in PLAYS[capacity:]:
        expected = (1 - 1 / capacity) * expected + play / capacity
    result = remember(memory.DiscountedMemory(capacity), PLAYS)
    np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize("capacity", [1, 2, 5, 20])
def test_slots(capacity):
    subject = memory.SlotMemory(retention.Fifo(), capacity)
    np.testing.assert_allclose(
        remember(subject, PLAYS), PLAYS[-capacity:].mean(axis=0), rtol=1e-12
    )


@pytest.mark.parametrize(("weight", "share"), [(0.4, 0.4), ("1/n", 1 / 9), (1.0, 1.0)])
def test_weight_of_the_latest_play(weight, share):
    subject = memory.SlotMemory(retention.Fifo(), 4, weight)
    expected = share * PLAYS[-1] + (1 - share) * PLAYS[-4:-1].mean(axis=0)
    np.testing.assert_allclose(remember(subject, PLAYS), expected, rtol=1e-12)
