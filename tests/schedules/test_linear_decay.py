import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests.callbacks import tiny_runs


class Rates(keras.callbacks.Callback):
    """Remembers both learning rates of every step."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        pair = self.model.d_optimizer, self.model.g_optimizer
        self.seen.append([float(each.learning_rate.numpy()) for each in pair])


def fit(gan, decay, data=tiny_runs.DATA, **arguments):
    """Returns the learning rates of every step, (steps, 2)."""
    rates = Rates()
    gan.fit(data, verbose=0, callbacks=[decay, rates], **arguments)
    return np.array(rates.seen)


def test_both_rates_fall_linearly_and_come_back():
    gan = tiny_runs.make()
    decay = kgg.schedules.LinearDecay(start=0.25, end=0.2)
    found = fit(gan, decay, batch_size=4, epochs=2)
    share = np.arange(8) / 8
    expected = np.interp(share, [0, 0.25, 1], [1, 1, 0.2])[:, None] * [1e-3, 2e-3]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(gan.d_optimizer.learning_rate.numpy()) == np.float32(1e-3)
    # The second run is as long as it says.
    again = fit(gan, decay, batch_size=8, epochs=4)
    np.testing.assert_allclose(again, expected, rtol=1e-6)


# What Keras says where a first epoch has told it the length.
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_the_first_epoch_of_unknown_length_counts_when_it_is_over():
    gan = tiny_runs.make()
    data = tf.data.Dataset.from_tensor_slices(tiny_runs.DATA).repeat(1)
    data = data.filter(lambda _: True).batch(4)
    found = fit(gan, kgg.schedules.LinearDecay(start=0.0), data, epochs=2)
    expected = [1, 1, 1, 1, 0.5, 0.375, 0.25, 0.125]
    np.testing.assert_allclose(found[:, 0], 1e-3 * np.array(expected), rtol=1e-6)
    with pytest.raises(ValueError, match=r"LinearDecay must know.*steps_per_epoch"):
        fit(tiny_runs.make(), kgg.schedules.LinearDecay(), data)


@pytest.mark.parametrize("killed_at", [1, 4, 5])
def test_a_resumed_run_is_the_undisturbed_one(tmp_path, killed_at):
    """Killed in the first epoch, at the end of one and within the last half."""
    undisturbed = tiny_runs.make()
    tiny_runs.fit(undisturbed, tmp_path / "a", kgg.schedules.LinearDecay(), epochs=3)
    killed = tiny_runs.Interrupt(killed_at)
    decay = kgg.schedules.LinearDecay()
    tiny_runs.fit(tiny_runs.make(), tmp_path / "b", decay, killed, epochs=3, every=1)
    resumed = tiny_runs.make()
    tiny_runs.fit(
        resumed, tmp_path / "b", kgg.schedules.LinearDecay(), epochs=3, every=1
    )
    assert resumed.num_steps == 6
    pairs = zip(
        tiny_runs.everything(undisturbed), tiny_runs.everything(resumed), strict=True
    )
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_a_run_that_goes_on_for_longer_decays_at_the_new_end(tmp_path):
    tiny_runs.fit(tiny_runs.make(), tmp_path, kgg.schedules.LinearDecay(), epochs=2)
    rates = Rates()
    decay = kgg.schedules.LinearDecay()
    tiny_runs.fit(tiny_runs.make(), tmp_path, decay, rates, epochs=8)
    expected = 1e-3 * np.interp(np.arange(4, 16) / 16, [0, 0.5, 1], [1, 1, 0])
    np.testing.assert_allclose(np.array(rates.seen)[:, 0], expected, rtol=1e-6)


def test_rates_that_others_set_before_it_begins_are_those_that_fall():
    class Doubled(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.d_optimizer.learning_rate = 4e-3

    gan, rates = tiny_runs.make(), Rates()
    callbacks = [kgg.schedules.LinearDecay(0.5), Doubled(), rates]
    gan.fit(tiny_runs.DATA, batch_size=2, verbose=0, callbacks=callbacks)
    found = np.array(rates.seen) / [4e-3, 2e-3]
    np.testing.assert_allclose(found[2:, 0], [1, 1, 1, 0.75, 0.5, 0.25], rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], [1] * 5 + [0.75, 0.5, 0.25], rtol=1e-6)
    assert float(gan.d_optimizer.learning_rate.numpy()) == np.float32(4e-3)


def test_a_run_that_is_broken_off_gives_the_rates_back():
    gan = tiny_runs.make()
    stop = tiny_runs.Interrupt(3)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(
            tiny_runs.DATA,
            batch_size=4,
            verbose=0,
            callbacks=[kgg.schedules.LinearDecay(0.0), stop],
        )
    rates = [float(np.float32(each)) for each in (2e-3, 1e-3)]
    assert list(gan.optimizer.rates()) == rates


def test_several_steps_of_one_execution_share_a_rate():
    gan = tiny_runs.make()
    gan.compile("sgd", "sgd", steps_per_execution=2)
    found = fit(gan, kgg.schedules.LinearDecay(0.0), batch_size=4)
    np.testing.assert_allclose(found[:, 0], [0.01, 0.005], rtol=1e-6)


def test_a_game_of_two_networks():
    def value(minimizer, maximizer, batch):
        return (minimizer(batch) * maximizer(batch))[:, 0]

    networks = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])]
    networks.append(keras.models.clone_model(networks[0]))
    model = kgg.TwoPlayerModel(*networks, value, seed=0)
    model.compile("sgd", "sgd", run_eagerly=True)
    decay = kgg.schedules.LinearDecay(0.0, 1.0)
    model.fit(tiny_runs.DATA, verbose=0, callbacks=[decay])
    assert float(model.minimizer_optimizer.learning_rate.numpy()) == np.float32(0.01)


def test_it_is_described_by_its_arguments():
    decay = kgg.schedules.LinearDecay(0.3, 0.1)
    config = keras.saving.serialize_keras_object(decay)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == {"start": 0.3, "end": 0.1}
    assert [copy.factor(share) for share in (0.0, 0.3, 0.65, 1.0)] == pytest.approx(
        [1.0, 1.0, 0.55, 0.1]
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"start": 1.0}, ValueError, r"`start` must be .* \[0, 1\).*Received: start=1"),
        ({"start": -0.1}, ValueError, r"`start` must be.*Received: start=-0.1"),
        ({"end": 2}, ValueError, r"`end` must be.*Received: end=2"),
        ({"end": "0"}, TypeError, r"`end` must be.*Received: end='0'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        kgg.schedules.LinearDecay(**arguments)


def test_rates_that_cannot_be_set():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    pair = keras.optimizers.Adam(schedule), keras.optimizers.Adam(1e-3)
    gan = tiny_runs.make(optimizers=pair)
    with pytest.raises(
        TypeError, match=r"made with a number.*'adam.*Make it with a float"
    ):
        fit(gan, kgg.schedules.LinearDecay())
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(TypeError, match=r"models of two players.*a Sequential"):
        model.fit(np.ones((4, 2)), verbose=0, callbacks=[kgg.schedules.LinearDecay()])
