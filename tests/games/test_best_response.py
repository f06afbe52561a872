import json

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import best_response, descent_stepper, structures, updates

RULES = updates.NAMES


@pytest.mark.parametrize("batches", ["shared", "fresh"])
def test_batches(batches):
    # M = (u + v) b, so u_w = u - e sum b over the steps' batches; batch i is 10^i.
    game = kgg.games.Game(lambda u, v, batch: (u + v) * batch)

    def batch_fn(index):
        return tf.pow(10.0, tf.cast(index, tf.float32))

    response = kgg.BestResponse(3, "sgd", 1.0, batches=batches)
    (worst_u, worst_v), state, _ = best_response.best_responses(
        game,
        structures.as_player(0.0),
        structures.as_player(0.0),
        response,
        batch_fn=batch_fn,
    )
    expected = {"shared": 3.0, "fresh": 1110.0}[batches]
    np.testing.assert_allclose(
        [worst_u.weights, worst_v.weights], [-expected, expected]
    )
    assert state == ()


def by_hand(side, steps, rate, inner, start, u, v):
    """Descent on the gap of M = u v + u^2 / 2 - v^2, searched on one side or both."""
    worst_u, worst_v, past = u, v, None
    visited = []
    for _ in range(steps):
        if start == "persistent" and past is not None:
            worst_u, worst_v = (
                old + 0.25 * (now - old) for old, now in zip(past, (u, v), strict=True)
            )
        else:
            worst_u, worst_v = u, v
        for _ in range(2):
            down = worst_u - inner * (v + worst_u)
            up = worst_v + inner * (u - 2 * worst_v)
            worst_u = u if side == "maximizer" else down
            worst_v = v if side == "minimizer" else up
        past = worst_u, worst_v
        gap = (u * worst_v + u**2 / 2 - worst_v**2) - (
            worst_u * v + worst_u**2 / 2 - v**2
        )
        u, v = u - rate * (worst_v + u), v + rate * (worst_u - 2 * v)
        visited.append((u, v, gap))
    return visited


@pytest.mark.parametrize("start", ["current", "persistent"])
@pytest.mark.parametrize(
    "side", ["both", "minimizer", "generator", "maximizer", "discriminator"]
)
def test_one_side_is_searched_and_the_other_lives(side, start):
    game = kgg.games.Game(lambda u, v: u * v + u**2 / 2 - v**2)
    more = {"pull": 0.25} if start == "persistent" else {}
    response = kgg.BestResponse(2, "sgd", 0.1, side=side, start=start, **more)
    scheme = kgg.games.schemes.DualityGap(response)
    u, v = (structures.Player(tf.constant(x, tf.float64)) for x in (1.5, -0.5))
    update = updates.get("sgd", 0.05)
    stepper = descent_stepper.DescentStepper(
        update, descent_stepper.DescentStepper.initial_states(update, u, v)
    )
    state = scheme.initial_state(u, v)
    names = {"generator": "minimizer", "discriminator": "maximizer"}
    for expected in by_hand(names.get(side, side), 5, 0.05, 0.1, start, 1.5, -0.5):
        u, v, state, report = scheme.step(game, u, v, state, stepper)
        found = u.weights, v.weights, report["duality_gap"]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("unroll", [False, True], ids=["loop", "unrolled"])
def test_gradient_through_the_search(rule, unroll):
    game = kgg.games.Game(
        lambda u, v: tf.reduce_sum(tf.sin(u) * v[::-1]) + 0.3 * tf.reduce_sum(u**2 * v)
    )
    response = kgg.BestResponse(3, rule, 0.1, through_gradient=True)
    start = tf.constant([0.4, -0.3, 0.7, 0.2], tf.float64)

    @tf.function
    def gap_and_gradient(point):
        with tf.GradientTape() as tape:
            tape.watch(point)
            u, v = (structures.Player(part) for part in (point[:2], point[2:]))
            (worst_u, worst_v), _, _ = best_response.best_responses(
                game, u, v, response, step_options={"unroll": unroll}
            )
            gap = game.value(u, worst_v) - game.value(worst_u, v)
        return gap, tape.gradient(gap, point)

    gradient = gap_and_gradient(start)[1].numpy()
    step = 1e-5
    differences = [
        (gap_and_gradient(start + step * e)[0] - gap_and_gradient(start - step * e)[0])
        / (2 * step)
        for e in np.eye(4)
    ]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)


