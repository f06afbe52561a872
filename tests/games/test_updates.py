import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.games import updates

# Keras takes hyperparameters through float32: where all of them are exact there (the
# cases named "others"), float64 must agree to the last digits.
RATE = 2.0**-4
RULES = {
    "sgd": ({}, lambda: keras.optimizers.SGD(RATE)),
    "momentum": ({}, lambda: keras.optimizers.SGD(RATE, momentum=0.9)),
    "rmsprop": ({}, lambda: keras.optimizers.RMSprop(RATE)),
    "adam": ({}, lambda: keras.optimizers.Adam(RATE)),
    "adam, others": (
        {"beta_1": 0.5, "beta_2": 0.875, "epsilon": 1e-3},
        lambda: keras.optimizers.Adam(RATE, beta_1=0.5, beta_2=0.875, epsilon=1e-3),
    ),
    "rmsprop, others": (
        {"decay": 0.5, "epsilon": 1e-3},
        lambda: keras.optimizers.RMSprop(RATE, rho=0.5, epsilon=1e-3),
    ),
    "momentum, others": (
        {"decay": 0.5},
        lambda: keras.optimizers.SGD(RATE, momentum=0.5),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", RULES)
def test_same_as_keras(case, dtype):
    hyperparameters, make_optimizer = RULES[case]
    rule = updates.get(case.split(",")[0], RATE, **hyperparameters)
    generator = np.random.default_rng(0)
    start = [generator.normal(size=(2, 3)), generator.normal(size=4)]
    variables = [keras.Variable(x, dtype=dtype) for x in start]
    optimizer = make_optimizer()
    optimizer.build(variables)
    weights = {
        "kernel": tf.constant(start[0], dtype),
        "rest": [tf.constant(start[1], dtype)],
    }
    state = rule.init(weights)
    for _ in range(6):
        slopes = [generator.normal(size=x.shape).astype(dtype) for x in start]
        gradient = {
            "kernel": tf.constant(slopes[0]),
            "rest": [tf.constant(slopes[1])],
        }
        weights, state = rule.apply(gradient, state, weights)
        optimizer.apply([tf.constant(x) for x in slopes], variables)
    exact = dtype == "float64" and (case == "sgd" or "others" in case)
    tolerance = 1e-12 if exact else 1e-5
    for leaf, variable in zip(tf.nest.flatten(weights), variables, strict=True):
        assert leaf.dtype == dtype
        np.testing.assert_allclose(leaf, variable.numpy(), rtol=0, atol=tolerance)


def test_first_adam_step_is_the_learning_rate():
    rule = updates.adam(0.1, epsilon=0.0)
    weights = tf.constant([1.0, 1.0], tf.float64)
    moved, _ = rule.apply(
        tf.constant([5.0, -0.001], tf.float64), rule.init(weights), weights
    )
    np.testing.assert_allclose(moved, [0.9, 1.1], rtol=1e-12)


def test_zero_gradient_has_a_finite_derivative_under_adam():
    rule = updates.adam(0.1)
    x = tf.zeros((), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        moved, _ = rule.apply(x**2, rule.init(x), x)
    assert np.isfinite(float(tape.gradient(moved, x)))


def test_learning_rate_may_be_a_tensor():
    rule = updates.get("sgd", tf.constant(0.5))
    assert float(rule.apply(tf.constant(1.0), (), tf.constant(1.0))[0]) == 0.5


def test_errors():
    with pytest.raises(ValueError, match=r"'sgd', 'momentum', 'adam', 'rmsprop'"):
        updates.get("adamw", 0.1)
    with pytest.raises(ValueError, match=r"`learning_rate` must be .*Received.*-1"):
        updates.get("sgd", -1.0)
