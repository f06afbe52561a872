"""A training run in a process of its own, to be killed and started again.

    python resume_worker.py KIND FOLDER

Trains with a checkpoint every few steps, appends a line to FOLDER/progress at every
step, and writes all it ends with to FOLDER/result.npz. The same command resumes.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

KINDS = ("gan", "duality_gap", "fictitious")
STEPS_PER_EPOCH = 23
EPOCHS = 5
CHECKPOINT_EVERY = 4


def make(kind):
    """A small model of that class, with BatchNorm and Dropout to get wrong."""
    keras.utils.set_random_seed(0)
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Dense(2),
        ]
    )
    pair = discriminator, generator
    if kind == "gan":
        gan = kgg.GAN(*pair, seed=5)
    elif kind == "duality_gap":
        response = kgg.BestResponse(num_steps=2)
        gan = kgg.DualityGapGAN(*pair, best_response=response, seed=5)
    else:
        history = kgg.History(capacity=3, interval=5)
        gan = kgg.FictitiousGAN(*pair, history=history, seed=5)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), penalty="r1")
    return gan


def everything(gan, history):
    """All that a run ends with, by name."""
    found = {f"weight_{i}": value for i, value in enumerate(gan.get_weights())}
    for side in ("d", "g"):
        optimizer = getattr(gan, f"{side}_optimizer")
        for index, slot in enumerate(optimizer.variables):
            found[f"{side}_slot_{index}"] = tf.convert_to_tensor(slot).numpy()
    found["samples"] = gan.sample(16, seed=1)
    found["average"] = gan.sample(16, seed=1, source="average")
    # The last epoch's logs: a run resumed in it must know of its earlier steps.
    found |= {name: np.array(values[-1]) for name, values in history.items()}
    return found


class Progress(keras.callbacks.Callback):
    """Says after every step that it is done."""

    def __init__(self, path):
        super().__init__()
        self._file = open(path, "a", buffering=1)  # noqa: SIM115

    def on_train_batch_end(self, batch, logs=None):
        self._file.write(f"{self.model.num_steps}\n")


def main(kind, folder):
    """Trains, or goes on training, and writes the result."""
    folder = pathlib.Path(folder)
    gan = make(kind)
    checkpoint = kgg.callbacks.Checkpoint(folder / "checkpoints", CHECKPOINT_EVERY)
    ring = kgg.datasets.gaussian_ring(seed=0)
    history = gan.fit(
        ring.batches(16, steps_per_epoch=STEPS_PER_EPOCH),
        epochs=EPOCHS,
        verbose=0,
        callbacks=[checkpoint, Progress(folder / "progress")],
    )
    np.savez(folder / "writing.npz", **everything(gan, history.history))
    (folder / "writing.npz").rename(folder / "result.npz")


if __name__ == "__main__":
    main(*sys.argv[1:])
