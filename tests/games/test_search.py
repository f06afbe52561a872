"""Descent on several independent losses at once."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import search as searching
from keras_gamegan.games import structures, updates

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
        players, values = searching.search(
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
    _, values = searching.search(
        [lambda player, step: kgg.games.game.Outcome(player.weights**2, player)],
        [structures.Player(tf.constant(2.0))],
        updates.sgd(0.25),
        3,
        record=True,
    )
    assert values.numpy().ravel().tolist() == [4.0, 1.0, 0.25]


def test_no_steps_change_nothing():
    players = nested_players("float32")
    found, values = searching.search(nested_losses(), players, updates.sgd(1.0), 0)
    assert found[0] is players[0] and values is None


def test_loss_scale_changes_nothing_and_overflow_skips():
    def loss(player, step):
        return kgg.games.game.Outcome(player.weights**2, player)

    start = [structures.Player(tf.constant(2.0))]
    plain, _ = searching.search([loss], start, updates.sgd(0.25), 3)
    scaled, _ = searching.search(
        [loss], start, updates.sgd(0.25), 3, loss_scales=[2.0**10]
    )
    assert float(scaled[0].weights) == float(plain[0].weights) == 0.25
    overflown, _ = searching.search(
        [loss], start, updates.sgd(0.25), 3, loss_scales=[np.inf]
    )
    assert float(overflown[0].weights) == 2.0


def test_gradients_are_reduced_at_every_step():
    def loss(player, step):
        return kgg.games.game.Outcome(player.weights, player)

    def double(gradients):
        return tf.nest.map_structure(lambda g: 2 * g, gradients)

    found, _ = searching.search(
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

    found, _ = searching.search(
        [loss],
        [structures.Player(tf.constant(1.0), tf.constant(0))],
        updates.sgd(0.1),
        5,
    )
    assert int(found[0].state) == 5


def test_a_search_goes_on_where_it_was_left():
    # Four steps of a rule with slots are two and two.
    def loss(player, step):
        return kgg.games.game.Outcome(tf.reduce_sum(player.weights**4), player)

    start = structures.Player(tf.constant([1.0, -0.5], tf.float64))
    for rule in RULES:
        update = updates.get(rule, 0.05)
        whole, _ = searching.search([loss], [start], update, 4)
        players, states, _ = searching.descend(
            [loss], [start], [update.init(start.weights)], [update], 2
        )
        again, _, _ = searching.descend([loss], players, states, [update], 2)
        np.testing.assert_array_equal(again[0].weights, whole[0].weights)
