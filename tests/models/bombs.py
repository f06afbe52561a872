"""Payoffs that turn into NaN, and runs that they stop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg


@keras.saving.register_keras_serializable(package="test_guard")
class Bomb(kgg.payoffs.NonSaturating):
    """A payoff one term of which turns into NaN.

    Args:
        term: Name of the term that turns into NaN once the payoff is armed.
    """

    def __init__(self, term):
        self.term = term
        self.armed = tf.Variable(0.0, trainable=False)

    def _spoil(self, term, logits):
        factor = tf.where(self.armed > 0, np.nan, 1.0) if term == self.term else 1.0
        return logits * tf.cast(factor, logits.dtype)

    def real_term(self, logits):
        return super().real_term(self._spoil("real_term", logits))

    def generator_term(self, logits):
        return super().generator_term(self._spoil("generator_term", logits))


class Arm(keras.callbacks.Callback):
    """Arms the bomb after two steps, and keeps the state of the last good step."""

    def __init__(self, state):
        super().__init__()
        self._read = state

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.good = self._read(self.model)
            self.model.payoff.armed.assign(1.0)


class Saves(keras.callbacks.Callback):
    """Remembers the batches after which it would have saved."""

    def on_train_begin(self, logs=None):
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


def stopped_run(gan, points, state):
    """Returns (state after the last good step, batches that were saved, the error)."""
    arm, saves = Arm(state), Saves()
    with pytest.raises(kgg.NonFiniteError) as caught:
        gan.fit(points, batch_size=8, verbose=0, callbacks=[arm, saves])
    return arm.good, saves.batches, str(caught.value)


class NaNAt(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is NaN from its third step on."""

    def __call__(self, step):
        return tf.where(tf.cast(step, tf.int32) >= 2, np.nan, 0.01)

    def get_config(self):
        return {}
