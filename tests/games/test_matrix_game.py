import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import keras_gamegan as kgg

matrices = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-5, 5), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(matrices)
@settings(max_examples=40)
def test_nash(payoff):
    game = kgg.games.MatrixGame(payoff)
    p, q, value = game.nash()
    # Von Neumann's certificate: what p guarantees is what q guarantees.
    assert np.max(p @ game.payoff) == pytest.approx(value, abs=1e-7)
    assert np.min(game.payoff @ q) == pytest.approx(value, abs=1e-7)
    assert game.exploitability(p, q) == pytest.approx(0, abs=1e-7)
    assert game.expected_payoff(p, q) == pytest.approx(value, abs=1e-7)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4))
@settings(max_examples=40)
def test_value_of_two_by_two(numbers):
    a, b, c, d = numbers
    lower = max(min(a, c), min(b, d))
    upper = min(max(a, b), max(c, d))
    # A saddle point, or the classical formula.
    saddle = lower == upper
    expected = lower if saddle else (a * d - b * c) / (a + d - b - c)
    value = kgg.games.MatrixGame([[a, b], [c, d]]).nash().value
    assert value == pytest.approx(expected, abs=1e-6)


def test_value_is_that_of_the_classical_program():
    # Positive payoffs: value = 1 / min sum(x) with A x >= 1, an LP of another form.
    payoff = np.random.default_rng(0).uniform(1, 3, (5, 7))
    program = optimize.linprog(np.ones(7), A_ub=-payoff, b_ub=-np.ones(5))
    p, q, value = kgg.games.MatrixGame(payoff).nash()
    assert value == pytest.approx(1 / program.fun)
    np.testing.assert_allclose(q, program.x / program.x.sum(), atol=1e-8)
    assert p.shape == (5,)


def test_rock_paper_scissors():
    game = kgg.games.rock_paper_scissors()
    np.testing.assert_array_equal(game.payoff, -game.payoff.T)
    assert game.payoff[0, 1] == 1.0  # Paper takes 1 from rock.
    p, q, value = game.nash()
    np.testing.assert_allclose([p, q], 1 / 3, atol=1e-8)
    assert value == pytest.approx(0, abs=1e-8)
    uniform = tf.nn.softmax(game.equilibrium[0]).numpy()
    np.testing.assert_allclose(uniform, 1 / 3)
    # Pure rock against pure rock: each would gain 1 by playing paper.
    assert game.duality_gap([1, 0, 0], [1, 0, 0]) == 2.0
    assert game.exploitability([1, 0, 0], [1, 0, 0]) == 1.0


def numpy_play(payoff, num_rounds, row=0, column=0):
    rows, columns = [row], [column]
    for _ in range(num_rounds):
        of_rows = sum(payoff[:, j] for j in columns)
        of_columns = sum(payoff[i] for i in rows)
        rows.append(int(np.argmin(of_rows)))
        columns.append(int(np.argmax(of_columns)))
    return rows, columns


@pytest.mark.parametrize("start", [(0, 0), (2, 1)])
def test_fictitious_play_same_as_numpy(start):
    payoff = np.random.default_rng(3).integers(-4, 5, (3, 4)).astype(float)
    game = kgg.games.MatrixGame(payoff)
    result = game.fictitious_play(50, start)
    rows, columns = numpy_play(payoff, 50, *start)
    assert result.minimizer_plays.tolist() == rows
    assert result.maximizer_plays.tolist() == columns
    np.testing.assert_allclose(result.p, np.bincount(rows, minlength=3) / 51)
    np.testing.assert_allclose(result.q, np.bincount(columns, minlength=4) / 51)
    for index in (0, 1, 50):
        averages = (
            np.bincount(played[: index + 1], minlength=size) / (index + 1)
            for played, size in ((rows, 3), (columns, 4))
        )
        assert result.exploitability[index] == pytest.approx(
            game.exploitability(*averages)
        )


@pytest.mark.parametrize("seed", range(3))
def test_fictitious_play_converges_to_the_value(seed):
    game = kgg.games.MatrixGame(np.random.default_rng(seed).normal(size=(4, 3)))
    result = game.fictitious_play(5000)
    assert result.exploitability[-1] < 0.03
    value = game.nash().value
    assert np.min(game.payoff @ result.q) - 1e-9 <= value
    assert value <= np.max(result.p @ game.payoff) + 1e-9


def test_game_of_logits():
    game = kgg.games.MatrixGame([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]])
    u, v = np.log([0.25, 0.75]), np.log([0.5, 0.25, 0.25])
    expected = game.expected_payoff([0.25, 0.75], [0.5, 0.25, 0.25])
    assert float(game.value(u, v)) == pytest.approx(expected)
    assert [part.shape for part in game.start] == [(2,), (3,)]


@pytest.mark.parametrize(
    ("scheme", "converges"), [("simultaneous", False), ("extragradient", True)]
)
def test_gradient_play(scheme, converges):
    game = kgg.games.rock_paper_scissors()
    result = kgg.games.solve(game, scheme=scheme, step_size=1.0, max_iterations=1000)
    p, q = (tf.nn.softmax(part).numpy() for part in result.solution)
    assert (game.exploitability(p, q) < 0.01) == converges


def test_payoff_is_a_copy_and_read_only():
    payoff = np.eye(2)
    game = kgg.games.MatrixGame(payoff)
    payoff[0, 0] = 7.0
    assert game.payoff[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        game.payoff[0, 0] = 7.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda g: kgg.games.MatrixGame([1.0, 2.0]),
            ValueError,
            "`payoff` must be a m",
        ),
        (lambda g: kgg.games.MatrixGame([[1.0], [2.0, 3.0]]), ValueError, "equal len"),
        (lambda g: kgg.games.MatrixGame([[np.inf]]), ValueError, "finite numbers"),
        (lambda g: kgg.games.MatrixGame([[]]), ValueError, "`payoff` must be"),
        (lambda g: g.exploitability([1, 0], [1, 0, 0]), ValueError, "`p`.*of 3 points"),
        (lambda g: g.expected_payoff([1, 0, 0], [2, 0, 0]), ValueError, "`q` must be"),
        (lambda g: g.fictitious_play(0), ValueError, "`num_rounds`.*at least 1"),
        (lambda g: g.fictitious_play(5, 1), ValueError, "`start` must be a pair"),
        (lambda g: g.fictitious_play(5, (0, 3)), ValueError, r"shape \(3, 3\)"),
        (lambda g: g.fictitious_play(5, (0, 0.5)), TypeError, "`start`.*0.5"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(kgg.games.rock_paper_scissors())
