"""The two pairs of networks that the performance benchmark times, and their batches."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg


@dataclasses.dataclass
class Setting:
    """Networks, batch and how often a call repeats what it times.

    Attributes:
        name: "dcgan" or "mlp".
        make: Function ``() -> (discriminator, generator)``.
        data_shape: Shape of one example.
        batch_size: Examples in a batch.
        steps: Train steps in one compiled call: a call costs Python a fixed time, which
            small networks would otherwise be measured by.
    """

    name: str
    make: Callable
    data_shape: tuple
    batch_size: int
    steps: int

    def data(self, number=8):
        """Returns real data as a tensor (number, batch_size, *data_shape)."""
        shape = (number, self.batch_size, *self.data_shape)
        values = np.random.default_rng(0).uniform(-1, 1, shape)
        return tf.constant(values.astype("float32"))


def settings(quick=False):
    """Returns the settings by name; with ``quick`` small ones, for a test."""
    if quick:
        dcgan = Setting(
            "dcgan",
            lambda: kgg.networks.dcgan_pair((8, 8, 1), 4, base_filters=2, seed=0),
            (8, 8, 1),
            4,
            1,
        )
        mlp = Setting(
            "mlp",
            lambda: kgg.networks.mlp_pair(2, 4, width=8, seed=0),
            (2,),
            8,
            2,
        )
        return {each.name: each for each in (dcgan, mlp)}
    dcgan = Setting(
        "dcgan",
        lambda: kgg.networks.dcgan_pair((28, 28, 1), latent_dim=64, seed=0),
        (28, 28, 1),
        64,
        1,
    )
    mlp = Setting(
        "mlp",
        lambda: kgg.networks.mlp_pair(2, 16, width=128, depth=2, seed=0),
        (2,),
        256,
        50,
    )
    return {each.name: each for each in (dcgan, mlp)}


def adam():
    """Returns the outer optimizer of all trainers here."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def compiled(model):
    """Compiles a model of this library and returns it."""
    model.compile(adam(), adam())
    return model


def repeated_step(model, data, steps):
    """Returns a function that takes ``steps`` train steps in one compiled call.

    Args:
        model: A compiled Keras model with a `train_step`.
        data: Tensor (n, batch, ...) of batches, taken in turn.
        steps: Number of steps.
    """
    number = data.shape[0]
    position = tf.Variable(0)

    # As Keras' own train function: the step's Python is traced, not rewritten.
    @tf.function(autograph=False)
    def run():
        begin = position.assign_add(steps) - steps
        if steps == 1:
            return model.train_step(data[begin % number])

        def body(index):
            model.train_step(data[(begin + index) % number])
            return index + 1

        return tf.while_loop(lambda index: index < steps, body, [tf.constant(0)])

    # Concrete: TensorFlow would count the functions of many models as retraces.
    return run.get_concrete_function()
