"""Arguments out of range or of another type are refused, and the message says why."""

import math

import numpy as np
import pytest

from keras_gamegan import validation

LARGE = 2**63 - 1


@pytest.mark.parametrize(
    ("value", "right"), [(1, 1), (np.int8(3), 3), (LARGE, LARGE), (10, 10)]
)
def test_integers(value, right):
    found = validation.check_integer("n", value)
    assert found == right and type(found) is int


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, TypeError, r"of at least 1\. Received: n=True \(of type bool\)"),
        (1.0, TypeError, r"Received: n=1\.0 \(of type float\)"),
        (0, ValueError, r"of at least 1\. Received: n=0\. Mend it\."),
        (LARGE + 1, ValueError, rf"of at most {LARGE}\. Received: n={LARGE + 1}\."),
        (10**400, ValueError, "Received: n=1000"),
    ],
)
def test_integers_that_are_none(value, kind, text):
    with pytest.raises(kind, match=text):
        validation.check_integer("n", value, hint="Mend it.")


@pytest.mark.parametrize("value", [-(10**400), 10**400, math.inf, math.nan])
def test_numbers_beyond_all_floats(value):
    with pytest.raises(ValueError, match=r"a number in \[0, inf\)\. Received: x="):
        validation.check_number("x", value)


@pytest.mark.parametrize("value", [-1, LARGE + 1, 2**70])
def test_seeds(value):
    assert validation.check_seed("seed", LARGE) == LARGE
    with pytest.raises(ValueError, match=f"Received: seed={value}.*% 2"):
        validation.check_seed("seed", value)


def test_flags():
    for value in (True, False, "auto"):
        assert validation.check_flag("f", value, (True, False, "auto")) is value
    for value in (1, 0, 0.5, "x", None, np.array([1, 2])):
        with pytest.raises(TypeError, match=r"one of True, False, 'auto'\. Received:"):
            validation.check_flag("f", value, (True, False, "auto"))


def test_memory():
    validation.check_memory("a little", 8, "Less.")
    text = r"memory of this machine, .* Received: too much, which takes 1e\+30\. Less\."
    with pytest.raises(ValueError, match=text):
        validation.check_memory("too much", 10**30, "Less.")