def test_no_gradient_through_the_search_by_default():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        (worst_u, _), _, _ = best_response.best_responses(
            kgg.games.bilinear(),
            structures.Player(x),
            structures.Player(x),
            kgg.BestResponse(2, "sgd", 0.1),
        )
        y = worst_u.weights
    assert tape.gradient(y, x) is None


def step_of(response, u, v, state=None, game=None, seed=0):
    """One call; returns ((u_w, v_w) as floats, state)."""
    u, v = (structures.Player(tf.constant(x, tf.float64)) for x in (u, v))
    if state is None:
        state = best_response.initial_state(response, u, v)
    worst, state, _ = best_response.best_responses(
        game or kgg.games.bilinear(), u, v, response, state=state, seed=seed
    )
    return tuple(float(player.weights) for player in worst), state


def test_persistent_players_are_pulled_and_go_on():
    # M = x y: u_w <- u_w - e v and v_w <- v_w + e u, after the pull towards (u, v).
    # The first call starts from the players themselves.
    response = kgg.BestResponse(2, "sgd", 0.1, start="persistent", pull=0.25)
    worst, state = step_of(response, 1.0, 2.0)
    np.testing.assert_allclose(worst, (1.0 - 2 * 0.2, 2.0 + 2 * 0.1))
    worst, state = step_of(response, 3.0, 1.0, state)
    expected = 0.6 + 0.25 * (3.0 - 0.6) - 2 * 0.1, 2.2 + 0.25 * (1.0 - 2.2) + 2 * 0.3
    np.testing.assert_allclose(worst, expected)
    step, kept, optimizer_states = state
    assert (int(step), optimizer_states) == (2, ((), ()))
    assert tuple(float(player.weights) for player in kept) == worst


def test_without_a_pull_the_persistent_players_never_look_back():
    response = kgg.BestResponse(1, "sgd", 0.1, start="persistent", pull=0.0)
    worst, state = step_of(response, 1.0, 2.0)
    for u, v in ((5.0, -1.0), (-3.0, 4.0)):
        expected = worst[0] - 0.1 * v, worst[1] + 0.1 * u
        worst, state = step_of(response, u, v, state)
        np.testing.assert_allclose(worst, expected)


@pytest.mark.parametrize("rule", RULES)
def test_a_full_pull_restarts_the_players_and_keeps_the_slots(rule):
    full = kgg.BestResponse(3, rule, 0.1, start="persistent", pull=1.0)
    current = kgg.BestResponse(3, rule, 0.1)
    first, state = step_of(full, 1.0, 2.0)
    assert first == step_of(current, 1.0, 2.0)[0]
    second, _ = step_of(full, -2.0, 0.5, state)
    # Plain descent has nothing to remember.
    assert (second == step_of(current, -2.0, 0.5)[0]) == (rule == "sgd")


