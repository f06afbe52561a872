"""The proximal gap of GANs whose proximal gap is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import randomness, structures
from keras_gamegan.measuring import held_out, sobolev_distance
from keras_gamegan.models.step import adversarial_game
from tests.measuring import known_games

DATA = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
# Discrete data of mean 2: several equal examples are no overlap.
LINE = np.tile([[1.0], [3.0]], (64, 1))


def test_line_in_closed_form():
    """V = w (2 - b), so V^l(w, b) = w d + d^2 / (4 l), d = 2 - b, at least -l w^2."""
    slope, offset, weight, steps, rate = 0.3, 0.7, 0.5, 60, 0.1
    found = kgg.duality_gap(
        known_games.line_gan(offset, slope),
        LINE,
        LINE.copy(),
        num_steps=steps,
        learning_rate=rate,
        optimizer="sgd",
        proximal=kgg.games.Proximal(weight, num_steps=200),
        batch_size=32,
        seed=0,
    )
    assert found.maximin == pytest.approx(-weight * slope**2, abs=1e-4)
    # v_w is searched for as ever: k steps along the constant gradient 2 - b.
    minimax = (slope + steps * rate * (2 - offset)) * (2 - offset)
    assert found.minimax == pytest.approx(minimax)
    assert found.gap == found.minimax - found.maximin


def test_a_large_weight_gives_the_plain_gap_and_a_small_one_less():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile(loss="minimax")
    arguments = {"num_steps": 20, "learning_rate": 1e-2, "batch_size": 64, "seed": 0}
    plain, near, rigid = (
        kgg.duality_gap(gan, DATA[:256], DATA[256:], proximal=proximal, **arguments)
        for proximal in (None, 0.1, 1e9)
    )
    assert near.minimax == rigid.minimax == plain.minimax
    assert near.maximin > plain.maximin - 1e-3
    assert rigid.maximin == pytest.approx(plain.maximin, abs=1e-5)
    assert 0.0 < near.gap < plain.gap + 1e-3


def test_distance_and_its_gradient():
    gan = known_games.line_gan(0.0, 0.5)
    examples = adversarial_game.Examples(tf.constant(LINE))
    batch = held_out.batch(gan, examples, 8, 0, randomness.root(0))
    distance = sobolev_distance.sobolev_distance(gan.game)
    slope = tf.constant([[2.0]], tf.float64)
    center = structures.Player([tf.constant([[0.5]], tf.float64)], [])
    with tf.GradientTape() as tape:
        tape.watch(slope)
        moved = distance(structures.Player([slope], []), center, batch)
    # D(x) = w x: the slopes in x are w everywhere.
    assert float(moved) == 1.5**2
    assert float(tape.gradient(moved, slope)[0, 0]) == 2 * 1.5


def slopes_by_hand(weights, points):
    """grad_x of a network of two ReLU layers: W1 [on1] W2 [on2] W3."""
    w1, b1, w2, b2, w3, _ = [leaf.numpy().astype("float64") for leaf in weights]
    first = points @ w1 + b1
    second = np.maximum(first, 0) @ w2 + b2
    back = (second > 0) * w3[:, 0]
    return ((back @ w2.T) * (first > 0)) @ w1.T


def test_distance_of_a_network_by_hand():
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1), seed=0)
    gan.compile()
    player = gan.discriminator_network.player()
    other = tf.nest.map_structure(lambda leaf: 1.1 * leaf + 0.05, player)
    data = adversarial_game.Examples(tf.constant(DATA))
    batch = held_out.batch(gan, data, 16, 0, randomness.root(0))
    one, two = (
        slopes_by_hand(p.weights, batch.examples.real.numpy()) for p in (other, player)
    )
    expected = np.mean(np.sum((one - two) ** 2, axis=1))
    measured = sobolev_distance.sobolev_distance(gan.game)(other, player, batch)
    assert float(measured) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_penalised_and_moving_networks():
    """The answer differentiates a distance beside R1, BatchNorm and Dropout."""
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    gan = kgg.GAN(discriminator, generator, seed=0)
    gan.compile(penalty="r1")
    found = kgg.duality_gap(
        gan, DATA[:256], DATA[256:], num_steps=4, proximal=0.1, batch_size=64, seed=0
    )
    assert np.isfinite(found[:6]).all()
