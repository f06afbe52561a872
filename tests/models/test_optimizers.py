import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.models import optimizers


def _rate(optimizer):
    return float(np.array(optimizer.learning_rate))


def _pair(d_rate, g_rate):
    d, g = keras.optimizers.SGD(d_rate), keras.optimizers.Adam(g_rate)
    return d, g, optimizers.OptimizerPair(g, d)


def test_setting_the_rate_keeps_the_ratio():
    d, g, pair = _pair(0.4, 0.1)
    assert pair.learning_rate is g.learning_rate
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
    discriminator, generator = networks()
    config = keras.optimizers.serialize(keras.optimizers.RMSprop(0.5))
    d, g = optimizers.prepare("adam", config, discriminator, generator, True)
    assert isinstance(d, keras.optimizers.Adam) and d.built
    assert isinstance(g, keras.optimizers.RMSprop) and _rate(g) == 0.5
    # Both may have one name, but not be one object.
    d, g = optimizers.prepare("sgd", "sgd", discriminator, generator, True)
    assert d is not g
    with pytest.raises(ValueError, match=r"the same object twice\. Create two"):
        optimizers.prepare(d, d, discriminator, generator, True)


@pytest.mark.parametrize("bad", ["best", 3, None])
def test_unknown_optimizers(networks, bad):
    with pytest.raises(ValueError, match="`g_optimizer` must be a Keras optimizer"):
        optimizers.prepare("adam", bad, *networks(), True)


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
