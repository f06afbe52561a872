"""Writes the golden files of this version, which later versions must keep loading.

    python tests/conformance/golden.py

Run once for a version; a file that exists is never overwritten.
"""

import pathlib

import numpy as np
import resume_worker

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


if __name__ == "__main__":
    main()
