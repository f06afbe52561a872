import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import gap, randomness, structures

NASH = (-8.67366, -12.467547)


@pytest.fixture(scope="module")
def exponential():
    return kgg.games.exponential()


def test_plain_gap_is_blind_at_a_critical_point(exponential):
    assert float(kgg.games.duality_gap(exponential, 0.0, 0.0).gap) == 0.0


@pytest.mark.parametrize("seed", [0, 1])
def test_perturbed_gap_sees(exponential, seed):
    result = kgg.games.duality_gap(exponential, 0.0, 0.0, perturbation=0.008, seed=seed)
    assert float(result.gap) == pytest.approx(49.216, abs=0.01)
    assert float(result.gap) == float(result.minimax) - float(result.maximin)


def test_gap_at_the_nash_point(exponential):
    plain = kgg.games.duality_gap(exponential, *NASH)
    assert float(plain.gap) == pytest.approx(0.0019, abs=5e-5)
    perturbed = kgg.games.duality_gap(exponential, *NASH, perturbation=0.008, seed=0)
    assert 0.0015 < float(perturbed.gap) < 0.0020


def test_closed_form_gap():
    # M = u v + u^2 - v^2 at (1, 2): v_w = u / 2, M = 1/4 + 1; u_w = -v / 2,
    # M = -v^2 / 4 - v^2 = -5. DG = 1.25 + 5.
    game = kgg.games.Game(lambda u, v: u * v + u**2 - v**2)
    result = kgg.games.duality_gap(game, 1.0, 2.0, 200, 0.1, optimizer="sgd")
    np.testing.assert_allclose([result.worst_u, result.worst_v], [-1.0, 0.5])
    np.testing.assert_allclose(
        [result.gap, result.minimax, result.maximin], [6.25, 1.25, -5.0]
    )


def test_no_steps_measure_nothing():
    result = kgg.games.duality_gap(kgg.games.bilinear(), 2.0, 3.0, num_steps=0)
    assert (float(result.gap), float(result.minimax)) == (0.0, 6.0)


def test_nested_players_and_float32():
    game = kgg.games.Game(lambda u, v: tf.reduce_sum(u["a"] * v[0]))
    result = kgg.games.duality_gap(
        game,
        {"a": np.array([1.0, 2.0])},
        [np.array([3.0, 4.0])],
        num_steps=3,
        learning_rate=0.5,
        optimizer="sgd",
        dtype="float32",
    )
    assert result.gap.dtype == tf.float32
    # 3 steps of 0.5: v_w = v + 1.5 u, u_w = u - 1.5 v; DG = 1.5 (|u|^2 + |v|^2).
    assert float(result.gap) == 1.5 * (5 + 25)
    np.testing.assert_allclose(result.worst_u["a"], [-3.5, -4.0])


def test_seed_repeats():
    game = kgg.games.Game(lambda u, v: tf.reduce_sum(u * v))
    u, v = np.array([0.1, 0.2]), np.array([0.3, 0.1])

    def measure(seed):
        result = kgg.games.duality_gap(game, u, v, 0, perturbation=0.5, seed=seed)
        return float(result.worst_u[0])

    assert measure(1) == measure(1) != measure(2)
    assert measure(None) != measure(None)


@pytest.mark.parametrize("relative", [False, True])
def test_size_of_the_noise(relative):
    weights = [tf.constant([[1.0, 5.0], [2.0, 0.0]]), tf.constant([3.0, -3.0, 0.0])]
    noisy = kgg.games.Perturbation(0.25, relative)(weights, randomness.root(0))
    noise = [(a - b).numpy() for a, b in zip(noisy, weights, strict=True)]
    for draw, leaf in zip(noise, weights, strict=True):
        size = 0.25 * (np.std(leaf) if relative else 1.0)
        np.testing.assert_allclose(np.sqrt(np.mean(draw**2)), size, rtol=1e-5)
    assert noise[0].ravel()[0] != noise[1][0]


def test_perturbed_keeps_the_state():
    player = structures.Player(tf.constant(1.0), tf.constant(7))
    moved = gap.perturbed(player, kgg.games.Perturbation(0.5), randomness.root(0))
    assert abs(float(moved.weights) - 1.0) == pytest.approx(0.5)
    assert moved.state is player.state
    assert gap.perturbed(player, None, None) is player


def test_perturbation_config():
    noise = kgg.games.Perturbation(0.5, relative=True)
    assert noise.get_config() == {"scale": 0.5, "relative": True}
    twin = kgg.games.Perturbation.from_config(noise.get_config())
    assert (twin.scale, twin.relative) == (0.5, True)
    assert gap.as_perturbation(noise) is noise
    assert gap.as_perturbation(None) is None
    assert gap.as_perturbation(0.1).scale == 0.1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_steps": -1}, ValueError, "`num_steps`.*at least 0"),
        ({"learning_rate": 0}, ValueError, "`learning_rate`"),
        ({"optimizer": "lbfgs"}, ValueError, "`optimizer` must be one of.*'lbfgs'"),
        ({"perturbation": -0.1}, ValueError, "`perturbation`.*Received.*-0.1"),
        ({"perturbation": "much"}, TypeError, "`perturbation`.*'much'"),
        ({"dtype": "half"}, ValueError, "`dtype` must be one of"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.games.duality_gap(kgg.games.bilinear(), 1.0, 1.0, **arguments)
    with pytest.raises(ValueError, match="`scale`"):
        kgg.games.Perturbation(-1.0)
