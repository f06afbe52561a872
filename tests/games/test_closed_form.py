import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

# Written out a second time, in NumPy.
FORMULAS = {
    "bilinear": lambda x, y: x * y,
    "g1": lambda x, y: -3 * x**2 - y**2 + 4 * x * y,
    "g2": lambda x, y: 3 * x**2 + y**2 + 4 * x * y,
    "g3": lambda x, y: (
        (4 * x**2 - (y - 3 * x + 0.05 * x**3) ** 2 - 0.1 * y**4)
        * np.exp(-0.01 * (x**2 + y**2))
    ),
    "e3": lambda x, y: (
        ((0.3 * x**2 + y) ** 2 + (0.1 * y**2 + x) ** 2) * np.exp(-0.01 * (x**2 + y**2))
    ),
    "e4": lambda x, y: np.log1p(np.exp(x)) + 3 * x * y - np.log1p(np.exp(y)),
    # In the paper's letters the first player is called y.
    "exponential": lambda y, x: (
        np.exp(-0.01 * (x**2 + y**2)) * ((0.3 * x**2 + y) ** 2 + (x + 0.5 * y**2) ** 2)
    ),
    "dirac_gan": lambda x, y: -np.log1p(np.exp(-x * y)) - np.log(2),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_value(name):
    game = getattr(kgg.games, name)()
    assert game.name == name
    for x, y in np.random.default_rng(0).normal(scale=2, size=(5, 2)):
        value = game.value(tf.constant(x), tf.constant(y))
        np.testing.assert_allclose(value, FORMULAS[name](x, y), rtol=1e-12)


@pytest.mark.parametrize("name", ["bilinear", "e3", "e4", "exponential", "dirac_gan"])
def test_equilibrium_is_critical(name):
    game = getattr(kgg.games, name)()
    point = tf.constant(game.equilibrium, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = game.value(point[0], point[1])
    # The published points carry few digits, or a search stopped near them.
    np.testing.assert_allclose(tape.gradient(value, point), 0, atol=0.1)


@pytest.mark.parametrize("name", ["bilinear", "e4", "dirac_gan"])
def test_no_player_gains_by_leaving_the_equilibrium(name):
    game = getattr(kgg.games, name)()
    x, y = game.equilibrium
    best = FORMULAS[name](x, y)
    away = np.linspace(-3, 3, 13)
    assert np.all(FORMULAS[name](x, y + away) <= best + 1e-3)
    assert np.all(FORMULAS[name](x + away, y) >= best - 1e-3)
