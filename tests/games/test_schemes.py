import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import descent_stepper, schemes, structures, updates


class Recorder(descent_stepper.DescentStepper):
    """A stepper that also keeps the gradients it was handed."""

    def __init__(self, u, v, rate=0.1):
        rule = updates.sgd(rate)
        super().__init__(rule, self.initial_states(rule, u, v))
        self.gradients = {"u": [], "v": []}

    def minimizer(self, player, gradient):
        self.gradients["u"].append(gradient)
        return super().minimizer(player, gradient)

    def maximizer(self, player, gradient):
        self.gradients["v"].append(gradient)
        return super().maximizer(player, gradient)


def take_step(scheme, game, u, v, batch_fn=None):
    u, v = structures.as_player(u), structures.as_player(v)
    stepper = Recorder(u, v)
    step = scheme.step(game, u, v, scheme.initial_state(u, v), stepper, batch_fn)
    return step, stepper


@pytest.mark.parametrize(
    "scheme",
    [
        schemes.Simultaneous(),
        schemes.Alternating(),
        schemes.Extragradient(0.1),
        schemes.Extragradient(),
        schemes.Optimistic(),
        schemes.Consensus(),
        schemes.Lookahead(1, fast="simultaneous"),
        schemes.Unrolled(1),
        schemes.DualityGap(kgg.BestResponse(2)),
        schemes.FictitiousPlay(lambda u, v: (None, None)),
    ],
    ids=lambda scheme: type(scheme).__name__,
)
def test_report(scheme):
    game = kgg.games.Game(
        lambda u, v: u * v, minimizer_loss_fn=lambda u, v: u * v + 100.0
    )
    step, _ = take_step(scheme, game, 2.0, 3.0)
    report = {name: float(value) for name, value in step.report.items()}
    assert ("duality_gap" in report) == isinstance(scheme, schemes.DualityGap)
    moved = schemes.Alternating | schemes.DualityGap | schemes.Unrolled
    if isinstance(scheme, moved):
        # The players that the losses are taken at have moved.
        assert report["minimizer_loss"] == pytest.approx(106, abs=0.5)
        assert report["maximizer_loss"] == pytest.approx(-6, abs=0.5)
    else:
        assert report["minimizer_loss"] == 106.0
        assert report["maximizer_loss"] == -6.0
    assert report["value"] == -report["maximizer_loss"]


def test_duality_gap_report():
    # M = x y from (2, 3), k = 4 steps of 0.5: y_w = 3 + 4 = 7, x_w = 2 - 6 = -4, so
    # DG = 2 * 7 - (-4) * 3 = 26; grad_x = y_w = 7, -grad_y = -x_w = 4.
    response = kgg.BestResponse(4, "sgd", 0.5)
    step, stepper = take_step(
        schemes.DualityGap(response), kgg.games.bilinear(), 2.0, 3.0
    )
    assert float(step.report["duality_gap"]) == 26.0
    assert [float(stepper.gradients[name][0]) for name in "uv"] == [7.0, 4.0]
    # Through the steps DG = k e (x^2 + y^2), with gradient 2 k e (x, y).
    response = kgg.BestResponse(4, "sgd", 0.5, through_gradient=True)
    step, stepper = take_step(
        schemes.DualityGap(response), kgg.games.bilinear(), 2.0, 3.0
    )
    assert float(step.report["duality_gap"]) == 26.0
    assert [float(stepper.gradients[name][0]) for name in "uv"] == [8.0, 12.0]


def test_gap_of_players_that_do_not_play_zero_sum():
    # The gap is of the value, whatever is descended.
    game = kgg.games.Game(
        lambda u, v: u * v,
        minimizer_loss_fn=lambda u, v: 2 * u * v,
    )
    step, stepper = take_step(
        schemes.DualityGap(kgg.BestResponse(1, "sgd", 0.5)), game, 2.0, 3.0
    )
    # y_w = 3 + 1 = 4; x_w = 2 - 0.5 * 6 = -1: DG = 8 + 3.
    assert float(step.report["duality_gap"]) == 11.0
    assert float(stepper.gradients["u"][0]) == 8.0


def test_alternating_steps_and_batches():
    # M = (u + v) b: each inner step draws the next batch.
    game = kgg.games.Game(lambda u, v, batch: (u + v) * batch)
    step, stepper = take_step(
        schemes.Alternating(maximizer_steps=3, minimizer_steps=2),
        game,
        0.0,
        0.0,
        batch_fn=lambda index: tf.constant(10.0**index),
    )
    assert [-float(g) for g in stepper.gradients["v"]] == [1.0, 10.0, 100.0]
    assert [float(g) for g in stepper.gradients["u"]] == [1000.0, 10000.0]
    assert float(step.v.weights) == pytest.approx(11.1)


