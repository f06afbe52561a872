"""Closed-form games as networks of one weight: `fit` follows `games.solve`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies
from tests.models import two_players

# Keras keeps a learning rate in float32, which holds this one exactly.
RATE, STEPS = 0.0625, 12
GAMES = ("bilinear", "dirac_gan", "e3", "e4", "exponential", "g1", "g2", "g3")
# Its own start is a critical point.
STARTS = {"exponential": (-1.0, 0.5)}


EXACT = {"rtol": 1e-12, "atol": 1e-12}
# A bank's probabilities are float32: powers of 0.9 are not exact in it.
TOLERANCES = {
    two_players.SCHEMES["fictitious play geometric"]: {"rtol": 1e-6, "atol": 1e-6}
}


class Weight(keras.layers.Layer):
    """One weight w, for each example: what a game has of one player."""

    def __init__(self, start):
        super().__init__(dtype="float64")
        initial = keras.initializers.Constant(start)
        self.weight = self.add_weight(shape=(), initializer=initial, name="weight")

    def call(self, x):
        return 0.0 * x + tf.convert_to_tensor(self.weight)


class Trajectory(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.visited = []
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch, logs=None):
        networks = self.model.minimizer, self.model.maximizer
        weights = (tf.convert_to_tensor(network.weights[0]) for network in networks)
        self.visited.append([float(weight) for weight in weights])


def start_of(game):
    return STARTS.get(game.name, game.start)


def trained(game, updates, size):
    """Returns the trajectory of `fit` with batches of a size (steps + 1, 2)."""

    def value(minimizer, maximizer, batch):
        u, v = minimizer(batch)[:, 0], maximizer(batch)[:, 0]
        return tf.map_fn(lambda pair: game.value(*pair), (u, v), u.dtype)

    networks = (
        keras.Sequential([keras.Input((1,), dtype="float64"), Weight(start)])
        for start in start_of(game)
    )
    model = kgg.TwoPlayerModel(*networks, value, updates=updates, seed=3)
    model.compile(*(keras.optimizers.SGD(RATE) for _ in range(2)))
    callback = Trajectory()
    data = tf.data.Dataset.from_tensor_slices(np.zeros((size * STEPS, 1)))
    model.fit(data.batch(size), callbacks=[callback], verbose=0)
    return np.array(callback.visited)


def solved(game, scheme):
    result = kgg.games.solve(
        game,
        start_of(game),
        scheme=scheme,
        step_size=RATE,
        max_iterations=STEPS,
        tolerance_decimals=14,
    )
    return np.stack(result.trajectory, axis=1)


# Each scheme plays one game by default, and another one when there is time.
CELLS = [
    pytest.param(GAMES[(index + shift) % len(GAMES)], scheme, marks=marks)
    for index, scheme in enumerate(two_players.SCHEMES)
    for shift, marks in ((0, []), (3, [pytest.mark.slow]))
]


@pytest.mark.parametrize("game, scheme", CELLS)
def test_fit_follows_solve(game, scheme):
    game, scheme = getattr(kgg.games, game)(), two_players.SCHEMES[scheme]
    expected = solved(game, scheme)
    found = trained(game, scheme, 1)
    assert np.all(found[-1] != found[0])
    np.testing.assert_allclose(found, expected, **TOLERANCES.get(scheme, EXACT))


@pytest.mark.parametrize("scheme", two_players.SCHEMES)
def test_fit_on_two_replicas_follows_solve(scheme):
    game, scheme = kgg.games.g1(), two_players.SCHEMES[scheme]
    with strategies.mirrored().scope():
        found = trained(game, scheme, 2)
    np.testing.assert_allclose(
        found, solved(game, scheme), **TOLERANCES.get(scheme, EXACT)
    )
