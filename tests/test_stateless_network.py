import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gamegan import stateless_network
from keras_gamegan.games import randomness, structures

STREAM = randomness.root(0)


@pytest.fixture
def model():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5)])
    frozen = layers.Dense(4, trainable=False)
    return keras.Sequential(
        [keras.Input((2,)), frozen, layers.BatchNormalization(), inner, layers.Dense(1)]
    )


@pytest.fixture
def inputs():
    return tf.constant(np.random.default_rng(0).normal(size=(6, 2)), tf.float32)


def test_what_is_weight_and_what_is_state(model):
    network = stateless_network.StatelessNetwork(model)
    # gamma and beta, two kernels, two biases; frozen kernel and bias, two statistics.
    assert len(network.weight_variables) == 6
    assert len(network.state_variables) == 4
    assert len(network.variables) == len(model.weights)
    assert network.has_modes and network.dtype == "float32"
    plain = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    assert not stateless_network.StatelessNetwork(plain).has_modes


@pytest.mark.parametrize("training", [False, True])
def test_apply_equals_the_model_and_leaves_it_alone(inputs, training):
    model = keras.Sequential(
        [keras.Input((2,)), layers.BatchNormalization(), layers.Dense(1)]
    )
    network = stateless_network.StatelessNetwork(model)
    before = model.get_weights()
    outputs, moved, losses = network.apply(network.player(), inputs, training, STREAM)
    for value, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)
    assert losses is None
    np.testing.assert_allclose(outputs, model(inputs, training=training), rtol=1e-6)
    # Now the model itself has moved its statistics, if it was training.
    for value, variable in zip(
        moved.weights + moved.state, network.variables, strict=True
    ):
        np.testing.assert_allclose(value, variable, rtol=1e-6)
    assert training != np.array_equal(moved.state[0], before[2])


def test_other_weights_give_another_function(model, inputs):
    network = stateless_network.StatelessNetwork(model)
    player = network.player()
    zeros = structures.Player([tf.zeros_like(w) for w in player.weights], player.state)
    outputs, _, _ = network.apply(zeros, inputs, False, STREAM)
    np.testing.assert_array_equal(outputs, np.zeros((6, 1)))
    assert np.any(network.apply(player, inputs, False, STREAM)[0])


def test_dropout_follows_the_stream(model, inputs):
    network = stateless_network.StatelessNetwork(model)
    player = network.player()
    (state,) = [v for v in model.variables if v.name == "seed_generator_state"]
    seed = np.array(state)

    def outputs(stream):
        return network.apply(player, inputs, True, stream)[0].numpy()

    np.testing.assert_array_equal(outputs(STREAM), outputs(STREAM))
    assert np.any(outputs(STREAM) != outputs(randomness.root(1)))
    np.testing.assert_array_equal(state, seed)


def test_two_dropouts_draw_different_masks():
    model = keras.Sequential(
        [keras.Input((64,)), layers.Dropout(0.5), layers.Dropout(0.5)]
    )
    network = stateless_network.StatelessNetwork(model)
    outputs, _, _ = network.apply(network.player(), tf.ones((32, 64)), True, STREAM)
    # Both masks pass one in four; one mask twice would pass one in two.
    assert 0.2 < np.mean(outputs.numpy() > 0) < 0.3


def test_losses_are_the_players_own(inputs):
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(
                3,
                use_bias=False,
                kernel_regularizer=keras.regularizers.L2(0.5),
                activity_regularizer=keras.regularizers.L1(0.1),
            ),
        ]
    )
    network = stateless_network.StatelessNetwork(model)
    kernel = tf.constant([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        outputs, _, loss = network.apply(
            structures.Player([kernel], []), inputs, True, STREAM
        )
    # Some versions of Keras divide an activity's loss by the batch size.
    penalty = layers.ActivityRegularization(l1=1.0)
    penalty(tf.ones((6, 1)))
    number = 6 / float(penalty.losses[0])
    model.layers[-1].kernel.assign(kernel)
    model(inputs)
    np.testing.assert_allclose(loss, sum(model.losses), rtol=1e-6)
    activity = 0.1 * np.abs(outputs).sum() / number
    np.testing.assert_allclose(loss, 0.5 * 15.0 + activity, rtol=1e-6)
    slope = 0.1 * inputs.numpy().T @ np.sign(outputs) / number + kernel
    np.testing.assert_allclose(tape.gradient(loss, kernel), slope, rtol=1e-5)


def test_assign_writes_what_moved(model):
    network = stateless_network.StatelessNetwork(model)
    before = network.player()
    changed = structures.Player(
        [before.weights[0] + 1.0, *before.weights[1:]], before.state
    )
    # A write by someone else, which an unmoved tensor must not undo.
    network.weight_variables[1].assign(tf.fill(network.weight_variables[1].shape, 5.0))
    network.assign(changed, before=before)
    np.testing.assert_array_equal(network.weight_variables[0], changed.weights[0])
    assert set(np.ravel(network.weight_variables[1])) == {5.0}
    network.assign(before)
    for value, variable in zip(
        before.weights + before.state, network.variables, strict=True
    ):
        np.testing.assert_array_equal(value, variable)


def test_half_precision_networks_return_full_precision(inputs):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(1, dtype="mixed_bfloat16")]
    )
    network = stateless_network.StatelessNetwork(model)
    outputs, _, _ = network.apply(network.player(), inputs, True, STREAM)
    assert model(inputs).dtype == tf.bfloat16 and outputs.dtype == tf.float32


def test_a_network_without_weights(inputs):
    model = keras.Sequential([keras.Input((2,)), layers.Flatten()])
    network = stateless_network.StatelessNetwork(model)
    assert network.dtype == "float32" and network.player() == structures.Player([], [])
    np.testing.assert_array_equal(
        network.apply(network.player(), inputs, False, STREAM)[0], inputs
    )
