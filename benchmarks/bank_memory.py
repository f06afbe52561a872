"""Memory of a history: capacity x (weights of the player) x bytes per value.

    python benchmarks/bank_memory.py --output=bank_memory.json

Trains a `FictitiousGAN` whose banks are full, saves it, loads it, exports its mixture
and measures the bytes of the banks' variables, the files, and the peak resident memory,
in one process for each (dtype, capacity) and another for loading: a peak does not go
down again. Files and peaks carry the model besides the banks, so capacity 1 of the same
dtype is subtracted. Prints a Markdown table; "x" is measured over expected. Raises if
the banks' own bytes exceed the formula by more than 2 %.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import memory
import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_list("capacities", ["1", "4", "16"], "Capacities; the first is the base.")
flags.DEFINE_list("dtypes", ["float32", "bfloat16", "float16"], "Dtypes of the banks.")
flags.DEFINE_integer("width", 1024, "Width of the hidden layers.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
flags.DEFINE_string("worker", None, '"train" or "load": one process of the benchmark.')
flags.DEFINE_string("folder", None, "Where the processes hand over the model.")

BATCH_SIZE = 16
TOLERANCE = 1.02
MEGABYTE = 1e6


def size_of(path):
    """Returns the bytes of a file, or of all files of a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def bank_bytes(gan):
    """Returns the bytes that both banks' variables hold."""
    banks = gan.generator_bank, gan.discriminator_bank
    return sum(
        tf.convert_to_tensor(v).numpy().nbytes for bank in banks for v in bank.weights
    )


def number_of_values(network):
    """Returns how many numbers a network's weights and state are."""
    return sum(int(np.prod(variable.shape)) for variable in network.weights)


def train(capacity, dtype):
    """Trains until the banks are full, saves and exports; returns what it measured."""
    folder = pathlib.Path(FLAGS.folder)
    pair = kgg.networks.mlp_pair(
        data_dim=2, latent_dim=16, width=FLAGS.width, depth=3, seed=0
    )
    gan = kgg.FictitiousGAN(
        *pair,
        history=kgg.History(capacity, interval=1, retention="fifo", dtype=dtype),
        seed=0,
    )
    gan.compile()
    built = bank_bytes(gan)
    ring = kgg.datasets.gaussian_ring(num_modes=8)
    gan.fit(ring.batches(BATCH_SIZE, steps_per_epoch=capacity + 2), verbose=0)
    assert gan.generator_bank.size == gan.discriminator_bank.size == capacity
    figures = {
        "generator_values": number_of_values(gan.generator),
        "discriminator_values": number_of_values(gan.discriminator),
        "built": built,
        "trained": bank_bytes(gan),
        "trained_peak": memory.peak(),
    }
    gan.save(folder / "model.keras")
    gan.save_weights(folder / "model.weights.h5")
    figures["saved"] = size_of(folder / "model.keras")
    figures["saved_weights"] = size_of(folder / "model.weights.h5")
    gan.export(folder / "sampler", source="mixture")
    figures["exported"] = size_of(folder / "sampler")
    return figures


def load():
    """Loads the model that `train` saved; returns what it measured."""
    gan = keras.models.load_model(pathlib.Path(FLAGS.folder) / "model.keras")
    return {"loaded": bank_bytes(gan), "loaded_peak": memory.peak()}


def measure(capacity, dtype):
    """Returns the figures of one capacity and dtype, from processes of their own."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for worker in ("train", "load"):
            finished = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    f"--worker={worker}",
                    f"--folder={folder}",
                    f"--capacities={capacity}",
                    f"--dtypes={dtype}",
                    f"--width={FLAGS.width}",
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if finished.returncode:
                raise RuntimeError(finished.stderr[-2000:])
            figures |= json.loads(finished.stdout.splitlines()[-1])
    players = figures["generator_values"] + figures["discriminator_values"]
    figures["expected"] = capacity * players * tf.as_dtype(dtype).size
    return figures


def line(dtype, capacity, figures, base):
    """Returns one line of the table: growth over the base, against the formula's."""
    expected = figures["expected"]
    cells = [f"{expected / MEGABYTE:.1f}"]
    cells += [f"{figures[key] / expected:.4f}" for key in ("trained", "loaded")]
    grown = expected - base["expected"]
    for key in ("saved", "saved_weights", "trained_peak", "loaded_peak"):
        growth = figures[key] - base[key]
        cells.append(
            f"{growth / MEGABYTE:.1f} (x {growth / grown:.2f})" if grown else "base"
        )
    # A sampler holds the generators alone, in the dtype they are stored in.
    sampler = (
        expected
        * figures["generator_values"]
        / (figures["generator_values"] + figures["discriminator_values"])
    )
    cells.append(
        f"{figures['exported'] / MEGABYTE:.1f} (x {figures['exported'] / sampler:.2f})"
    )
    return f"| {dtype} | {capacity} | {' | '.join(cells)} |"


def main(argv):
    """Measures everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    capacities = [int(capacity) for capacity in FLAGS.capacities]
    if FLAGS.worker:
        done = load() if FLAGS.worker == "load" else train(*capacities, *FLAGS.dtypes)
        print(json.dumps(done))
        return
    print(
        "| dtype | capacity | formula, MB | banks, trained | banks, loaded "
        "| .keras, MB | .weights.h5, MB | peak of training, MB | peak of loading, MB "
        "| exported mixture, MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    everything = []
    for dtype in FLAGS.dtypes:
        base = None
        for capacity in capacities:
            figures = measure(capacity, dtype)
            base = base or figures
            everything.append({"dtype": dtype, "capacity": capacity, **figures})
            print(line(dtype, capacity, figures, base), flush=True)
            for key in ("built", "trained", "loaded"):
                if figures[key] > TOLERANCE * figures["expected"]:
                    raise RuntimeError(
                        f"The banks hold {figures[key]} bytes where the formula says "
                        f"{figures['expected']} ({dtype}, capacity {capacity}, {key})."
                    )
    if FLAGS.output:
        text = json.dumps(everything, indent=1)
        pathlib.Path(FLAGS.output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app.run(main)