def test_the_state_of_a_network_is_pulled_too():
    class Counting(kgg.games.Game):
        """Every pass adds 1 to a statistic; a counter beside it stays."""

        def _counted(self, objective):
            def counted(player):
                statistic, counter = player.state
                outcome = objective(player)
                moved = structures.Player(player.weights, (statistic + 1.0, counter))
                return outcome._replace(player=moved)

            return counted

        def minimizer_objective(self, *args, **kwargs):
            return self._counted(super().minimizer_objective(*args, **kwargs))

        def maximizer_objective(self, *args, **kwargs):
            return self._counted(super().maximizer_objective(*args, **kwargs))

    def player(statistic, counter):
        return structures.Player(
            tf.constant(1.0), (tf.constant(statistic), tf.constant(counter))
        )

    response = kgg.BestResponse(2, "sgd", 0.1, start="persistent", pull=0.25)
    game, u, v = Counting(lambda x, y: x * y), player(0.0, 0), player(8.0, 0)
    state = best_response.initial_state(response, u, v)
    _, state, _ = best_response.best_responses(game, u, v, response, state=state)
    u, v = player(4.0, 7), player(0.0, 7)
    worst, _, _ = best_response.best_responses(game, u, v, response, state=state)
    # 2 + (4 - 2) / 4 + 2 and 10 + (0 - 10) / 4 + 2; counters are not interpolated.
    assert [float(each.state[0]) for each in worst] == [4.5, 9.5]
    assert [int(each.state[1]) for each in worst] == [7, 7]


def test_noise_is_a_function_of_seed_and_step():
    response = kgg.BestResponse(0, start="perturbed", perturbation=0.5)

    def noises(seed):
        found, state = [], None
        for _ in range(20):
            worst, state = step_of(response, 1.0, 2.0, state, seed=seed)
            found.append((worst[0] - 1.0, worst[1] - 2.0))
        assert int(state[0]) == 20
        return np.array(found)

    first = noises(0)
    # Rescaled to its size: of a single number the sign is left.
    np.testing.assert_allclose(np.abs(first), 0.5)
    np.testing.assert_array_equal(first, noises(0))
    assert np.any(first != noises(1))
    for column in (first[:, 0], first[:, 1], first[:, 0] * first[:, 1]):
        assert len(np.unique(np.sign(column))) == 2


def test_a_perturbed_search_leaves_a_critical_point():
    # (0, 0) is critical and no equilibrium: u wants away, v too.
    game = kgg.games.Game(lambda u, v: v**2 - u**2)
    still = kgg.BestResponse(5, "sgd", 0.1)
    moved = kgg.BestResponse(5, "sgd", 0.1, start="perturbed", perturbation=0.01)
    assert step_of(still, 0.0, 0.0, game=game)[0] == (0.0, 0.0)
    worst, _ = step_of(moved, 0.0, 0.0, game=game)
    np.testing.assert_allclose(np.abs(worst), 0.01 * 1.2**5)


