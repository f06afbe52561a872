"""Runs of a few steps without a graph, for tests of what is kept of them."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

DATA = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")


def make(kind=kgg.GAN, activation="relu", optimizers=None, **arguments):
    """A tiny model, compiled to run without a graph, which would take seconds."""
    settings = {"loss": "non_saturating", "penalty": None}
    for name in settings.keys() & arguments.keys():
        settings[name] = arguments.pop(name)
    keras.utils.set_random_seed(1)
    discriminator = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, activation), keras.layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    gan = kind(discriminator, generator, seed=3, **arguments)
    pair = optimizers or (keras.optimizers.Adam(1e-3), keras.optimizers.Adam(2e-3))
    gan.compile(*pair, run_eagerly=True, **settings)
    return gan


class Interrupt(keras.callbacks.Callback):
    """Ends a run after so many steps, as Ctrl-C does."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_train_batch_end(self, batch, logs=None):
        if self.model.num_steps == self.at:
            raise KeyboardInterrupt


def fit(gan, folder, *others, epochs=1, every="epoch"):
    """Two steps an epoch, with a checkpoint."""
    checkpoint = kgg.callbacks.Checkpoint(folder, every=every)
    callbacks = [*others, checkpoint]
    with contextlib.suppress(KeyboardInterrupt):
        gan.fit(
            DATA,
            batch_size=8,
            shuffle=False,
            epochs=epochs,
            verbose=0,
            callbacks=callbacks,
        )
    return checkpoint


def everything(gan):
    """All of a model's numbers."""
    return [tf.convert_to_tensor(each).numpy() for each in variables(gan)]


def variables(gan):
    """All of a model's variables."""
    return [*gan.weights, *gan.d_optimizer.variables, *gan.g_optimizer.variables]


def same(one, other):
    """Whether two states are equal, bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def rates(gan):
    """Both current learning rates."""
    pair = gan.d_optimizer, gan.g_optimizer
    return [round(float(each.learning_rate), 7) for each in pair]


HISTORY = kgg.History(capacity=2, interval=2)
