"""The measured gap of one-dimensional Gaussians against quadrature."""

import numpy as np
import pytest
from scipy import integrate, special, stats

import keras_gamegan as kgg
from tests.measuring import known_games

# Of the standard error, which is what the scoring set leaves open.
TOLERANCE = 4.0


def value(slope, bias, offset):
    """V of D(x) = slope x + bias, data N(0, 1) and G = N(offset, 1), by quadrature."""

    def integrand(x):
        logit = slope * x + bias
        return 0.5 * special.log_expit(logit) * stats.norm.pdf(
            x
        ) + 0.5 * special.log_expit(-logit) * stats.norm.pdf(x, offset)

    return integrate.quad(integrand, -12, 12 + offset, epsabs=1e-12)[0]


def data(seed=0):
    draw = np.random.default_rng(seed).normal(size=(8192 + 16384, 1))
    return draw[:8192], draw[8192:]


def measure(gan, **arguments):
    defaults = {"num_steps": 200, "learning_rate": 0.02, "batch_size": 1024, "seed": 1}
    return kgg.duality_gap(gan, *data(), **{**defaults, **arguments})


def test_quadrature_knows_the_optimum():
    # The log of the ratio of the densities is -mu x + mu^2 / 2, and no D does better.
    best = value(-1.5, 1.125, 1.5)
    assert best > max(value(-1.4, 1.125, 1.5), value(-1.5, 1.0, 1.5), value(0, 0, 1.5))
    assert value(0.0, 0.0, 1.5) == pytest.approx(-np.log(2.0))


@pytest.mark.parametrize("offset", [0.5, 1.0, 2.0])
def test_minimax_of_gaussians(offset):
    exact = value(-offset, offset**2 / 2, offset)
    # From a discriminator that knows nothing, where no generator is worse than another.
    found = measure(known_games.gaussian_gan(offset))
    assert abs(found.minimax - exact) < TOLERANCE * found.minimax_error
    assert found.minimax_error < 0.01
    assert found.maximin == pytest.approx(-np.log(2.0), abs=1e-12)
    assert abs(found.gap - (exact + np.log(2.0))) < TOLERANCE * found.gap_error


def test_best_discriminator_is_found_to_be_the_worst_for_the_generator():
    gan = known_games.gaussian_gan(1.0, slope=-1.0, bias=0.5)
    found = measure(gan)
    assert abs(found.minimax - value(-1.0, 0.5, 1.0)) < TOLERANCE * found.minimax_error
    # Against it a generator gains by moving away from 1, so the gap sees both halves.
    assert found.gap > value(-1.0, 0.5, 1.0) + np.log(2.0)


@pytest.mark.parametrize("arguments", [{}, {"proximal": 0.1}, {"perturbation": 1e-3}])
@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
def test_zero_at_equilibrium(loss, arguments):
    found = measure(known_games.gaussian_gan(0.0, loss=loss), **arguments)
    assert abs(found.gap) < max(3.0 * found.gap_error, 1e-3)
    assert found.minimax == pytest.approx(-np.log(2.0), abs=1e-3)


@pytest.mark.parametrize("loss", ["minimax", "hinge", "least_squares"])
def test_gap_is_never_clearly_negative(loss):
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=16, seed=1)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile(loss=loss)
    draws = np.random.default_rng(0).normal(size=(3072, 2)).astype("float32")
    # One compiled search for many models.
    estimator = kgg.measuring.GapEstimator(
        gan, draws[:1024], draws[1024:], num_steps=40, learning_rate=2e-3
    )
    gaps = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        for network in (gan.discriminator, gan.generator):
            for variable in network.trainable_variables:
                noise = random.normal(size=variable.shape) * 0.3 * random.uniform()
                variable.assign_add(noise)
        found = estimator(seed)
        assert found.gap >= -3.0 * found.gap_error
        gaps.append(found.gap)
    assert max(gaps) > 0.1
