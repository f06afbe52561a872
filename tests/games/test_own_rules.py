"""The search of a best response by the searching player's own rule."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import best_response, descent_stepper, updates


def test_the_players_own_rule_goes_on_from_its_state():
    # M = u v + u^2 / 2 - v^2: two steps of each player's Adam after three of training.
    game = kgg.games.Game(lambda u, v: u * v + u**2 / 2 - v**2)
    u, v = kgg.games.schemes.players(np.float64(1.5), np.float64(-0.5))
    rule = updates.adam(0.1, 0.5, 0.9)
    stepper = descent_stepper.DescentStepper(
        rule, [rule.init(each.weights) for each in (u, v)]
    )
    simultaneous = kgg.games.schemes.Simultaneous()
    for _ in range(3):
        u, v, *_ = simultaneous.step(game, u, v, (), stepper)
    states = [tf.nest.map_structure(float, state) for state in stepper.states]
    response = kgg.BestResponse(2, "player")
    found, _, _ = best_response.best_responses(
        game, u, v, response, rules=stepper.rules()
    )

    def by_hand(player, slope, state):
        count, first, second = state
        for _ in range(2):
            count += 1
            first, second = (
                0.5 * first + 0.5 * slope(player),
                0.9 * second + 0.1 * slope(player) ** 2,
            )
            size = 0.1 * (1 - 0.9**count) ** 0.5 / (1 - 0.5**count)
            player -= size * first / (second**0.5 + 1e-7)
        return player

    at_u, at_v = float(u.weights), float(v.weights)
    expected = (
        by_hand(at_u, lambda x: at_v + x, states[0]),
        by_hand(at_v, lambda x: 2 * x - at_u, states[1]),
    )
    np.testing.assert_allclose([each.weights for each in found], expected, rtol=1e-12)
    # And nobody has moved.
    assert tf.nest.map_structure(float, stepper.states) == states


@pytest.mark.parametrize("name", ["g1", "g2", "e4"])
def test_in_a_closed_form_game_the_players_own_rule_is_descent(name):
    def play(*arguments):
        response = kgg.BestResponse(3, *arguments)
        scheme = kgg.games.schemes.DualityGap(response)
        game = getattr(kgg.games, name)()
        return kgg.games.solve(game, scheme=scheme, max_iterations=50).trajectory

    np.testing.assert_array_equal(play("player"), play("sgd", 0.05))
