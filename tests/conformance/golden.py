"""Writes the golden files of this version, which later versions must keep loading.

    python tests/conformance/golden.py

Run once for a version; a file that exists is never overwritten.
"""

import contextlib
import pathlib
import shutil
import tempfile

import keras
import numpy as np
import resume_worker

import keras_gamegan as kgg
from keras_gamegan import version

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "golden"


def data():
    """The batch every golden model was trained on."""
    return np.random.default_rng(0).normal(size=(32, 2)).astype("float32")


def results(gan):
    """What a loaded golden model must give: its weights, samples and a further step."""
    found = {f"weight_{i}": value for i, value in enumerate(gan.get_weights())}
    found["samples"] = gan.sample(8, seed=1)
    history = gan.fit(data(), batch_size=32, shuffle=False, verbose=0).history
    found["d_loss"] = np.array(history["d_loss"])
    found["samples_after_a_step"] = gan.sample(8, seed=1)
    return found


class Keeper(keras.callbacks.Callback):
    """A callback whose state of every kind a checkpoint keeps."""

    def __init__(self):
        super().__init__()
        self.state = {"number": 0.0, "array": np.zeros(2), "list": [np.zeros(1)]}

    def get_state(self):
        return self.state

    def set_state(self, state):
        self.state = state

    def on_train_batch_end(self, batch, logs=None):
        step = float(self.model.num_steps)
        self.state = {
            "number": step,
            "array": np.array([step, step + 1]),
            "list": [np.array([step])],
        }


class Interrupt(keras.callbacks.Callback):
    """Ends a run as Ctrl-C does."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.num_steps == 10:
            raise KeyboardInterrupt


def go_on(folder, *others):
    """Trains a model from the checkpoint of step 8, inside an epoch, to its end."""
    gan, keeper = resume_worker.make("fictitious"), Keeper()
    checkpoint = kgg.callbacks.Checkpoint(folder, every=4)
    batches = kgg.datasets.gaussian_ring(seed=0).batches(16, steps_per_epoch=6)
    history = gan.fit(
        batches, epochs=3, verbose=0, callbacks=[keeper, checkpoint, *others]
    )
    return resume_worker.everything(gan, history.history), keeper.state


def main():
    """Trains and writes a model of every class."""
    folder = FOLDER / version.__version__
    folder.mkdir(parents=True, exist_ok=True)
    for kind in resume_worker.KINDS:
        path = folder / f"{kind}.keras"
        if path.exists():
            print(f"{path.name} exists and stays.")
            continue
        gan = resume_worker.make(kind)
        gan.fit(data(), batch_size=8, epochs=3, shuffle=False, verbose=0)
        gan.save(path)
        gan.save_weights(folder / f"{kind}.weights.h5")
        np.savez_compressed(folder / f"{kind}.npz", **results(gan))
        print(f"Wrote {path.name}")
    checkpoints = folder / "checkpoints"
    if checkpoints.exists():
        print(f"{checkpoints.name} exists and stays.")
        return
    with contextlib.suppress(KeyboardInterrupt):
        go_on(checkpoints, Interrupt())
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(checkpoints, copy, dirs_exist_ok=True)
        found, _ = go_on(copy)
    np.savez_compressed(folder / "checkpoints.npz", **found)


if __name__ == "__main__":
    main()
