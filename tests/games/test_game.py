import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import gradients, structures


def mixture(values, probabilities):
    return structures.Mixture(
        tuple(structures.as_player(tf.constant(v)) for v in values),
        tf.constant(probabilities),
    )


def test_value_takes_numbers_players_and_structures():
    game = kgg.games.Game(lambda u, v: u * v)
    assert float(game.value(2.0, structures.as_player(3.0))) == 6.0
    nested = kgg.games.Game(lambda u, v: tf.reduce_sum(u["a"]) + v[0])
    assert float(nested.value({"a": [1.0, 2.0]}, [4.0])) == 7.0


def test_batch_is_handed_on():
    game = kgg.games.Game(lambda u, v, batch: u * v + batch)
    assert float(game.value(2.0, 3.0, 10.0)) == 16.0
    u = structures.as_player(2.0)
    assert float(game.minimizer_objective(structures.pure(3.0), 10.0)(u).loss) == 16.0


def test_losses_are_means_over_the_mixture():
    # M = u v^2 against v = 1, 3 with probabilities 1/4, 3/4: 1/4 + 27/4 = 7, whereas
    # the loss of the mean opponent 2.5 would be 6.25.
    game = kgg.games.Game(lambda u, v: u * v**2)
    u = structures.as_player(tf.constant(1.0))
    outcome = game.minimizer_objective(mixture([1.0, 3.0], [0.25, 0.75]))(u)
    assert float(outcome.loss) == 7.0 == float(outcome.value)
    # u = 1, 3 against v = 2: mean of 4 u = 4 * 2.5 = 10, which the maximiser negates.
    v = structures.as_player(tf.constant(2.0))
    outcome = game.maximizer_objective(mixture([1.0, 3.0], [0.25, 0.75]))(v)
    assert (float(outcome.loss), float(outcome.value)) == (-10.0, 10.0)


def test_losses_of_a_game_that_is_not_zero_sum():
    game = kgg.games.Game(
        lambda u, v: u * v,
        minimizer_loss_fn=lambda u, v: u + v,
        maximizer_loss_fn=lambda u, v: u - v,
    )
    u, v = structures.as_player(2.0), structures.as_player(5.0)
    outcome = game.minimizer_objective(structures.pure(v), with_value=True)(u)
    assert (float(outcome.loss), float(outcome.value)) == (7.0, 10.0)
    outcome = game.maximizer_objective(structures.pure(u))(v)
    assert (float(outcome.loss), float(outcome.value)) == (-3.0, 10.0)


def test_name_and_repr():
    def my_value(u, v):
        return u * v

    assert kgg.games.Game(my_value).name == "my_value"
    assert repr(kgg.games.Game(my_value, name="x")) == "Game(name='x')"


@pytest.mark.parametrize(
    "argument", ["value_fn", "minimizer_loss_fn", "maximizer_loss_fn"]
)
def test_functions_must_be_callable(argument):
    arguments = {"value_fn": lambda u, v: u * v, argument: 3}
    with pytest.raises(TypeError, match=rf"`{argument}` must be .*Received.*=3\. Pass"):
        kgg.games.Game(**arguments)
    with pytest.raises(TypeError, match="value_fn=None"):
        kgg.games.Game(None)


def test_value_must_be_a_scalar():
    game = kgg.games.Game(lambda u, v: u * v)
    with pytest.raises(ValueError, match=r"scalar.*shape \(2,\).*tf.reduce_mean"):
        game.value([1.0, 2.0], 3.0)


def test_loss_and_gradient():
    # loss = x^2 c y, d/dx = 2 x c y = 12; b does not enter.
    other = tf.Variable(3.0)
    player = structures.as_player({"a": tf.constant(2.0), "b": tf.constant(9.0)})

    def loss_fn(player):
        return kgg.games.game.Outcome(player.weights["a"] ** 2 * other, player)

    outcome, gradient = gradients.loss_and_gradient(loss_fn, player)
    assert float(outcome.loss) == 12.0
    np.testing.assert_array_equal([gradient["a"], gradient["b"]], [12.0, 0.0])
    outcome, gradient = gradients.loss_and_gradient(loss_fn, player, loss_scale=8.0)
    assert float(outcome.loss) == 12.0
    assert float(gradient["a"]) == 96.0


def test_outer_tape_sees_through_loss_and_gradient():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, gradient = gradients.loss_and_gradient(
            lambda player: kgg.games.game.Outcome(player.weights**3, player),
            structures.as_player(x),
        )
    assert float(gradient) == 12.0  # 3 x^2
    assert float(tape.gradient(gradient, x)) == 12.0  # 6 x
