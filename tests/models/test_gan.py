"""The public face: fit, evaluate, predict, logs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data


@pytest.fixture(scope="module")
def gan(make):
    return make(kind="batchnorm", compile={"loss": "least_squares"})


def test_evaluate(gan, points):
    # Two batches of different size: the mean is over examples, in inference mode.
    found = gan.evaluate(points[:12], batch_size=8, verbose=0, return_dict=True)
    names = ("d_loss", "g_loss", "value", "d_real", "d_fake", "d_accuracy")
    expected = dict.fromkeys(names, 0.0)
    root = randomness.fold(randomness.root(gan.seed), randomness.Purpose.EVALUATION)
    for index, part in enumerate((points[:8], points[8:12])):
        stream = randomness.fold(root, index)
        batch = labelled_data.source_of(tf.constant(part), None, stream, (3,))(0)
        fake = gan.discriminator(gan.generator(batch.examples.latents)).numpy()
        real = gan.discriminator(part).numpy()
        value = -0.5 * ((real - 1) ** 2).mean() - 0.5 * (fake**2).mean()
        expected["value"] += value * len(part) / 12
        expected["d_loss"] -= value * len(part) / 12
        for name, logits in (("d_real", real), ("d_fake", fake)):
            expected[name] += (1 / (1 + np.exp(-logits))).mean() * len(part) / 12
        expected["d_accuracy"] += (real > fake).mean() * len(part) / 12
        expected["g_loss"] += 0.5 * ((fake - 1) ** 2).mean() * len(part) / 12
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), rel=1e-5)


def test_a_tie_counts_one_half(make, points):
    gan = make(kind="linear", compile={"run_eagerly": True})
    for weight in gan.discriminator.weights:
        weight.assign(tf.zeros_like(weight))
    found = gan.evaluate(points, verbose=0, return_dict=True)
    assert float(found["d_accuracy"]) == 0.5


def test_evaluation_is_repeatable_and_changes_nothing(gan, points, state, assert_same):
    before = state(gan)
    first, second = (
        gan.evaluate(points, verbose=0, return_dict=True) for _ in range(2)
    )
    assert first == second
    assert_same(state(gan), before)


def test_predict_and_call(gan):
    latents = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    expected = gan.generator(latents)
    np.testing.assert_allclose(gan.predict(latents, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(gan(latents), expected, rtol=1e-6)
    assert np.any(gan(latents, training=True).numpy() != expected.numpy())


def test_logs_are_means_of_the_epoch(make, points):
    class Collect(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.values = []

        def on_train_batch_end(self, batch, logs=None):
            self.values.append(logs["value"])

    gan, collect = make(kind="linear", compile={"run_eagerly": True}), Collect()
    history = gan.fit(
        points[:24],
        batch_size=8,
        epochs=2,
        verbose=0,
        validation_data=points[24:],
        callbacks=[collect],
    ).history
    assert set(history) == {
        prefix + name
        for prefix in ("", "val_")
        for name in ("d_loss", "g_loss", "value", "d_real", "d_fake", "d_accuracy")
    }
    # As in Keras: the log of a batch is the mean so far.
    np.testing.assert_allclose(history["value"], collect.values[2::3], rtol=1e-6)
    assert [metric.name for metric in gan.metrics][:3] == ["d_loss", "g_loss", "value"]


def test_early_stopping_and_checkpoints_of_keras(make, points, tmp_path):
    gan = make(kind="linear", compile={"run_eagerly": True})
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="value", mode="max", save_best_only=True
    )
    stop = keras.callbacks.EarlyStopping("g_loss", mode="min", min_delta=1e9)
    logs = gan.fit(points[:8], epochs=9, verbose=0, callbacks=[best, stop]).history
    assert len(logs["value"]) == 2
    assert keras.models.load_model(tmp_path / "best.keras").num_steps >= 1


def test_train_on_batch(make, points):
    gan = make("duality_gap", "linear", compile={"run_eagerly": True})
    logs = gan.train_on_batch(points[:8], return_dict=True)
    names = {"d_loss", "g_loss", "value", "d_real", "d_fake", "d_accuracy"}
    assert set(logs) == {*names, "duality_gap"}
    assert gan.num_steps == 1
    np.testing.assert_array_equal(gan.data_range, [points[:8].min(), points[:8].max()])
    gan = make(kind="conditional", compile={"run_eagerly": True})
    gan.train_on_batch(points[:8], np.arange(8) % 4)
    assert gan.num_steps == 1


def test_the_shortest_program(points):
    # Defaults everywhere, Keras' own names.
    discriminator, generator = kgg.networks.mlp_pair(latent_dim=4, width=4)
    gan = kgg.FictitiousGAN(discriminator, generator)
    gan.compile()
    gan.fit(points, verbose=0)
    assert gan.sample(3).shape == (3, 2)
    assert (gan.generator_bank.capacity, gan.discriminator_bank.capacity) == (5, 5)
    assert type(gan.payoff) is kgg.payoffs.NonSaturating
    assert kgg.GAN(discriminator, generator).generator_bank is None
