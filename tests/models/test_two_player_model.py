"""Any two networks and a value: what is played, and what is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from tests import strategies
from tests.models import two_players
from tests.models.two_players import (
    OwnLosses,
    assert_equal,
    compiled,
    doubted,
    network,
    weights,
)


def test_it_solves_a_regression(xy):
    model = compiled()
    model.compile(keras.optimizers.Adam(0.03), keras.optimizers.Adam(0.1))
    x, y = xy
    before = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    logs = model.fit(x, y, epochs=200, verbose=0).history
    after = np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)
    assert after < 0.1 * before
    assert sorted(logs) == ["maximizer_loss", "minimizer_loss", "value"]


def test_a_step_is_two_gradient_steps_by_hand(xy):
    model = compiled()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    u, v = (
        keras.models.clone_model(each) for each in (model.minimizer, model.maximizer)
    )
    u.set_weights(model.minimizer.get_weights())
    v.set_weights(model.maximizer.get_weights())
    model.fit(*xy, batch_size=64, shuffle=False, verbose=0)
    for player, sign, rate in ((v, 1, 0.2), (u, -1, 0.1)):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(doubted(u, v, xy))
        slopes = tape.gradient(value, player.trainable_variables)
        for variable, slope in zip(player.trainable_variables, slopes, strict=True):
            variable.assign_add(sign * rate * slope)
    assert_equal(model.minimizer.get_weights(), u.get_weights(), rtol=1e-5, atol=1e-7)
    assert_equal(model.maximizer.get_weights(), v.get_weights(), rtol=1e-5, atol=1e-7)


def test_losses_of_their_own(xy):
    """Multiples of the value: what SGD does with rates that are so many times."""
    models = compiled(OwnLosses()), compiled(doubted)
    models[0].compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.02))
    models[1].compile(keras.optimizers.SGD(0.03), keras.optimizers.SGD(0.04))
    own, plain = (
        model.fit(*xy, batch_size=64, epochs=2, verbose=0).history for model in models
    )
    assert_equal(weights(models[0]), weights(models[1]), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(own["value"], plain["value"], rtol=1e-5)
    for name, factor in (("maximizer_loss", -2.0), ("minimizer_loss", 3.0)):
        values = np.multiply(abs(factor), plain[name])
        np.testing.assert_allclose(own[name], values, rtol=1e-5, err_msg=name)


def test_scores_are_those_of_the_functions(xy):
    model = compiled(OwnLosses())
    found = model.evaluate(*xy, batch_size=16, return_dict=True, verbose=0)
    value = np.mean(doubted(model.minimizer, model.maximizer, xy))
    expected = {
        "value": value,
        "minimizer_loss": 3 * value,
        "maximizer_loss": -2 * value,
    }
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-5)


def test_a_file_holds_all_and_goes_on(xy, tmp_path):
    updates = two_players.SCHEMES["duality gap against a history"]
    model = compiled(updates=updates)
    model.fit(*xy, batch_size=16, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.scheme == updates and again.minimizer_bank.size == 2
    for each in (model, again):
        each.fit(*xy, batch_size=16, verbose=0, epochs=2)
    assert_equal(weights(again), weights(model), rtol=0)


def test_a_run_resumes_exactly(xy, tmp_path):
    whole = compiled(updates=two_players.SCHEMES["fictitious play sampled"])
    whole.fit(*xy, batch_size=16, epochs=3, verbose=0)
    for epochs in (1, 3):
        checkpoint = kgg.callbacks.Checkpoint(tmp_path)
        resumed = compiled(updates=two_players.SCHEMES["fictitious play sampled"])
        resumed.fit(
            *xy, batch_size=16, epochs=epochs, callbacks=[checkpoint], verbose=0
        )
    assert_equal(weights(resumed), weights(whole), rtol=0)


@pytest.mark.parametrize("updates", ["alternating", "fictitious play full"])
def test_replicas_take_the_same_steps(xy, updates):
    one = compiled(updates=two_players.SCHEMES[updates])
    with strategies.mirrored().scope():
        two = compiled(updates=two_players.SCHEMES[updates])
    for model in (one, two):
        model.fit(*xy, batch_size=20, epochs=2, verbose=0)  # A last batch of 4.
    assert_equal(weights(two), weights(one), rtol=1e-4, atol=1e-6)


def test_xla_takes_the_same_steps(xy):
    models = [compiled(jit_compile=jit_compile) for jit_compile in (False, True)]
    for model in models:
        model.fit(*xy, batch_size=16, verbose=0)
    assert_equal(weights(models[1]), weights(models[0]), rtol=1e-4, atol=1e-6)


def test_networks_of_several_inputs_and_outputs():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Dense(3)(keras.layers.Concatenate()([left, right]))
    minimizer = keras.Model(
        {"left": left, "right": right},
        {"guess": keras.layers.Dense(1)(both), "code": both},
    )
    maximizer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

    def value(minimizer, maximizer, batch):
        made = minimizer({"left": batch["left"], "right": batch["right"]})
        error = tf.square(made["guess"][:, 0] - batch["target"])
        return error - 0.1 * tf.square(maximizer(made["code"])[:, 0])

    rows = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    data = {"left": rows, "right": rows[::-1].copy(), "target": rows[:, 0]}
    model = kgg.TwoPlayerModel(minimizer, maximizer, value, seed=0)
    model.compile()
    before = weights(model)
    model.fit(data, batch_size=8, epochs=2, verbose=0)
    moved = [np.any(a != b) for a, b in zip(before, weights(model), strict=True)]
    assert (
        sum(moved) >= 6
        and np.isfinite(np.concatenate([w.ravel() for w in weights(model)])).all()
    )
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(8)
    assert np.isfinite(model.evaluate(dataset, verbose=0)).all()


def test_only_the_updated_player_is_in_training_mode(xy):
    """Each call of a player moves its BatchNorm once, from where the last one left."""

    def normalised():
        return keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.BatchNormalization(momentum=0.5),
                keras.layers.Dense(1),
            ]
        )

    def value(minimizer, maximizer, x):
        twice = minimizer(x)[:, 0] + minimizer(2.0 * x)[:, 0]
        return twice * maximizer(x)[:, 0]

    model = kgg.TwoPlayerModel(normalised(), normalised(), value, seed=0)
    model.compile()
    x = xy[0]
    model.fit(x, batch_size=64, verbose=0)
    mean = x.mean(axis=0)
    of_minimizer, of_maximizer = (
        np.array(each.layers[0].moving_mean)
        for each in (model.minimizer, model.maximizer)
    )
    np.testing.assert_allclose(of_maximizer, 0.5 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        of_minimizer, 0.5 * (0.5 * mean) + 0.5 * 2 * mean, rtol=1e-4, atol=1e-6
    )


def test_weights_are_regularised_once_however_often_they_are_used(xy):
    regularizer = keras.regularizers.L2(0.1)

    def value(minimizer, maximizer, x):
        return minimizer(x)[:, 0] + minimizer(-x)[:, 0] + 0.0 * maximizer(x)[:, 0]

    model = kgg.TwoPlayerModel(
        network(kernel_regularizer=regularizer),
        network(),
        value,
        updates="simultaneous",
    )
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    logs = model.fit(xy[0], batch_size=64, verbose=0).history
    expected = float(regularizer(model.minimizer.layers[0].kernel))
    np.testing.assert_allclose(
        logs["minimizer_loss"][0] - logs["value"][0], expected, rtol=1e-5
    )


def test_the_gap_and_the_matrix_are_those_of_the_value(xy):
    model = compiled(updates=two_players.SCHEMES["fictitious play sampled"])
    model.fit(*xy, batch_size=16, epochs=2, verbose=0)
    x, y = xy
    table = kgg.payoff_matrix(model, (x, y), batch_size=24)
    assert table.values.shape == (3, 3)
    values = np.array(doubted(model.minimizer, model.maximizer, xy), "float64")
    np.testing.assert_allclose(table.values[-1, -1], values.mean(), rtol=1e-5)
    np.testing.assert_allclose(
        table.standard_errors[-1, -1], values.std(ddof=1) / 8, rtol=1e-4
    )
    gap = kgg.duality_gap(
        model, (x[:32], y[:32]), (x[32:], y[32:]), 0, batch_size=32, seed=0
    )
    assert gap.gap == 0
    values = doubted(model.minimizer, model.maximizer, (x[32:], y[32:]))
    np.testing.assert_allclose(gap.minimax, np.mean(values), rtol=1e-5)
    near = x[:32] + np.float32(1e-3)
    searched = kgg.duality_gap(
        model, (x[:32], y[:32]), (near, y[:32]), 50, 0.01, seed=0, batch_size=32
    )
    assert searched.gap > 0


def test_the_monitor_and_the_nash_mixture_work_on_it(xy):
    history = kgg.History(3, 2, retention="fifo", weights="nash")
    model = compiled(updates=schemes.FictitiousPlay(history))
    x, y = xy
    held_out = {"finding_data": (x[:16], y[:16]), "scoring_data": (x[16:32], y[16:32])}
    monitor = kgg.callbacks.DualityGapMonitor(
        **held_out, num_steps=2, batch_size=16, every="epoch"
    )
    nash = kgg.callbacks.NashMixture((x[32:48], y[32:48]), every=2, batch_size=16)
    logs = model.fit(
        x, y, batch_size=16, epochs=2, verbose=0, callbacks=[monitor, nash]
    ).history
    assert len(logs["val_duality_gap"]) == 2 and len(nash.measurements) == 4
    assert np.isclose(model.minimizer_bank.member_probabilities.sum(), 1)


def test_one_batch_is_a_step_of_fit(xy):
    models = compiled(), compiled()
    models[0].train_on_batch(*xy)
    models[1].fit(*xy, batch_size=64, shuffle=False, verbose=0)
    assert_equal(weights(models[0]), weights(models[1]), rtol=1e-6)
    # Some versions of Keras go on with the means of the batch before.
    models[0].reset_metrics()
    value = models[0].test_on_batch(*xy, return_dict=True)["value"]
    assert value == pytest.approx(
        models[1].evaluate(*xy, 64, 0, return_dict=True)["value"]
    )


@pytest.mark.parametrize(
    "callback",
    [
        lambda folder: kgg.callbacks.SampleGrid(folder),
        lambda folder: kgg.callbacks.FailureDetector(),
    ],
)
def test_callbacks_that_look_at_samples(xy, callback, tmp_path):
    with pytest.raises(TypeError, match="looks at what a GAN samples"):
        compiled().fit(*xy, verbose=0, callbacks=[callback(tmp_path)])
