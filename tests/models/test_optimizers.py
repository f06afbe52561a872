import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.models import optimizers, roles


def _rate(optimizer):
    return float(np.array(optimizer.learning_rate))


def _pair(d_rate, g_rate):
    d, g = keras.optimizers.SGD(d_rate), keras.optimizers.Adam(g_rate)
    return d, g, optimizers.OptimizerPair(roles.GAN, g, d)


def test_setting_the_rate_keeps_the_ratio():
    d, g, pair = _pair(0.4, 0.1)
    assert float(pair.learning_rate) == _rate(g)
    assert pair.iterations is g.iterations
    pair.learning_rate = 0.05
    assert (_rate(d), _rate(g)) == pytest.approx((0.2, 0.05))
    # The user may change the ratio on the way.
    d.learning_rate = 0.05
    pair.learning_rate = 1.0
    assert (_rate(d), _rate(g)) == pytest.approx((1.0, 1.0))


def test_a_warm_up_from_zero_keeps_the_ratio():
    d, g, pair = _pair(0.4, 0.1)
    for rate in (0.0, 0.0, 0.01, 0.1):
        pair.learning_rate = rate
        assert (_rate(d), _rate(g)) == pytest.approx((4 * rate, rate))


def test_keras_callbacks_move_both(make, points):
    gan = make(
        kind="linear",
        compile={
            "d_optimizer": keras.optimizers.SGD(0.4),
            "g_optimizer": keras.optimizers.Adam(0.1),
            "run_eagerly": True,
        },
    )
    warm_up = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 * epoch)
    logs = gan.fit(
        points[:8], batch_size=8, epochs=3, verbose=0, callbacks=[warm_up]
    ).history
    assert logs["learning_rate"] == pytest.approx([0.0, 0.1, 0.2])
    assert _rate(gan.d_optimizer) == pytest.approx(0.8)
    plateau = keras.callbacks.ReduceLROnPlateau(
        "value", factor=0.5, patience=1, mode="max", min_delta=1e9
    )
    gan.fit(points[:8], batch_size=8, epochs=2, verbose=0, callbacks=[plateau])
    assert _rate(gan.g_optimizer) == pytest.approx(0.1)
    assert _rate(gan.d_optimizer) == pytest.approx(0.4)


def test_schedules_follow_each_optimizers_own_steps(make, points):
    def schedule():
        return keras.optimizers.schedules.PiecewiseConstantDecay([2], [1.0, 0.25])

    gan = make(
        kind="linear",
        compile={
            "d_optimizer": keras.optimizers.SGD(schedule()),
            "g_optimizer": keras.optimizers.SGD(schedule()),
            "run_eagerly": True,
        },
        discriminator_steps=2,
    )
    gan.fit(points[:16], batch_size=8, verbose=0)
    assert int(gan.d_optimizer.iterations) == 4 and _rate(gan.d_optimizer) == 0.25
    assert int(gan.g_optimizer.iterations) == 2 and _rate(gan.g_optimizer) == 1.0
    gan.fit(points[:8], batch_size=8, verbose=0)
    assert _rate(gan.g_optimizer) == 0.25
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        gan.fit(points[:8], verbose=0, callbacks=[scheduler])


def test_names_configurations_and_objects(networks):
    players = [
        stateless_network.StatelessNetwork(each) for each in reversed(networks())
    ]
    config = keras.optimizers.serialize(keras.optimizers.RMSprop(0.5))
    g, d = optimizers.prepare(roles.GAN, (config, "adam"), players, True)
    assert isinstance(d, keras.optimizers.Adam) and d.built
    assert isinstance(g, keras.optimizers.RMSprop) and _rate(g) == 0.5
    # Both may have one name, but not be one object.
    g, d = optimizers.prepare(roles.GAN, ("sgd", "sgd"), players, True)
    assert d is not g
    with pytest.raises(ValueError, match=r"the same object twice\. Create two"):
        optimizers.prepare(roles.GAN, (d, d), players, True)


