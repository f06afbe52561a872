"""Values to try: right ones, wrong ones and those that nobody thinks of."""

import keras
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st


class Thing:
    """An object of a class that no library knows."""

    def __repr__(self):
        return "Thing()"


# By name, so that a failing example says what it was.
NONSENSE = {
    "None": None,
    "True": True,
    "False": False,
    "-1": -1,
    "0": 0,
    "1": 1,
    "0.5": 0.5,
    "1.0": 1.0,
    "-0.5": -0.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "1e300": 1e300,
    "10**9": 10**9,
    "2**40": 2**40,
    "2**63": 2**63,
    "2**70": 2**70,
    "-2**70": -(2**70),
    "10**400": 10**400,
    "text": "x",
    "empty text": "",
    "slash": "a/b",
    "bytes": b"x",
    "thing": Thing(),
    "class": Thing,
    "function": len,
    "complex": 1j,
    "list": [],
    "list of one": [1],
    "list of None": [None],
    "dict": {},
    "dict of one": {"a": 1},
    "tuple": (),
    "set": {1},
    "numpy integer": np.int64(2),
    "numpy number": np.float32(0.5),
    "numpy bool": np.bool_(True),
    "array": np.array([1.0, 2.0]),
    "array of rank 0": np.array(3),
    "tensor": tf.constant(2),
    "range": range(3),
}


def nonsense():
    """Any of `NONSENSE`, of whatever type."""
    return st.sampled_from(sorted(NONSENSE)).map(Named)


class Named:
    """A name of a value: an example prints as what it is called."""

    def __init__(self, name):
        self.name = name

    @property
    def value(self):
        """The value, as others may not have changed it."""
        found = NONSENSE[self.name]
        return found.copy() if isinstance(found, (list, dict, set)) else found

    def __repr__(self):
        return self.name


def plain(value):
    """Returns what a drawn value stands for."""
    return value.value if isinstance(value, Named) else value


def mostly(right, other, out_of=4):
    """Examples of one strategy, and of another once in so many."""
    return st.sampled_from([right] * (out_of - 1) + [other]).flatmap(lambda it: it)


@st.composite
def options(draw, **known):
    """Dictionaries of some arguments: right ones, and in half of them a wrong one.

    What is refused for two reasons says the first only.

    Args:
        draw: From Hypothesis.
        **known: Right values by the argument's name; none if there are none.
    """
    given = {}
    for name, right in known.items():
        if right and draw(st.sampled_from([False, False, True])):
            given[name] = draw(st.sampled_from(right))
    if draw(st.booleans()):
        given[draw(st.sampled_from(sorted(known)))] = draw(nonsense())
    return given


def is_finite(variables):
    """Returns whether all floating variables hold finite numbers."""
    return all(
        bool(tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(each))))
        for each in variables
        if keras.backend.is_float_dtype(each.dtype)
    )