def test_a_gradient_passes_through_a_perturbed_search():
    # x_w = (x + noise) - 2 e y: d x_w / d y = -2 e, d x_w / d x = 1, also where the
    # noise is relative to a spread of zero.
    for noise in (0.3, kgg.games.Perturbation(1.0, relative=True)):
        response = kgg.BestResponse(
            2, "sgd", 0.1, through_gradient=True, start="perturbed", perturbation=noise
        )
        x, y = tf.constant(1.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch((x, y))
            (worst_u, _), _, _ = best_response.best_responses(
                kgg.games.bilinear(),
                structures.Player(x),
                structures.Player(y),
                response,
                state=(tf.constant(0, tf.int64),),
            )
        slopes = tape.gradient(worst_u.weights, (x, y))
        np.testing.assert_allclose(slopes, (1.0, -0.2), rtol=1e-6)


def test_defaults_of_the_start():
    assert (kgg.BestResponse().start, kgg.BestResponse().pull) == ("current", None)
    assert kgg.BestResponse(1, start="persistent").pull == 0.05
    assert kgg.games.Persistent().pull == 0.05
    noise = kgg.BestResponse(start="perturbed").perturbation
    assert (noise.scale, noise.relative) == (0.01, False)


def test_a_start_as_an_object_is_the_one_of_its_name():
    persistent = kgg.BestResponse(start=kgg.games.Persistent(0.2))
    assert persistent == kgg.BestResponse(start="persistent", pull=0.2)
    assert (persistent.start, persistent.pull) == ("persistent", 0.2)
    noise = kgg.games.Perturbation(0.5, relative=True)
    perturbed = kgg.BestResponse(start=noise)
    assert perturbed == kgg.BestResponse(start="perturbed", perturbation=noise)
    assert perturbed.perturbation is noise


@pytest.mark.parametrize(
    "start",
    [
        {"through_gradient": True},
        {"start": "perturbed", "perturbation": kgg.games.Perturbation(0.5, True)},
        {"start": "persistent", "pull": 0.0},
        {"start": kgg.games.Persistent(0.25)},
        {"start": kgg.games.Perturbation(0.5)},
        {"side": "minimizer"},
        {"optimizer": "player", "learning_rate": None},
    ],
)
def test_config_and_equality(start):
    arguments = {"optimizer": "sgd", "learning_rate": 0.1, "batches": "fresh", **start}
    response = kgg.BestResponse(3, **arguments)
    config = json.loads(json.dumps(response.get_config()))
    twin = kgg.BestResponse.from_config(config)
    assert twin == response and hash(twin) == hash(response)
    assert response != kgg.BestResponse() and response != "sgd"
    names = {"BestResponse": kgg.BestResponse, "Perturbation": kgg.games.Perturbation}
    assert eval(repr(response), names) == response


def test_a_config_of_before_there_were_starts():
    config = kgg.BestResponse(3).get_config()
    for name in ("start", "pull", "perturbation", "side"):
        del config[name]
    assert kgg.BestResponse.from_config(config) == kgg.BestResponse(3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_steps": -1}, ValueError, "`num_steps`.*at least 0.*Received.*-1.*plain"),
        ({"num_steps": 2.5}, TypeError, "`num_steps` must be an integer.*2.5"),
        ({"optimizer": "lion"}, ValueError, "`optimizer` must be one of 'sgd'.*'lion'"),
        ({"learning_rate": 0.0}, ValueError, r"`learning_rate`.*\(0, inf\).*0.0"),
        ({"optimizer": "player", "learning_rate": 0.1}, ValueError, "has the player's"),
        (
            {"optimizer": "player", "start": "persistent"},
            ValueError,
            "optimizer='player'; they have an optimizer of their own: name a rule",
        ),
        ({"learning_rate": "fast"}, TypeError, "`learning_rate`.*'fast'"),
        (
            {"through_gradient": 1},
            TypeError,
            "`through_gradient` must be True or False",
        ),
        ({"batches": "new"}, ValueError, "`batches` must be one of 'shared', 'fresh'"),
        (
            {"start": "best"},
            ValueError,
            "`start` must be one of 'current', 'pert.*best",
        ),
        (
            {"start": "persistent", "pull": 1.5},
            ValueError,
            r"`pull` must be a number in \[0, 1\].*1.5",
        ),
        ({"start": "persistent", "pull": "soft"}, TypeError, "`pull`.*'soft'"),
        (
            {"pull": 0.1},
            ValueError,
            "`pull` belongs to start='persistent'.*pull=0.1 with start='current'.*out",
        ),
        (
            {"perturbation": 0.1, "start": "persistent"},
            ValueError,
            "`perturbation` belongs to start='perturbed'.*perturbation=0.1 with",
        ),
        (
            {"perturbation": -0.1, "start": "perturbed"},
            ValueError,
            "`perturbation` must be a number.*-0.1",
        ),
        (
            {"num_steps": 0, "start": "persistent"},
            ValueError,
            "live on.*Received: num_steps=0; .*pass num_steps=1",
        ),
        (
            {"through_gradient": True, "start": "persistent"},
            ValueError,
            "live on.*Received: through_gradient=True; .*leave through_gradient out",
        ),
        (
            {"sync": "local", "start": "persistent"},
            ValueError,
            "live on.*Received: sync='local'; .*needs sync='global'",
        ),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.BestResponse(**arguments)
