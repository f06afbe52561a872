import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.callbacks import pace
from tests import strategies
from tests.callbacks import tiny_runs


def test_a_rate_goes_a_share_of_the_way_to_the_one_that_moves_by_the_target():
    # Where the displacement is proportional to the rate, 0.02 would be right.
    rate = pace.next_rate(1e-3, moved=0.01, target=0.2, gain=0.5, limits=(1e-6, 1.0))
    assert rate == pytest.approx(math.sqrt(1e-3 * 2e-2))
    assert pace.next_rate(1e-3, 0.01, 0.2, 1.0, (1e-6, 5e-3)) == 5e-3
    assert pace.next_rate(1e-3, 10.0, 0.2, 1.0, (4e-4, 1.0)) == 4e-4


@pytest.mark.parametrize("moved", [0.0, math.nan, math.inf])
def test_a_displacement_that_says_nothing_leaves_the_rate(moved):
    assert pace.next_rate(1e-3, moved, 0.2, 0.1, (1e-6, 1.0)) == 1e-3


def test_displacements_are_those_of_the_functions():
    """Both networks linear: what moves them by how much is known."""
    gan = tiny_runs.make(activation="linear")
    real = np.array([[1.0, 0.0], [0.0, 3.0], [-2.0, 1.0]], "float32")
    probe = pace.Probe(gan, real)
    before, nothing = probe.look(None)
    assert nothing is None
    generator, discriminator = gan.generator, gan.discriminator
    generator.layers[-1].bias.assign_add([0.3, 0.4])
    discriminator.layers[-1].bias.assign_add([0.25])
    after, found = probe.look(before)
    spread = np.std(real)
    assert found.generator == pytest.approx(math.sqrt(0.125) / spread, rel=1e-5)
    # The samples that both looks are compared on are the earlier ones.
    moved = 0.25 / np.std(before[1])
    assert found.discriminator == pytest.approx(moved, rel=1e-5)
    np.testing.assert_allclose(after[0], before[0] + [[0.3, 0.4]], rtol=1e-5)
    shown = np.concatenate([real, after[0]])
    np.testing.assert_allclose(after[1], discriminator(shown), rtol=1e-5, atol=1e-6)
    assert probe.look(after)[1] == (0.0, 0.0)


def test_paces_do_not_know_the_units_of_data_and_logits():
    """Both networks linear, everything a thousand times as large."""
    found = []
    for unit in (1.0, 1e3):
        gan = tiny_runs.make(activation="linear")
        real = unit * np.array([[1.0, 0.0], [0.0, 3.0], [-2.0, 1.0]], "float32")
        generator, discriminator = gan.generator, gan.discriminator
        generator.layers[-1].set_weights(
            [unit * each for each in generator.layers[-1].get_weights()]
        )
        probe = pace.Probe(gan, real)
        before, _ = probe.look(None)
        generator.layers[-1].bias.assign_add([0.3 * unit, 0.4 * unit])
        last = discriminator.layers[-1]
        last.set_weights([1.5 * each for each in last.get_weights()])
        found.append(probe.look(before)[1])
    np.testing.assert_allclose(*found, rtol=1e-4)


def test_logits_without_spread_are_told_by_a_large_pace():
    gan = tiny_runs.make()
    for variable in gan.discriminator.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    probe = pace.Probe(gan, tiny_runs.DATA[:4])
    before, _ = probe.look(None)
    gan.discriminator.layers[-1].bias.assign_add([1e-3])
    assert probe.look(before)[1].discriminator == pytest.approx(1e3)


def controlled(gan, epochs=1, data=tiny_runs.DATA, batch_size=8, **arguments):
    control = kgg.callbacks.PaceControl(**{"every": 1, **arguments})
    logs = gan.fit(
        data, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[control]
    )
    return control, logs.history


