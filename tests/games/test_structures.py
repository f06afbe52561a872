import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_gamegan.games import structures

NESTED = {"a": tf.constant([1.0, -2.0]), "b": [tf.constant(3.0)]}
OTHER = {"a": tf.constant([0.5, 4.0]), "b": [tf.constant(-1.0)]}


def flat(structure):
    return np.concatenate([np.ravel(leaf) for leaf in tf.nest.flatten(structure)])


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (structures.add_scaled(NESTED, -2.0, OTHER), [0.0, -10.0, 5.0]),
        (structures.add(NESTED, OTHER), [1.5, 2.0, 2.0]),
        (structures.scale(NESTED, 3.0), [3.0, -6.0, 9.0]),
        (structures.zeros_like(NESTED), [0.0, 0.0, 0.0]),
        (structures.stop_gradient(NESTED), [1.0, -2.0, 3.0]),
    ],
    ids=["add_scaled", "add", "scale", "zeros_like", "stop_gradient"],
)
def test_linear_algebra(result, expected):
    tf.nest.assert_same_structure(result, NESTED)
    np.testing.assert_array_equal(flat(result), expected)


def test_squared_norm():
    assert float(structures.squared_norm(NESTED)) == 14.0  # 1 + 4 + 9


def test_python_numbers_do_not_pass_through_float32():
    third = structures.number(1 / 3, tf.float64)
    assert float(third) == 1 / 3
    moved = structures.add_scaled(
        tf.zeros((), tf.float64), 0.1, tf.ones((), tf.float64)
    )
    assert float(moved) == 0.1
    assert structures.number(tf.constant(2, tf.int32), tf.float64).dtype == tf.float64


def test_stop_gradient_stops():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * structures.stop_gradient([x])[0]
    assert float(tape.gradient(y, x)) == 2.0


def test_as_player():
    player = structures.as_player({"a": 1.0})
    assert tf.is_tensor(player.weights["a"]) and player.state == ()
    assert structures.as_player(player) is player


def test_weighted_mean_of_one_value_is_that_value():
    value = tf.constant(3.0)
    assert structures.weighted_mean([value], None) is value
    with pytest.raises(ValueError, match="unpack"):
        structures.weighted_mean([value, value], None)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1)), min_size=1, max_size=5))
def test_weighted_mean(pairs):
    values, weights = (np.array(part) for part in zip(*pairs, strict=True))
    result = structures.weighted_mean([tf.constant(x) for x in values], weights)
    np.testing.assert_allclose(result, values @ weights, atol=1e-12)
