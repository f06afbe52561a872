"""Persistent best responses on Fashion-MNIST, at equal wall-clock.

    python examples/train_classifier.py --dataset=fashion_mnist --output=c.keras
    python benchmarks/persistent_images.py --classifier=c.keras

As `persistent_ring.py`, whose flags and settings these are: the steps of all settings
are timed in turns, then each trains for the time of `--plain_steps` steps of the plain
GAN, one run each. Prints the Fréchet distance on the classifier's features of 2,048
samples, and the logged gap beside that of a search of `--search_steps` steps on other
data.
"""

import json
import pathlib
import time

import keras
import numpy as np
import persistent_ring
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.measuring import gan_gap

FLAGS = flags.FLAGS
flags.DEFINE_string("classifier", None, "File of the classifier.", required=True)
flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")

BATCH_SIZE = 64
NAMES = (
    "persistent, k=1, pull 0.2",
    "persistent, k=1, pull 0.5",
    "current, k=1",
    "current, k=5",
    "current, k=10",
    persistent_ring.PLAIN,
)


def images(split, number):
    """Returns that many images in [-1, 1]."""
    found = kgg.datasets.load_arrays(
        "fashion_mnist", split, data_dir=FLAGS.data_dir, num_examples=number
    )
    return (found / 127.5 - 1.0).astype("float32")


def build(response):
    """Returns a compiled model."""
    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=64, base_filters=16, seed=0)
    if response is None:
        gan = kgg.GAN(*pair, updates="simultaneous", average_decay=0.99, seed=0)
    else:
        # The default 1e-3 of the searches is too much for these networks.
        config = {**response.get_config(), "learning_rate": 2e-4}
        response = kgg.BestResponse.from_config(config)
        gan = kgg.DualityGapGAN(
            *pair, best_response=response, average_decay=0.99, seed=0
        )
    gan.compile(*(keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)))
    return gan


def train(response, num_steps, real, held_out, classifier):
    """Trains once; returns the figures."""
    gan = build(response)
    stream = kgg.datasets.ShuffledStream(real, None, BATCH_SIZE, seed=0)
    estimator = gan_gap.GapEstimator(
        gan,
        held_out[:2048],
        held_out[2048:5248],
        FLAGS.search_steps,
        learning_rate=2e-4,
        batch_size=BATCH_SIZE,
    )
    figures = {"logged": [], "searched": [], "minimax": []}
    began = time.perf_counter()
    for _ in range(FLAGS.measurements):
        last = {}
        for steps in (num_steps // FLAGS.measurements - FLAGS.window, FLAGS.window):
            batches = stream.endless(start_step=gan.num_steps)
            last = gan.fit(batches, steps_per_epoch=steps, verbose=0).history
        trained = time.perf_counter() - began
        estimate = estimator(seed=0)
        figures["logged"].append(last.get("duality_gap", [np.nan])[-1])
        figures["searched"].append(float(estimate.gap))
        figures["minimax"].append(float(estimate.minimax))
    figures |= {"steps": gan.num_steps, "seconds": trained}
    extractor = kgg.metrics.penultimate_features(classifier)
    for source in ("current", "average"):
        distance = kgg.metrics.FrechetDistance(extractor)
        distance.update_state(held_out[-2048:], gan.sample(2048, 0, source))
        figures[source] = float(distance.result())
    return figures


def main(argv):
    """Runs everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    classifier = keras.models.load_model(FLAGS.classifier)
    real, held_out = images("train", 20_000), images("test", 10_000)
    every = persistent_ring.settings()
    named = {name: every[name] for name in NAMES}
    times = persistent_ring.milliseconds(named, build, real[:BATCH_SIZE], 5)
    budget = FLAGS.plain_steps * times[persistent_ring.PLAIN]
    print("| setting | ms a step | steps | FID | average: FID | logged | searched |")
    print("|---" * 7 + "|", flush=True)
    everything = {"milliseconds": times}
    for name, response in named.items():
        found = train(response, int(budget / times[name]), real, held_out, classifier)
        everything[name] = found
        cells = [name, f"{times[name]:.1f}", str(found["steps"])]
        cells += [f"{found[source]:.0f}" for source in ("current", "average")]
        for kind in ("logged", "searched"):
            cells.append(", ".join(f"{gap:.2f}" for gap in found[kind]))
        print(f"| {' | '.join(cells)} |", flush=True)
        if FLAGS.output:
            pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