def test_any_rates_are_led_to_those_that_move_by_the_targets():
    for rate in (1e-5, 3e-2):
        pair = keras.optimizers.Adam(rate), keras.optimizers.Adam(rate)
        gan = tiny_runs.make(optimizers=pair)
        gan.compile(*pair, penalty="r1")
        targets = {"generator_target": 0.02, "discriminator_target": 0.01}
        control, logs = controlled(gan, 60, every=2, gain=0.2, **targets)
        assert len(control.measurements) == 60
        steps, of_g, of_d = np.transpose(control.measurements)
        np.testing.assert_array_equal(steps, np.arange(2, 122, 2))
        assert np.median(of_g[-20:]) == pytest.approx(0.02, rel=0.3)
        assert np.median(of_d[-20:]) == pytest.approx(0.01, rel=0.3)
        assert logs["g_pace"][-1] == of_g[-1] and logs["d_pace"][-1] == of_d[-1]
        rates = [float(optimizer.learning_rate.numpy()) for optimizer in pair]
        assert rates == [logs["d_learning_rate"][-1], logs["g_learning_rate"][-1]]


@pytest.mark.parametrize("killed_at", [1, 3])
def test_a_resumed_run_is_the_undisturbed_one(tmp_path, killed_at):
    """Killed before it was looked at for the first time, and between two looks."""
    control = lambda: kgg.callbacks.PaceControl(every=2)  # noqa: E731
    undisturbed, resumed = tiny_runs.make(), tiny_runs.make()
    tiny_runs.fit(undisturbed, tmp_path / "a", control(), epochs=3)
    stop = tiny_runs.Interrupt(killed_at)
    tiny_runs.fit(tiny_runs.make(), tmp_path / "b", control(), stop, epochs=3, every=1)
    last = control()
    tiny_runs.fit(resumed, tmp_path / "b", last, epochs=3, every=1)
    assert [step for step, *_ in last.measurements] == [2, 4, 6]
    pairs = zip(
        tiny_runs.everything(undisturbed), tiny_runs.everything(resumed), strict=True
    )
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_decay_lets_the_rates_fall_that_were_found():
    gan = tiny_runs.make()
    control = kgg.callbacks.PaceControl(every=1)
    decay = kgg.schedules.LinearDecay(0.5)
    data = tiny_runs.DATA
    gan.fit(data, batch_size=2, verbose=0, callbacks=[control, decay])
    assert len(control.measurements) == 8
    # What was found in the first five steps, of which the last is not yet decayed.
    again = tiny_runs.make()
    half = kgg.callbacks.PaceControl(every=1)
    stop = tiny_runs.Interrupt(5)
    with pytest.raises(KeyboardInterrupt):
        again.fit(data, batch_size=2, verbose=0, callbacks=[half, stop])
    rates = [
        float(each.learning_rate.numpy())
        for model in (gan, again)
        for each in (model.d_optimizer, model.g_optimizer)
    ]
    assert rates[:2] == rates[2:] and rates[0] != pytest.approx(1e-3)


def test_replicas_come_to_the_rates_of_one_device():
    found = []
    for strategy in (tf.distribute.get_strategy(), strategies.mirrored()):
        with strategy.scope():
            gan = tiny_runs.make()
            gan.compile("adam", "adam")
        controlled(gan, epochs=2)
        found.append(
            [
                float(each.learning_rate.numpy())
                for each in (gan.d_optimizer, gan.g_optimizer)
            ]
        )
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3)
    assert all(rate != pytest.approx(1e-3, rel=0.05) for rate in found[0])


@pytest.mark.parametrize("given", ["fit", "real_data"])
def test_labels_go_with_the_data(given):
    networks = kgg.networks.mlp_pair(2, latent_dim=3, width=4, num_classes=3, seed=0)
    gan = kgg.GAN(*networks, seed=0)
    gan.compile(run_eagerly=True)
    labels = np.arange(16) % 3
    pair = (tiny_runs.DATA, labels)
    control = kgg.callbacks.PaceControl(
        None if given == "fit" else pair, every=1, num_samples=5
    )
    gan.fit(*pair, batch_size=8, verbose=0, callbacks=[control])
    assert len(control.measurements) == 2
    data, classes = control.get_state()["shown"]
    assert data.shape == (5, 2) and classes.shape[0] == 5


