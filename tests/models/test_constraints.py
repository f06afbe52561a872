"""Keras' weight constraints hold for the players that are searched for, too."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg

LIMIT = 0.01


@keras.saving.register_keras_serializable(package="test_constraints")
class Clip(keras.constraints.Constraint):
    """The box of the first Wasserstein GANs."""

    def __call__(self, w):
        return keras.ops.clip(w, -LIMIT, LIMIT)


def networks():
    keras.utils.set_random_seed(0)
    limits = {"kernel_constraint": Clip(), "bias_constraint": Clip()}
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(8, activation="relu", **limits),
            layers.Dense(1, **limits),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(2, kernel_constraint=keras.constraints.MaxNorm(0.5)),
        ]
    )
    return discriminator, generator


def largest(weights):
    return max(float(np.abs(weight).max()) for weight in weights)


def column_norms(weights):
    return float(np.linalg.norm(np.array(weights[0]), axis=0).max())


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop"])
def test_the_worst_players_stay_within_the_constraints(points, optimizer):
    response = kgg.BestResponse(3, optimizer, 0.1, start="persistent")
    gan = kgg.DualityGapGAN(*networks(), best_response=response, seed=0)
    gan.compile("rmsprop", "rmsprop", loss="wasserstein")
    gan.fit(points, batch_size=16, verbose=0)
    generator, discriminator = gan.worst_players
    assert LIMIT / 2 < largest(discriminator.weights) <= LIMIT + 1e-7
    assert column_norms(generator.weights) <= 0.5 + 1e-5


def test_the_gap_of_a_clipped_critic_is_that_of_its_class(points):
    gan = kgg.GAN(*networks(), seed=0)
    gan.compile(
        keras.optimizers.RMSprop(5e-5),
        keras.optimizers.RMSprop(5e-5),
        loss="wasserstein",
    )
    gan.fit(points, verbose=0)
    found = kgg.duality_gap(
        gan, points[:16], points[16:], 30, 0.1, seed=0, batch_size=16, perturbation=0.5
    )
    # |D| <= 8 c (2 c max|x| + c) + c for |w| <= c; V is a difference of two means.
    reach = max(np.abs(points).max(), 2.0)
    bound = 2 * (8 * LIMIT * (2 * LIMIT * reach + LIMIT) + LIMIT)
    assert 0 <= abs(found.minimax) <= bound


def test_unconstrained_players_are_not_touched(make, points):
    network = make().generator_network
    player = network.player()
    assert network.constrained(player) is player
