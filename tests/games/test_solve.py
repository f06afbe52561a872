"""Closed-form games: iteration counts, limits, and independent programs in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes, tensor_history
from keras_gamegan.games.solve import SCHEMES, make_scheme

COUNTS = {
    ("duality_gap", "g1"): 101,
    ("duality_gap", "g2"): 312,
    ("duality_gap", "g3"): 90,
    ("duality_gap", "e3"): 79,
    ("duality_gap", "e4"): 104,
    ("simultaneous", "g2"): 153,
    ("simultaneous", "e3"): 87,
    ("extragradient", "g2"): 163,
    ("extragradient", "e3"): 95,
    ("extragradient", "e4"): 500,
    ("optimistic", "g2"): 169,
    ("optimistic", "e3"): 98,
    ("optimistic", "e4"): 495,
    ("consensus", "g2"): 425,
    ("consensus", "e3"): 56,
    ("consensus", "e4"): 130,
}

LIMITS = {
    "g1": (0.0, 0.0),
    "g2": (0.0, 0.0),
    "g3": (0.0, 0.0),
    "e3": (-2.596, 12.413),
    "e4": (0.1518, -0.1793),
}


@pytest.mark.parametrize(("scheme", "game"), COUNTS)
def test_iterations(solved, scheme, game):
    result = solved(game, scheme)
    assert result.converged and not result.diverged
    assert result.iterations == COUNTS[scheme, game]
    assert len(result.trajectory[0]) == result.iterations + 1


@pytest.mark.parametrize("game", LIMITS)
def test_limits_of_duality_gap_descent(solved, game):
    result = solved(game, "duality_gap")
    np.testing.assert_allclose(result.solution, LIMITS[game], atol=6e-4)
    start = getattr(kgg.games, game)().start
    np.testing.assert_array_equal([part[0] for part in result.trajectory], start)
    np.testing.assert_array_equal(
        [part[-1] for part in result.trajectory], result.solution
    )


def test_value_at_the_limit(solved):
    assert solved("e3").value == pytest.approx(74.594, abs=1e-3)


@pytest.mark.parametrize("game", ["g1", "e4"])
def test_descent_ascent_diverges(solved, game):
    result = solved(game, "simultaneous")
    assert result.diverged and not result.converged
    assert result.iterations < 1000


@pytest.mark.parametrize("num_steps", [25, 50])
@pytest.mark.parametrize("game", ["g1", "g2"])
def test_long_searches_diverge(solved, game, num_steps):
    assert solved(game, num_response_steps=num_steps).diverged


@pytest.mark.parametrize(
    ("scheme", "num_steps", "iterations"),
    [
        ("duality_gap", 5, 801),
        ("duality_gap", 10, 380),
        ("duality_gap", 25, 149),
        ("duality_gap", 50, 79),
        ("unrolled_duality_gap", 5, 316),
        ("unrolled_duality_gap", 10, 171),
        ("unrolled_duality_gap", 25, 76),
        ("unrolled_duality_gap", 50, 38),
    ],
)
def test_bilinear(solved, scheme, num_steps, iterations):
    result = solved("bilinear", scheme, num_response_steps=num_steps)
    assert result.iterations == iterations and result.converged


def contraction(result):
    """The factors by which each step of a scalar game changed the distance to 0."""
    distance = np.hypot(*result.trajectory)
    return distance[1:] / distance[:-1]


@pytest.mark.parametrize("num_steps", [1, 5, 25])
def test_contraction_on_bilinear(solved, num_steps):
    a = e = 0.05
    factor = np.hypot(1 - a * num_steps * e, a)
    result = solved("bilinear", num_response_steps=num_steps)
    np.testing.assert_allclose(contraction(result), factor, rtol=0, atol=1e-10)


@pytest.mark.parametrize("num_steps", [5, 25])
def test_contraction_through_the_search(solved, num_steps):
    result = solved("bilinear", "unrolled_duality_gap", num_response_steps=num_steps)
    factor = 1 - 2 * 0.05 * num_steps * 0.05
    np.testing.assert_allclose(contraction(result), factor, rtol=0, atol=1e-10)
    # No rotation: x and y shrink together.
    np.testing.assert_allclose(*result.trajectory, rtol=1e-12)


def test_expansion_of_descent_ascent(solved):
    result = solved("bilinear", "simultaneous")
    assert not result.converged and result.iterations == 1000
    np.testing.assert_allclose(
        contraction(result), np.sqrt(1 + 0.05**2), rtol=0, atol=1e-10
    )


def test_one_response_step_is_extragradient_on_bilinear(solved):
    one_step = solved("bilinear", num_response_steps=1)
    other = solved("bilinear", "extragradient")
    np.testing.assert_allclose(one_step.trajectory, other.trajectory, atol=1e-13)


@pytest.mark.parametrize("game", ["g2", "e3"])
def test_no_response_steps_are_simultaneous_descent(solved, game):
    none = solved(game, num_response_steps=0)
    other = solved(game, "simultaneous")
    np.testing.assert_array_equal(none.trajectory, other.trajectory)


# Independent programs: M = 1/2 (p x^2 + r y^2) + q x y, gradients by hand.
QUADRATICS = {"bilinear": (0, 1, 0), "g1": (-6, 4, -2), "g2": (6, 4, 2)}


def numpy_trajectory(scheme, coefficients, start, num_steps=60, k=5, a=0.05):
    p, q, r = coefficients

    def grad_x(x, y):
        return p * x + q * y

    def grad_y(x, y):
        return q * x + r * y

    x, y = start
    visited, last = [(x, y)], None
    for _ in range(num_steps):
        gx, gy = grad_x(x, y), grad_y(x, y)
        if scheme == "simultaneous":
            x, y = x - a * gx, y + a * gy
        elif scheme == "alternating":
            y = y + a * gy
            x = x - a * grad_x(x, y)
        elif scheme == "extragradient":
            ahead = x - a * gx, y + a * gy
            x, y = x - a * grad_x(*ahead), y + a * grad_y(*ahead)
        elif scheme == "optimistic":
            old = last or (gx, gy)
            x, y = x - a * (2 * gx - old[0]), y + a * (2 * gy - old[1])
            last = gx, gy
        elif scheme == "consensus":
            # R = gx^2 + gy^2, so dR/dx = 2 (gx p + gy q), dR/dy = 2 (gx q + gy r).
            pull = 2 * (gx * p + gy * q), 2 * (gx * q + gy * r)
            x, y = x - a * (gx + 0.1 * pull[0]), y - a * (-gy + 0.1 * pull[1])
        elif scheme == "duality_gap":
            worst_x, worst_y = x, y
            for _ in range(k):
                worst_x -= a * grad_x(worst_x, y)
                worst_y += a * grad_y(x, worst_y)
            x, y = x - a * grad_x(x, worst_y), y + a * grad_y(worst_x, y)
        visited.append((x, y))
    return np.array(visited).T


@pytest.mark.parametrize("game", QUADRATICS)
@pytest.mark.parametrize(
    "scheme",
    [
        "simultaneous",
        "alternating",
        "extragradient",
        "optimistic",
        "consensus",
        "duality_gap",
    ],
)
def test_same_as_numpy(solved, scheme, game):
    start = getattr(kgg.games, game)().start
    expected = numpy_trajectory(scheme, QUADRATICS[game], start)
    trajectory = np.array(solved(game, scheme).trajectory)[:, : expected.shape[1]]
    np.testing.assert_allclose(
        trajectory, expected[:, : trajectory.shape[1]], rtol=1e-9, atol=1e-9
    )


def test_fictitious_play_answers_the_mean_of_losses():
    # M = x y: the mean over stored y_j of the slope is the stored y's mean. Capacity
    # beyond the number of steps: nothing is ever dropped.
    result = kgg.games.solve(
        kgg.games.bilinear(),
        scheme="fictitious_play",
        max_iterations=12,
        history_capacity=20,
    )
    xs, ys, x, y = [], [], 1.0, 1.0
    for _ in range(12):
        y = y + 0.05 * np.mean(xs or [x])
        # The moved player stands in the history for its own last iterate.
        x = x - 0.05 * np.mean([*ys[:-1], y])
        xs, ys = [*xs, x], [*ys, y]
    np.testing.assert_allclose(result.trajectory, [[1.0, *xs], [1.0, *ys]], rtol=1e-12)
    np.testing.assert_allclose(result.solution, [np.mean(xs), np.mean(ys)], rtol=1e-12)


@pytest.mark.parametrize("side", ["minimizer", "maximizer"])
def test_a_history_that_is_not_answered_is_only_kept(side):
    def play(scheme, **arguments):
        settings = kgg.History(4, 2, "fifo", 0.5, **arguments)
        made = scheme(settings, seed=3)
        return kgg.games.solve(kgg.games.e3(), scheme=made, max_iterations=30)

    def gap(settings, seed):
        response = kgg.BestResponse(2, "sgd", 0.05)
        return schemes.DualityGap(response, seed, history=settings)

    for scheme in (schemes.FictitiousPlay, gap):
        kept, alone, both = (
            play(scheme, **arguments)
            for arguments in ({"answered": side}, {"side": side}, {})
        )
        np.testing.assert_array_equal(kept.trajectory, alone.trajectory)
        assert not np.array_equal(kept.trajectory, both.trajectory)
        # The other side's average is of what was stored, and no longer the last play.
        other = 1 if side == "minimizer" else 0
        assert alone.solution[other] == alone.trajectory[other][-1]
        assert kept.solution[other] != kept.trajectory[other][-1]


@pytest.mark.parametrize("mixture", ["full", "sampled"])
def test_history_of_one_is_alternating_descent(solved, mixture):
    scheme = schemes.FictitiousPlay(
        lambda u, v: tuple(
            tensor_history.TensorHistory(player, 1, mixture=mixture)
            for player in (u, v)
        )
    )
    result = kgg.games.solve(kgg.games.e3(), scheme=scheme)
    np.testing.assert_array_equal(
        result.trajectory, solved("e3", "alternating").trajectory
    )


def test_nested_and_vector_players():
    game = kgg.games.Game(
        lambda u, v: tf.reduce_sum(u["a"] * v) + 0.5 * tf.reduce_sum(u["a"] ** 2)
    )
    result = kgg.games.solve(
        game, start=({"a": np.ones((2, 2))}, np.ones((2, 2))), max_iterations=30
    )
    assert result.trajectory[0]["a"].shape == (31, 2, 2)
    assert result.solution[1].shape == (2, 2)
    # All four coordinates play the same scalar game.
    scalar = kgg.games.solve(
        kgg.games.Game(lambda u, v: u * v + 0.5 * u**2),
        start=(1.0, 1.0),
        max_iterations=30,
    )
    np.testing.assert_allclose(
        result.trajectory[0]["a"][:, 1, 0], scalar.trajectory[0], rtol=1e-12
    )


def test_float32():
    result = kgg.games.solve(kgg.games.g1(), dtype="float32")
    assert result.trajectory[0].dtype == np.float32
    assert result.converged and abs(result.iterations - 101) <= 5
    assert kgg.games.solve(kgg.games.g1()).trajectory[0].dtype == np.float64


def test_tolerance_and_maximum():
    result = kgg.games.solve(kgg.games.e4(), max_iterations=7)
    assert (result.iterations, result.converged, result.diverged) == (7, False, False)
    rough = kgg.games.solve(kgg.games.e4(), tolerance_decimals=2)
    assert rough.converged and rough.iterations < 104


def test_every_scheme_has_a_name_that_works():
    response = kgg.BestResponse()
    made = [make_scheme(name, 0.1, response) for name in SCHEMES]
    assert all(isinstance(scheme, schemes.Scheme) for scheme in made)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"scheme": "newton"},
            ValueError,
            "`scheme` must be one of .*'newton'.*object",
        ),
        ({"start": 3.0}, ValueError, r"`start` must be a pair.*start=3.0.*Pass start"),
        ({"step_size": 0.0}, ValueError, r"`step_size`.*\(0, inf\)"),
        ({"max_iterations": 0}, ValueError, "`max_iterations`.*at least 1"),
        ({"tolerance_decimals": -1}, ValueError, "`tolerance_decimals`.*at least 0"),
        ({"num_response_steps": -1}, ValueError, "`num_steps`.*at least 0"),
        ({"dtype": "float16"}, ValueError, "`dtype` must be one of 'float32'"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.games.solve(kgg.games.bilinear(), **arguments)


def test_errors_about_the_game():
    with pytest.raises(TypeError, match=r"Wrap a value function"):
        kgg.games.solve(lambda u, v: u * v, start=(1.0, 1.0))
    with pytest.raises(ValueError, match="the game must have one of its own"):
        kgg.games.solve(kgg.games.Game(lambda u, v: u * v))