@pytest.mark.parametrize(
    "scheme",
    [
        schemes.Simultaneous(),
        schemes.Extragradient(0.1),
        schemes.Extragradient(),
        schemes.Optimistic(),
        schemes.Consensus(),
        schemes.Unrolled(),
        schemes.DualityGap(kgg.BestResponse(2)),
    ],
    ids=lambda scheme: type(scheme).__name__,
)
def test_one_batch_per_step(scheme):
    game = kgg.games.Game(lambda u, v, batch: u * v * batch)
    drawn = []

    def batch_fn(index):
        drawn.append(index)
        return tf.constant(1.0)

    take_step(scheme, game, 1.0, 1.0, batch_fn)
    assert set(drawn) == {0}


def test_fresh_batches_of_the_duality_gap():
    # Linear slopes: u descends b_0, v_w = v + b_1 + b_2 + b_3 enters the value only.
    game = kgg.games.Game(lambda u, v, batch: (u + v) * batch)
    response = kgg.BestResponse(3, "sgd", 1.0, batches="fresh")
    step, stepper = take_step(
        schemes.DualityGap(response),
        game,
        0.0,
        0.0,
        batch_fn=lambda index: tf.pow(10.0, tf.cast(index, tf.float32)),
    )
    assert float(stepper.gradients["u"][0]) == 1.0
    # M(u, v_w) - M(u_w, v) = 1110 + 1110 on the outer batch.
    assert float(step.report["duality_gap"]) == pytest.approx(2220.0)


def test_alternating_is_gauss_seidel():
    step, _ = take_step(schemes.Alternating(), kgg.games.bilinear(), 1.0, 1.0)
    # v = 1 + 0.1 * 1 first, then u = 1 - 0.1 * 1.1.
    np.testing.assert_allclose([step.u.weights, step.v.weights], [0.89, 1.1], rtol=1e-6)


def test_optimistic_first_step_is_ordinary():
    step, _ = take_step(schemes.Optimistic(), kgg.games.bilinear(), 1.0, 1.0)
    np.testing.assert_allclose([step.u.weights, step.v.weights], [0.9, 1.1], rtol=1e-6)
    state = step.state
    assert int(state.step) == 1 and bool(state.own["started"])
    assert [float(side["gradient"]) for side in (state.u, state.v)] == [1.0, -1.0]


def test_loss_scales():
    game = kgg.games.Game(lambda u, v: u**2 * v)

    class Scaled(Recorder):
        minimizer_scale = 8.0
        maximizer_scale = 4.0

    u, v = structures.as_player(3.0), structures.as_player(2.0)
    for through in (False, True):
        response = kgg.BestResponse(0, through_gradient=through)
        stepper = Scaled(u, v)
        schemes.DualityGap(response).step(game, u, v, (), stepper)
        # 2 u v = 12 and -u^2 = -9, times the scales.
        expected = (12.0, -9.0)
        if through:
            # With no steps DG = M(u, v) - M(u, v) is identically zero.
            expected = (0.0, 0.0)
        assert float(stepper.gradients["u"][0]) == 8.0 * expected[0]
        assert float(stepper.gradients["v"][0]) == 4.0 * expected[1]


def test_through_gradient_of_loss_scales():
    u, v = structures.as_player(2.0), structures.as_player(3.0)

    class Scaled(Recorder):
        minimizer_scale = 8.0
        maximizer_scale = 4.0

    stepper = Scaled(u, v)
    response = kgg.BestResponse(4, "sgd", 0.5, through_gradient=True)
    schemes.DualityGap(response).step(kgg.games.bilinear(), u, v, (), stepper)
    assert [float(stepper.gradients[name][0]) for name in "uv"] == [64.0, 48.0]


def test_state_moves_with_the_players():
    class Counting(kgg.games.Game):
        def minimizer_objective(self, opponents, batch=None, with_value=False):
            objective = super().minimizer_objective(opponents, batch, with_value)

            def counted(player):
                outcome = objective(player)
                return outcome._replace(
                    player=structures.Player(player.weights, player.state + 1)
                )

            return counted

    game = Counting(lambda u, v: u * v)
    u = structures.Player(tf.constant(1.0), tf.constant(0))
    v = structures.as_player(1.0)
    step = schemes.Alternating(1, 3).step(game, u, v, (), Recorder(u, v))
    assert int(step.u.state) == 3


