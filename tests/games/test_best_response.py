import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import best_response, structures, updates

RULES = updates.NAMES


def nested_losses():
    """Two losses that do not share players, one on a nested structure."""

    def first(player, step):
        a, b = player.weights["a"], player.weights["b"][0]
        loss = tf.reduce_sum(a**4) + tf.reduce_sum(tf.sin(a)) * b + b**2
        return kgg.games.game.Outcome(loss, player)

    def second(player, step):
        # The loss moves with the step, as with a fresh batch.
        target = tf.cast(step, player.weights.dtype)
        return kgg.games.game.Outcome((player.weights - target) ** 2, player)

    return [first, second]


def nested_players(dtype):
    return [
        structures.Player(
            {"a": tf.constant([1.0, -0.5], dtype), "b": [tf.constant(0.7, dtype)]}
        ),
        structures.Player(tf.constant(0.25, dtype)),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", RULES)
def test_loop_unrolled_eager_and_xla_agree(rule, dtype):
    update = updates.get(rule, 0.05)

    def search(unroll):
        players, values = best_response.search(
            nested_losses(),
            nested_players(dtype),
            update,
            4,
            unroll=unroll,
            record=True,
        )
        return tuple(player.weights for player in players), values

    eager = search(False)
    others = [
        search(True),
        tf.function(lambda: search(False))(),
        tf.function(lambda: search(True))(),
        tf.function(lambda: search(False), jit_compile=True)(),
    ]
    tf.nest.assert_same_structure(eager[0][0], nested_players(dtype)[0].weights)
    assert eager[1].shape == (4, 2)
    for result in others:
        for leaf, expected in zip(
            tf.nest.flatten(result), tf.nest.flatten(eager), strict=True
        ):
            assert leaf.dtype == dtype
            np.testing.assert_allclose(
                leaf, expected, rtol=1e-5 if dtype == "float32" else 1e-12
            )


def test_recorded_values_are_losses_before_each_step():
    # w <- w - 0.25 * 2 w halves w: losses 4, 1, 1/4.
    _, values = best_response.search(
        [lambda player, step: kgg.games.game.Outcome(player.weights**2, player)],
        [structures.Player(tf.constant(2.0))],
        updates.sgd(0.25),
        3,
        record=True,
    )
    assert values.numpy().ravel().tolist() == [4.0, 1.0, 0.25]


def test_no_steps_change_nothing():
    players = nested_players("float32")
    found, values = best_response.search(nested_losses(), players, updates.sgd(1.0), 0)
    assert found[0] is players[0] and values is None


def test_loss_scale_changes_nothing_and_overflow_skips():
    def loss(player, step):
        return kgg.games.game.Outcome(player.weights**2, player)

    start = [structures.Player(tf.constant(2.0))]
    plain, _ = best_response.search([loss], start, updates.sgd(0.25), 3)
    scaled, _ = best_response.search(
        [loss], start, updates.sgd(0.25), 3, loss_scales=[2.0**10]
    )
    assert float(scaled[0].weights) == float(plain[0].weights) == 0.25
    overflown, _ = best_response.search(
        [loss], start, updates.sgd(0.25), 3, loss_scales=[np.inf]
    )
    assert float(overflown[0].weights) == 2.0


def test_gradients_are_reduced_at_every_step():
    def loss(player, step):
        return kgg.games.game.Outcome(player.weights, player)

    def double(gradients):
        return tf.nest.map_structure(lambda g: 2 * g, gradients)

    found, _ = best_response.search(
        [loss],
        [structures.Player(tf.constant(0.0))],
        updates.sgd(1.0),
        3,
        reduce_gradients=double,
    )
    assert float(found[0].weights) == -6.0


def test_state_travels_with_the_player():
    # As BatchNorm statistics do: every pass counts up.
    def loss(player, step):
        moved = structures.Player(player.weights, player.state + 1)
        return kgg.games.game.Outcome(player.weights**2, moved)

    found, _ = best_response.search(
        [loss],
        [structures.Player(tf.constant(1.0), tf.constant(0))],
        updates.sgd(0.1),
        5,
    )
    assert int(found[0].state) == 5


@pytest.mark.parametrize("batches", ["shared", "fresh"])
def test_batches(batches):
    # M = (u + v) b, so u_w = u - e sum b over the steps' batches; batch i is 10^i.
    game = kgg.games.Game(lambda u, v, batch: (u + v) * batch)

    def batch_fn(index):
        return tf.pow(10.0, tf.cast(index, tf.float32))

    response = kgg.BestResponse(3, "sgd", 1.0, batches=batches)
    worst_u, worst_v = best_response.best_responses(
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
            worst_u, worst_v = best_response.best_responses(
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
        worst_u, _ = best_response.best_responses(
            kgg.games.bilinear(),
            structures.Player(x),
            structures.Player(x),
            kgg.BestResponse(2, "sgd", 0.1),
        )
        y = worst_u.weights
    assert tape.gradient(y, x) is None


def test_config_and_equality():
    response = kgg.BestResponse(3, "sgd", 0.1, through_gradient=True, batches="fresh")
    twin = kgg.BestResponse.from_config(response.get_config())
    assert twin == response and hash(twin) == hash(response)
    assert response != kgg.BestResponse() and response != "sgd"
    assert eval(repr(response), {"BestResponse": kgg.BestResponse}) == response


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_steps": -1}, ValueError, "`num_steps`.*at least 0.*Received.*-1.*plain"),
        ({"num_steps": 2.5}, TypeError, "`num_steps` must be an integer.*2.5"),
        ({"optimizer": "lion"}, ValueError, "`optimizer` must be one of 'sgd'.*'lion'"),
        ({"learning_rate": 0.0}, ValueError, r"`learning_rate`.*\(0, inf\).*0.0"),
        ({"learning_rate": "fast"}, TypeError, "`learning_rate`.*'fast'"),
        (
            {"through_gradient": 1},
            TypeError,
            "`through_gradient` must be True or False",
        ),
        ({"batches": "new"}, ValueError, "`batches` must be one of 'shared', 'fresh'"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.BestResponse(**arguments)
