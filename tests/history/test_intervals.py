import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.history import intervals


def schedule(interval, steps):
    """The clocks below ``steps`` at which an interval is due."""
    due = tf.function(intervals.get(interval).is_due)
    return [t for t in range(1, steps) if due(tf.constant(t, tf.int64))]


@pytest.fixture
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.mark.parametrize(("first", "factor"), [(1, 1.01), (3, 1.1), (10, 2.0), (7, 3)])
def test_growing_interval_against_plain_numbers(first, factor):
    expected, clock, spacing = [], 0, float(first)
    while clock < 400:
        clock += int(np.floor(spacing))
        expected.append(clock)
        spacing *= factor
    found = schedule(kgg.history.GrowingInterval(first, factor), 400)
    assert found == [clock for clock in expected if clock < 400]


def test_growing_spacings_never_shrink():
    due = np.array(schedule(kgg.history.GrowingInterval(2, 1.25), 3000))
    spacings = np.diff(due, prepend=0)
    assert np.all(np.diff(spacings) >= 0) and spacings[0] == 2
    # In the long run each is the factor times the one before.
    assert spacings[-1] / spacings[-2] == pytest.approx(1.25, rel=0.01)


def test_growing_interval_is_exact_under_xla_and_at_large_clocks():
    interval = kgg.history.GrowingInterval(1000, 2.0)
    due = 1000 * (2**40 - 1)  # Not a float32, nor even close to one.
    compiled = tf.function(interval.is_due, jit_compile=True)
    for clock, expected in ((due - 1, False), (due, True), (due + 1, False)):
        clock = tf.constant(clock, tf.int64)
        assert bool(interval.is_due(clock)) == bool(compiled(clock)) == expected


def test_bank_freezes_at_a_growing_interval(network):
    bank = kgg.WeightBank(
        network,
        8,
        interval=kgg.history.GrowingInterval(2, 2.0),
        retention="fifo",
    )
    player = stateless_network.StatelessNetwork(network).player()

    @tf.function
    def record(player):
        bank.record(player)

    for _ in range(20):
        record(player)
    # Due at 2, 6, 14 and 30.
    np.testing.assert_array_equal(bank.member_steps, [2, 6, 14, 20])


def test_without_an_interval_only_push_freezes(network):
    bank = kgg.WeightBank(network, 8, interval=None, retention="fifo")
    player = stateless_network.StatelessNetwork(network).player()
    for _ in range(150):
        bank.record(player)
    assert bank.size == 1
    bank.push()
    assert bank.size == 2


@keras.saving.register_keras_serializable(package="test_intervals")
class Powers(kgg.history.Interval):
    def __init__(self, first=1):
        self.first = first

    def is_due(self, clock):
        return (clock >= self.first) & (tf.bitwise.bitwise_and(clock, clock - 1) == 0)

    def get_config(self):
        return {"first": self.first}


@keras.saving.register_keras_serializable(package="test_intervals")
class Always(kgg.history.Interval):
    def is_due(self, clock):
        return True


@pytest.mark.parametrize(
    "interval", [3, None, kgg.history.GrowingInterval(2, 1.5), Powers(4)]
)
def test_intervals_survive_a_saved_model(tmp_path, interval):
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=3, width=4)
    history = kgg.History(capacity=4, interval=interval)
    gan = kgg.FictitiousGAN(*pair, history=history, seed=0)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras").history_config
    assert repr(loaded) == repr(history)
    assert schedule(loaded.interval, 40) == schedule(interval, 40)


def test_nothing_is_frozen_before_the_first_step(network):
    bank = kgg.WeightBank(network, 4, interval=Always(), retention="fifo")
    for _ in range(3):
        bank.record(stateless_network.StatelessNetwork(network).player())
    np.testing.assert_array_equal(bank.member_steps, [1, 2, 3])


class _Undefined(kgg.history.Interval):
    pass


class _Vector(kgg.history.Interval):
    def is_due(self, clock):
        return tf.stack([clock, clock]) > 0


class _Number(kgg.history.Interval):
    def is_due(self, clock):
        return clock


@pytest.mark.parametrize(
    ("interval", "error", "match"),
    [
        (_Undefined(), TypeError, "_Undefined is not an interval yet.*is_due"),
        (_Vector(), TypeError, r"boolean scalar. Received: bool of shape \(2,\)"),
        (_Number(), TypeError, r"Received: int64 of shape \(\) from _Number\(\)"),
        (0, ValueError, "`interval` must be an integer of at least 1.*Received"),
        ("often", TypeError, "Received: interval='often'"),
    ],
)
def test_bad_intervals(interval, error, match):
    with pytest.raises(error, match=match):
        kgg.History(interval=interval)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((0,), ValueError, "`first` must be an integer of at least 1"),
        ((10, 1.0), ValueError, r"`factor`.*\[1.01, inf\).*constant spacing is an int"),
        ((10, "2"), TypeError, "Received: factor='2'"),
    ],
)
def test_bad_growing_intervals(arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.history.GrowingInterval(*arguments)