def test_float16_keeps_its_loss_scaling():
    networks = []
    for size, units in ((2, 1), (4, 2)):
        networks.append(
            keras.Sequential(
                [
                    keras.Input((size,)),
                    keras.layers.Dense(units, dtype="mixed_float16"),
                ]
            )
        )
    gan = kgg.GAN(*networks, seed=0)
    gan.compile("adam", "adam")
    control, logs = controlled(gan)
    assert isinstance(gan.d_optimizer, keras.optimizers.LossScaleOptimizer)
    assert logs["d_learning_rate"][-1] != pytest.approx(1e-3)
    assert all(math.isfinite(each) for each in control.measurements[-1])


def test_it_is_described_by_its_arguments():
    control = kgg.callbacks.PaceControl(every=5, limits=(1e-4, 1e-2), gain=0.5)
    config = keras.saving.serialize_keras_object(control)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == control.get_config()
    assert copy.get_config()["limits"] == (1e-4, 1e-2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": 0}, ValueError, r"`every` must be.*Received: every=0"),
        ({"every": "epoch"}, TypeError, r"`every` must be.*Received: every='epoch'"),
        ({"generator_target": 0}, ValueError, r"`generator_target` must be.*: gen"),
        ({"discriminator_target": -1}, ValueError, r"`discriminator_target` must be"),
        ({"gain": 1.5}, ValueError, r"`gain` must be.*Received: gain=1.5"),
        ({"limits": (1e-2, 1e-3)}, ValueError, r"`limits` must be a pair.*Rec"),
        ({"limits": 0.1}, ValueError, r"`limits` must be.*Received: limits=0.1"),
        ({"limits": ("a", 1.0)}, TypeError, r"`limits` must be a number.*limits='a'"),
        ({"limits": (0.0, 1.0)}, ValueError, r"`limits` must be a number in \(0, inf"),
        ({"num_samples": 0}, ValueError, r"`num_samples` must be.*Received"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.callbacks.PaceControl(**arguments)


def test_what_cannot_be_controlled_is_said_when_training_begins():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    pair = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(schedule)
    with pytest.raises(
        TypeError, match=r"The learning rates can be set.*float `learning_rate`"
    ):
        controlled(tiny_runs.make(optimizers=pair))
    gan = tiny_runs.make()
    gan.compile("sgd", "sgd", steps_per_execution=2)
    with pytest.raises(ValueError, match=r"multiple of steps_per.*Use every=4"):
        controlled(gan, every=3)
    with pytest.raises(ValueError, match=r"`real_data` must.*shape"):
        controlled(tiny_runs.make(), real_data=np.zeros((4, 3), "float32"))
    stream = ((tiny_runs.DATA,) for _ in range(3))
    control = kgg.callbacks.PaceControl()
    with pytest.raises(ValueError, match=r"`real_data` is needed.*a generator"):
        tiny_runs.make().fit(
            stream, steps_per_epoch=2, shuffle=False, verbose=0, callbacks=[control]
        )
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model = kgg.TwoPlayerModel(
        network,
        keras.models.clone_model(network),
        lambda minimizer, maximizer, x: minimizer(x)[:, 0] * maximizer(x)[:, 0],
    )
    model.compile("sgd", "sgd")
    with pytest.raises(TypeError, match=r"PaceControl looks at what a GAN samples"):
        model.fit(tiny_runs.DATA, verbose=0, callbacks=[kgg.callbacks.PaceControl()])


def test_looking_at_a_stream_does_not_move_it():
    points = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")

    def weights(callbacks):
        pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=0)
        gan = kgg.GAN(*pair, seed=0)
        gan.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05))
        stream = kgg.datasets.ShuffledStream(points, None, 16, seed=0)
        gan.fit(stream.epochs(), epochs=2, verbose=0, callbacks=callbacks)
        return gan.discriminator.get_weights()

    looked = weights([kgg.callbacks.PaceControl(every=1000)])
    for one, other in zip(looked, weights([]), strict=True):
        np.testing.assert_array_equal(one, other)
