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
        ({"side": "left"}, ValueError, "'both', 'discriminator', 'generator'"),
    ],
)
def test_bad_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.History(**arguments)
