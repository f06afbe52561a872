import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import perturbation, randomness, structures

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
    moved = perturbation.perturbed(
        player, kgg.games.Perturbation(0.5), randomness.root(0)
    )
    assert abs(float(moved.weights) - 1.0) == pytest.approx(0.5)
    assert moved.state is player.state
    assert perturbation.perturbed(player, None, None) is player


def test_perturbation_config():
    noise = kgg.games.Perturbation(0.5, relative=True)
    assert noise.get_config() == {"scale": 0.5, "relative": True}
    twin = kgg.games.Perturbation.from_config(noise.get_config())
    assert (twin.scale, twin.relative) == (0.5, True)
    assert perturbation.as_perturbation(noise) is noise
    assert perturbation.as_perturbation(None) is None
    assert perturbation.as_perturbation(0.1).scale == 0.1


def quadratic():
    """M = u v + u^2 / 2 - v^2 / 2, whose proximal gap has a closed form."""
    return kgg.games.Game(lambda u, v: u * v + u**2 / 2 - v**2 / 2)


@pytest.mark.parametrize("weight", [0.1, 1.0, 1e6])
@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.1), ("adam", 0.02)])
def test_proximal_gap_in_closed_form(weight, optimizer, rate):
    # v~ = (u + 2 l v) / (1 + 2 l), and V^l(u, v) = u^2 / 2 + (u + 2 l v)^2 /
    # (2 (1 + 2 l)) - l v^2 is least at u = -l v / (1 + l).
    u, v = 1.0, 2.0
    worst = -weight * v / (1 + weight)
    exact = worst**2 / 2 - weight * v**2
    exact += (worst + 2 * weight * v) ** 2 / (2 * (1 + 2 * weight))
    found = kgg.games.duality_gap(
        quadratic(),
        u,
        v,
        300,
        rate,
        optimizer=optimizer,
        proximal=kgg.games.Proximal(weight, num_steps=300),
    )
    # A huge weight leaves Adam steps too small for the last per mille.
    assert float(found.maximin) == pytest.approx(exact, rel=1e-3)
    assert float(found.minimax) == pytest.approx(u**2)
    assert float(found.gap) == float(found.minimax) - float(found.maximin)


def test_proximal_gap_is_the_plain_gap_of_a_rigid_opponent():
    arguments = {"num_steps": 200, "learning_rate": 0.1, "optimizer": "sgd"}
    plain = kgg.games.duality_gap(quadratic(), 1.0, 2.0, **arguments)
    rigid = kgg.games.duality_gap(quadratic(), 1.0, 2.0, proximal=1e9, **arguments)
    assert float(rigid.gap) == pytest.approx(float(plain.gap), abs=1e-6)


def test_proximal_gap_is_zero_at_an_equilibrium_and_where_an_answer_suffices():
    assert float(kgg.games.duality_gap(quadratic(), 0.0, 0.0, proximal=0.1).gap) == 0.0
    # At u = 0, v = 1 the plain gap is 1 + 1/4; with l it tends to 0, since v may answer
    # as freely as v_w does.
    game = kgg.games.Game(lambda u, v: u**2 + u * v - v**2)
    gaps = [
        float(
            kgg.games.duality_gap(
                game,
                0.0,
                1.0,
                300,
                0.05,
                optimizer="sgd",
                proximal=near and kgg.games.Proximal(near, 200),
            ).gap
        )
        for near in (None, 1.0, 1e-3)
    ]
    assert gaps[0] == pytest.approx(1.25) and gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] == pytest.approx(0.0, abs=2e-3)


def test_an_answer_that_only_overshoots_is_not_given():
    # Where v is the best answer already, Adam's first step leaves it.
    game = kgg.games.Game(lambda u, v: 3.0 * u - tf.abs(v))
    found = kgg.games.duality_gap(game, 0.0, 0.0, 1, 0.5, proximal=1e-3)
    plain = kgg.games.duality_gap(game, 0.0, 0.0, 1, 0.5)
    assert float(found.maximin) == float(plain.maximin)


def test_proximal_config():
    near = kgg.games.Proximal(0.01, num_steps=5)
    twin = kgg.games.Proximal.from_config(near.get_config())
    assert (twin.weight, twin.num_steps) == (0.01, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"proximal": 0.0}, ValueError, r"`proximal`.*\(0, inf\).*Received.*0.0"),
        ({"proximal": -1}, ValueError, "`proximal`.*Leave it out"),
        ({"proximal": "near"}, TypeError, "`proximal`.*'near'"),
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
    with pytest.raises(ValueError, match="`num_steps`"):
        kgg.games.Proximal(0.1, num_steps=0)
