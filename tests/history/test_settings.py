import keras
import pytest

import keras_gamegan as kgg
from keras_gamegan.games import retention


@keras.saving.register_keras_serializable(package="test_config")
class Second(retention.Retention):
    def __init__(self, slot=1):
        self.index = slot

    def occupied_slot(self, ordinals, head, count, uniform_number):
        return self.index

    def get_config(self):
        return {"slot": self.index}


@keras.saving.register_keras_serializable(package="test_config")
class MyFifo(retention.Fifo):
    """A rule that inherits a built-in one's name."""


def round_trip(thing):
    return keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(thing)
    )


def test_round_trip():
    history = kgg.History(7, 20, "thinned", None, "generator")
    copy = round_trip(history)
    assert copy.get_config() == history.get_config()
    assert copy.get_config()["retention"] == "thinned"
    assert repr(copy) == (
        "History(capacity=7, interval=20, retention='thinned', current_weight=None, "
        "side='generator')"
    )


def test_every_argument_survives():
    arguments = {
        "capacity": 3,
        "interval": kgg.history.GrowingInterval(7, factor=1.5),
        "retention": "fifo",
        "current_weight": 0.25,
        "side": "both",
        "weights": "geometric",
        "decay": 0.5,
        "slices": 2,
        "dtype": "bfloat16",
        "answered": "discriminator",
    }
    history = kgg.History(**arguments)
    config = round_trip(history).get_config()
    assert history.get_config() == arguments
    interval = config.pop("interval")
    assert repr(interval) == "GrowingInterval(first=7, factor=1.5)"
    arguments.pop("interval")
    assert config == arguments


def test_a_configuration_of_an_older_version_means_the_same():
    old = {
        "capacity": 7,
        "interval": 20,
        "retention": "thinned",
        "current_weight": None,
        "side": "generator",
    }
    assert kgg.History.from_config(old).get_config() == kgg.History(**old).get_config()


@pytest.mark.parametrize("rule", [Second(slot=2), MyFifo()])
def test_own_retention_rules_survive(rule):
    copy = round_trip(kgg.History(retention=rule)).retention
    assert type(copy) is type(rule)
    assert copy.get_config() == rule.get_config()


def test_named_and_made_rules_are_one():
    assert kgg.History(retention=retention.Fifo()).get_config()["retention"] == "fifo"


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"capacity": 0}, ValueError, "1 keeps the live model alone"),
        ({"capacity": 2.0}, TypeError, "Received: capacity=2.0"),
        ({"interval": 0}, ValueError, "`interval` must be an integer of at least 1"),
        ({"retention": "lru"}, ValueError, "'fifo', 'geometric', 'thinned', 'reserv"),
        ({"current_weight": 1.5}, ValueError, r"in \[0, 1\].*None: all equally"),
        ({"current_weight": "half"}, TypeError, "Received: current_weight='half'"),
        ({"interval": 2.5}, TypeError, "Received: interval=2.5.*None: only bank.push"),
        ({"weights": "softmax"}, ValueError, "'uniform', 'geometric', 'nash'"),
        ({"decay": 0.0}, ValueError, r"in \(0, 1\].*1: all stored ones equally"),
        ({"decay": 1.5}, ValueError, "Received: decay=1.5"),
        ({"slices": 0}, ValueError, "`slices` must be an integer of at least 1"),
        ({"dtype": "int8"}, ValueError, "'float32', 'bfloat16', 'float16'.*None: the"),
        ({"side": "left"}, ValueError, "'both', 'discriminator', 'generator'"),
        ({"answered": "left"}, ValueError, "'both', 'discriminator', 'generator'"),
        (
            {"side": "generator", "answered": "maximizer"},
            ValueError,
            "answered='maximizer' with side='generator'. Pass side='both', or answ",
        ),
    ],
)
def test_bad_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.History(**arguments)
