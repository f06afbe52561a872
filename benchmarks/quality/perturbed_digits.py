"""Digits at 14 x 14, a network that perturbs them, and the game of the two."""

import functools

import keras
import tensorflow as tf
import tensorflow_datasets as tfds
from keras import layers

EPSILON = 0.1
# Images of training, of tuning and of test.
TRAIN, HELD_OUT, TEST = 10_000, 2000, 5000


@functools.cache
def images(data_dir):
    """Returns (images in [0, 1] (n, 196), labels) of training, tuning and test."""
    parts = []
    for split, number in (("train", TRAIN + HELD_OUT), ("test", TEST)):
        data = tfds.load("mnist", split=split, data_dir=data_dir, as_supervised=True)
        full, labels = next(iter(data.take(number).batch(number)))
        small = tf.nn.avg_pool2d(tf.cast(full, tf.float32) / 255.0, 2, 2, "VALID")
        parts.append((tf.reshape(small, (number, 196)).numpy(), labels.numpy()))
    (x, y), test = parts
    return (x[:TRAIN], y[:TRAIN]), (x[TRAIN:], y[TRAIN:]), test


def network(outputs, seed, normalised=False):
    """Returns a network of one hidden layer."""
    initial = [keras.initializers.GlorotUniform(seed=2 * seed + n) for n in (0, 1)]
    last = [layers.LayerNormalization(center=False, scale=False)] * normalised
    return keras.Sequential(
        [
            keras.Input((196,)),
            layers.Dense(128, activation="relu", kernel_initializer=initial[0]),
            layers.Dense(outputs, kernel_initializer=initial[1]),
            *last,
        ]
    )


class Attacked:
    """The error on an image and on its perturbation, half and half."""

    def __init__(self, epsilon):
        self.epsilon = epsilon

    def perturbed(self, x, perturbation):
        """Returns the images an attacker makes, in [0, 1]."""
        bounded = self.epsilon * tf.clip_by_value(perturbation, -1.0, 1.0)
        return tf.clip_by_value(x + bounded, 0.0, 1.0)

    def value(self, minimizer, maximizer, batch):
        """Returns the error of every example, (n,)."""
        x, y = batch
        error = keras.losses.sparse_categorical_crossentropy
        attacked = self.perturbed(x, maximizer(x))
        clean = error(y, minimizer(x), from_logits=True)
        return (clean + error(y, minimizer(attacked), from_logits=True)) / 2


def ascended(classifier, x, y):
    """Returns images after 20 steps of projected gradient ascent on the error."""
    start = x = tf.constant(x)
    for _ in range(20):
        with tf.GradientTape() as tape:
            tape.watch(x)
            error = keras.losses.sparse_categorical_crossentropy(
                y, classifier(x), from_logits=True
            )
        x += EPSILON / 8 * tf.sign(tape.gradient(error, x))
        x = tf.clip_by_value(x, start - EPSILON, start + EPSILON)
        x = tf.clip_by_value(x, 0.0, 1.0)
    return x