def test_lookahead_by_hand():
    # M = u v from (1, 1), steps of 0.1, both at one point; every second step half back.
    scheme = schemes.Lookahead(period=2, alpha=0.5, fast="simultaneous")
    game, point = kgg.games.bilinear(), np.array([1.0, 1.0])
    u, v = schemes.players(*point)
    state = scheme.initial_state(u, v)
    stepper = Recorder(u, v)
    for step in range(4):
        taken = scheme.step(game, u, v, state, stepper)
        u, v, state = taken.u, taken.v, taken.state
        if step % 2 == 0:
            slow = point
        point = point + 0.1 * np.array([-point[1], point[0]])
        if step % 2 == 1:
            point = (slow + point) / 2
        np.testing.assert_allclose([u.weights, v.weights], point, rtol=1e-6)


def test_unrolled_by_hand():
    # M = u v from (2, 3): v_n = v + n e u, so d/du (u v_n) = v + 2 n e u.
    _, stepper = take_step(
        schemes.Unrolled(4, "sgd", 0.25), kgg.games.bilinear(), 2.0, 3.0
    )
    assert [float(stepper.gradients[name][0]) for name in "uv"] == [7.0, -2.0]
    _, plain = take_step(schemes.Unrolled(0), kgg.games.bilinear(), 2.0, 3.0)
    assert [float(plain.gradients[name][0]) for name in "uv"] == [3.0, -2.0]


def test_consensus_of_loss_scales():
    # M = u^2 v: F = (2 u v, -u^2) and grad R = 2 J^T F, J = ((2 v, 2 u), (-2 u, 0)).
    u, v = 3.0, 2.0
    field = np.array([2 * u * v, -(u**2)])
    jacobian = np.array([[2 * v, 2 * u], [-2 * u, 0.0]])
    expected = field + 0.1 * 2 * jacobian.T @ field

    class Scaled(Recorder):
        minimizer_scale = 8.0
        maximizer_scale = 4.0

        def exact(self, gradients):
            return gradients[0] / 8.0, gradients[1] / 4.0

    game = kgg.games.Game(lambda u, v: u**2 * v)
    players = schemes.players(u, v)
    for stepper, scales in ((Recorder(*players), 1.0), (Scaled(*players), (8.0, 4.0))):
        schemes.Consensus(0.1).step(game, *players, schemes.State(0), stepper)
        found = [float(stepper.gradients[name][0]) for name in "uv"]
        np.testing.assert_allclose(found, expected * scales, rtol=1e-6)


@pytest.mark.parametrize("name", schemes.NAMES)
def test_a_name_is_short_for_an_object(name):
    scheme = schemes.get(name)
    assert schemes.get(scheme) is scheme
    again = type(scheme).from_config(scheme.get_config())
    assert again == scheme and repr(again) == f"{type(scheme).__name__}()"
    assert hash(again) == hash(scheme) and scheme != schemes.Scheme()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: schemes.Extragradient(0.0), ValueError, r"`step_size`.*\(0, inf\)"),
        (lambda: schemes.Consensus(-1.0), ValueError, r"`gamma`.*\[0, inf\)"),
        (lambda: schemes.Lookahead(0), ValueError, "`period`.*at least 1"),
        (lambda: schemes.Lookahead(alpha=1.5), ValueError, r"`alpha`.*\[0, 1\]"),
        (lambda: schemes.Lookahead(fast="newton"), ValueError, "`fast` must be one of"),
        (lambda: schemes.Unrolled(-1), ValueError, "`num_steps`.*at least 0"),
        (lambda: schemes.Unrolled(optimizer="lion"), ValueError, "`optimizer` must be"),
        (lambda: schemes.get("newton"), ValueError, "`updates` must be one of.*object"),
        (lambda: schemes.Alternating(0), ValueError, "`maximizer_steps`.*at least 1"),
        (lambda: schemes.Alternating(1, 1.5), TypeError, "`minimizer_steps`.*1.5"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_scheme_must_define_step():
    with pytest.raises(TypeError, match=r"Scheme is not a scheme yet.*define step"):
        schemes.Scheme().step(None, None, None, (), None)
    assert schemes.Scheme().initial_state(None, None)[1:] == ((), (), ())