@pytest.mark.parametrize("bad", ["best", 3, None])
def test_unknown_optimizers(networks, bad):
    players = [
        stateless_network.StatelessNetwork(each) for each in reversed(networks())
    ]
    with pytest.raises(ValueError, match="`g_optimizer` must be a Keras optimizer"):
        optimizers.prepare(roles.GAN, (bad, "adam"), players, True)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("method", ["alternating", "duality_gap", "full"])
def test_mixed_precision(make, points, policy, method):
    half = policy == "mixed_float16"
    eager = not (half and method == "alternating")  # One of them in a graph.
    gan = make(method, "modes", policy, compile={"run_eagerly": eager})
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == half
    before = [np.array(w) for w in gan.generator.trainable_weights]
    logs = gan.fit(points[:16], batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    for variable in gan.weights:
        assert variable.dtype in ("float32", "int64")
        assert np.isfinite(np.array(variable)).all()
    for old, new in zip(before, gan.generator.trainable_weights, strict=True):
        assert np.any(old != np.array(new))
    assert gan.sample(2, seed=0).dtype == np.float32


def test_loss_scaling_does_not_change_the_step(make, points, networks_state):
    # In float32 networks a power of two cancels exactly.
    states = []
    for scaled in (False, True):
        optimizer = keras.optimizers.SGD(0.1)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        gan = make(
            kind="mlp",
            compile={
                "d_optimizer": optimizer,
                "g_optimizer": keras.optimizers.SGD(0.1),
                "run_eagerly": True,
            },
        )
        logs = gan.fit(points[:8], batch_size=8, shuffle=False, verbose=0).history
        states.append((networks_state(gan), logs))
    for left, right in zip(states[0][0], states[1][0], strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-7)
    for name, values in states[0][1].items():
        assert values == pytest.approx(states[1][1][name])


@pytest.mark.parametrize("scaled", [("d",), ("g",), ("d", "g")])
def test_loss_scaling_through_the_search(make, points, networks_state, scaled):
    states = []
    for players in ((), scaled):
        pair = {}
        for player in ("d", "g"):
            optimizer = keras.optimizers.SGD(0.1)
            if player in players:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            pair[f"{player}_optimizer"] = optimizer
        response = kgg.BestResponse(2, "sgd", 0.1, through_gradient=True)
        gan = make(
            "duality_gap",
            "mlp",
            best_response=response,
            compile={**pair, "run_eagerly": True},
        )
        gan.fit(points[:8], batch_size=8, shuffle=False, verbose=0)
        states.append(networks_state(gan))
    for left, right in zip(*states, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_scaling_can_be_refused(make):
    gan = make(kind="mlp", dtype="mixed_float16", compile={"auto_scale_loss": False})
    assert type(gan.g_optimizer) is keras.optimizers.Adam


def test_a_gan_has_two_optimizers(make, networks):
    gan = kgg.GAN(*networks())
    assert gan.optimizer is None
    gan.compile()
    assert gan.optimizer.iterations is gan.g_optimizer.iterations
    with pytest.raises(ValueError, match="Pass d_optimizer= and g_optimizer="):
        gan.optimizer = keras.optimizers.Adam()


def _of(network, extra=()):
    """A function that makes an Adam built for a network's variables and others."""
    adam = keras.optimizers.Adam()
    adam.build([*network.trainable_variables, *extra])
    return adam


def _averaging(network, extra):
    adam = keras.optimizers.Adam(use_ema=True)
    adam.build([*network.trainable_variables, *extra])
    return adam


OTHER = [keras.Variable(1.0)]
# What an optimizer of the discriminator was built for, from (d, g, d of the same kind).
BUILT_FOR = {
    "it": (lambda d, g, other: _of(d), None),
    "it and a layer frozen since": (lambda d, g, other: _of(d, OTHER), None),
    "it, scaled": (
        lambda d, g, other: keras.optimizers.LossScaleOptimizer(_of(d)),
        None,
    ),
    "rebuilt": (lambda d, g, other: _of(other), "it knows 0 of the 4 trainable"),
    "rebuilt, scaled": (
        lambda d, g, other: keras.optimizers.LossScaleOptimizer(_of(other)),
        "it knows 0 of the 4 trainable",
    ),
    "the opponent": (lambda d, g, other: _of(g), "built for 4 variables; it knows 0"),
    "a part": (
        lambda d, g, other: _of(d.layers[0]),
        "2 variables; it knows 2 of the 4",
    ),
    "an average of more": (
        lambda d, g, other: _averaging(d, OTHER),
        r"it knows 4 of the 4 .*average \(use_ema\) is of all",
    ),
    "an average of it": (lambda d, g, other: _averaging(d, []), None),
}


@pytest.mark.parametrize("case", BUILT_FOR)
def test_an_optimizer_moves_what_it_was_built_for(networks, case):
    build, message = BUILT_FOR[case]
    discriminator, generator = networks("mlp")
    optimizer = build(discriminator, generator, networks("mlp")[0])
    gan = kgg.GAN(discriminator, generator)
    if message is None:
        gan.compile(optimizer, "adam")
        assert gan.d_optimizer is optimizer
        return
    spare = keras.optimizers.Adam()
    with pytest.raises(
        ValueError, match=rf"`d_optimizer` must be new.*{message}.*Make"
    ):
        gan.compile(optimizer, spare)
    # Nothing is built for a model that does not compile.
    assert not spare.built and not gan.compiled


def test_swapped_optimizers(networks):
    gan = kgg.GAN(*networks("mlp"))
    pair = [keras.optimizers.Adam(), keras.optimizers.Adam()]
    gan.compile(*pair)
    gan.compile(*pair)
    with pytest.raises(ValueError, match="it knows 0 of the 4"):
        gan.compile(*pair[::-1])
    inner = keras.optimizers.Adam()
    scaled = [keras.optimizers.LossScaleOptimizer(inner) for _ in range(2)]
    with pytest.raises(ValueError, match="the same object twice"):
        kgg.GAN(*networks("mlp")).compile(*scaled)


def test_the_rate_that_callbacks_read_and_assign():
    d, g, pair = _pair(0.5, 0.25)
    rate = pair.learning_rate
    readings = [
        float(rate),
        np.array(rate),
        rate.numpy().item(),
        float(tf.convert_to_tensor(rate)),
        keras.ops.convert_to_numpy(rate),
        float(f"{rate:.3f}"),
        rate + 0.0,
        1.0 * rate,
        (rate * tf.constant(1.0)).item(),
        float(tf.constant(1.0) * rate),
        np.float32(1.0) * rate,
        abs(-rate),
    ]
    assert readings == [0.25] * 12
    assert rate == 0.25 and rate < 0.3 and rate > 0.2 and rate >= g.learning_rate
    assert rate.shape == () and rate.dtype == "float32" and bool(rate)
    assert (
        float(tf.function(lambda: 2 * tf.convert_to_tensor(pair.learning_rate))())
        == 0.5
    )
    # Every way to set it moves both by one factor.
    for change, expected in (
        (lambda: pair.learning_rate.assign(0.5), 0.5),
        (lambda: pair.learning_rate.assign(tf.constant(0.125)), 0.125),
        (lambda: pair.learning_rate.assign_add(0.125), 0.25),
        (lambda: pair.learning_rate.assign_sub(0.125), 0.125),
        (lambda: setattr(pair, "learning_rate", pair.learning_rate * 4), 0.5),
    ):
        change()
        assert (_rate(g), _rate(d), float(rate)) == (expected, 2 * expected, expected)
    pair.learning_rate *= 0.5
    assert (_rate(g), _rate(d)) == (0.25, 0.5)


@pytest.mark.parametrize("scheduled", ["generator", "discriminator"])
@pytest.mark.parametrize("given", ["schedule", "function"])
def test_a_schedule_is_not_assigned_to(scheduled, given):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    rates = {"generator": 0.25, "discriminator": 0.25}
    rates[scheduled] = schedule if given == "schedule" else lambda: 0.25
    g, d = (keras.optimizers.SGD(rate) for rate in rates.values())
    pair = optimizers.OptimizerPair(roles.GAN, g, d)
    assert float(pair.learning_rate) > 0
    for change in (
        lambda: pair.learning_rate.assign(0.5),
        lambda: setattr(pair, "learning_rate", 0.5),
    ):
        with pytest.raises(TypeError, match=f"of the {scheduled}, .*LearningRateSched"):
            change()
    # The one that could be set was not either.
    fixed = d if scheduled == "generator" else g
    assert _rate(fixed) == 0.25


def test_a_callback_that_knows_one_optimizer_is_told_why(make):
    both = make(kind="linear").optimizer.inner_optimizer
    with pytest.raises(AttributeError, match=r"SwapEMAWeights takes.*Received: Keras"):
        both.use_ema  # noqa: B018  As older ones of Keras read it.


def test_callbacks_that_look_into_the_optimizer(make, points, tmp_path):
    averaging = {"use_ema": True, "ema_momentum": 0.5}
    gan = make(
        kind="linear",
        compile={
            "d_optimizer": keras.optimizers.SGD(0.4, name="d"),
            "g_optimizer": keras.optimizers.LossScaleOptimizer(
                keras.optimizers.SGD(0.1, name="g", **averaging)
            ),
            "run_eagerly": True,
        },
    )
    # What experiment trackers write down.
    config = json.loads(json.dumps(gan.optimizer.get_config()))
    assert config["name"] == gan.optimizer.name == "optimizer_pair"
    assert config["d_optimizer"]["config"]["learning_rate"] == pytest.approx(0.4)
    assert config["g_optimizer"]["class_name"] == "LossScaleOptimizer"
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(gan.generator.get_weights()[0])
    )
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        pytest.skip("SwapEMAWeights of this Keras knows one optimizer.")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    board = keras.callbacks.TensorBoard(str(tmp_path))
    start = gan.generator.get_weights()[0]
    gan.fit(
        points[:8],
        batch_size=8,
        epochs=2,
        verbose=0,
        callbacks=[swap, watch, board],
    )
    # One step an epoch: the average is half way between the start and what was made of
    # it, which stands in the slot while the average stands in the network.
    first, last = seen
    assert np.any(first != start) and np.any(last != first)
    np.testing.assert_array_equal(gan.generator.get_weights()[0], last)
    events = b"".join(path.read_bytes() for path in tmp_path.rglob("*tfevents*"))
    assert b"learning_rate_d" in events and b"learning_rate_g" in events


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model.weights.h5"])
def test_no_broken_file_is_written(make, points, tmp_path, name):
    gan = make(kind="linear", compile={"run_eagerly": True})
    path = tmp_path / name
    with pytest.raises(ValueError, match=rf"as a \.keras file.*'{name}'.*save_weights"):
        gan.save(path)
    with pytest.raises(ValueError, match="HDF5 has no place"):
        gan.save(str(path), overwrite=False)
    assert not path.exists()
    gan.save_weights(tmp_path / "model.weights.h5")


def test_who_names_no_optimizer_gets_an_adam_each_of_less_momentum(make, tmp_path):
    gan = make(kind="linear", compile={"d_optimizer": None, "g_optimizer": None})
    assert gan.d_optimizer is not gan.g_optimizer
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert (_rate(optimizer), optimizer.beta_1) == (pytest.approx(1e-3), 0.5)
    # A name is Keras' own, and a file keeps what it was saved with.
    gan.compile("adam", "adam")
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.g_optimizer.beta_1 == loaded.d_optimizer.beta_1 == 0.9
