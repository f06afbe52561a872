"""Small data sets with and without augmentation: Fréchet distances over seeds.

    python benchmarks/augmentation.py --data_dir=prepared --output=augmentation.json

Trains the same small DCGAN on a few hundred images of Fashion-MNIST, plain, with
DiffAugment and with adaptive augmentation, for equally many steps, and measures every
run against the whole test set in the features of a classifier of the training set.
"""

import json
import pathlib
import time

import keras
import numpy as np
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of prepared TFDS data sets.")
flags.DEFINE_string("output", "build/augmentation.json", "Where the numbers go.")
flags.DEFINE_integer("num_images", 500, "Images to train on.", 64)
flags.DEFINE_integer("num_steps", 3000, "Train steps of each run.", 1)
flags.DEFINE_integer("seeds", 3, "Seeds of each setting.", 1)
flags.DEFINE_float("penalty_weight", 0.0, "Of R1; 0: none.", 0.0)
flags.DEFINE_float("d_learning_rate", 5e-4, "Adam's for the discriminator.", 0.0)
flags.DEFINE_float("g_learning_rate", 1e-3, "Adam's for the generator.", 0.0)
flags.DEFINE_integer("base_filters", 16, "Of the networks.", 1)

SETTINGS = {
    "none": lambda: None,
    "diffaugment": lambda: kgg.augment.DiffAugment("translation,cutout"),
    "adaptive": lambda: kgg.augment.Adaptive(num_images=50_000),
}
flags.DEFINE_multi_enum(
    "augmentation", list(SETTINGS), list(SETTINGS), "What to run; may be repeated."
)
NUM_SAMPLES = 5000


def classifier(images, labels):
    """Returns the features of a small classifier of the whole training set."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, 2, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, 2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(images, labels, batch_size=128, epochs=3, verbose=0)
    return kgg.metrics.penultimate_features(model)


def train(augment, images, seed):
    """Returns (GAN, its logs)."""
    keras.backend.clear_session()
    pair = kgg.networks.dcgan_pair(
        (28, 28, 1), 32, base_filters=FLAGS.base_filters, seed=seed
    )
    gan = kgg.GAN(*pair, seed=seed, augment=augment, average_decay=0.99)
    gan.compile(
        keras.optimizers.Adam(FLAGS.d_learning_rate, 0.5),
        keras.optimizers.Adam(FLAGS.g_learning_rate, 0.5),
        penalty=kgg.penalties.R1(FLAGS.penalty_weight)
        if FLAGS.penalty_weight
        else None,
    )
    stream = kgg.datasets.ShuffledStream(images, batch_size=64, seed=seed)
    logs = gan.fit(
        stream.endless(), steps_per_epoch=FLAGS.num_steps, epochs=1, verbose=0
    )
    return gan, {name: values[-1] for name, values in logs.history.items()}


def main(argv):
    """Runs the settings and prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    load = {"data_dir": FLAGS.data_dir, "with_labels": True}
    images, labels = kgg.datasets.load_arrays("fashion_mnist", **load)
    test, _ = kgg.datasets.load_arrays("fashion_mnist", "test", **load)
    features = classifier(images / 127.5 - 1.0, labels)
    few = images[: FLAGS.num_images]
    results = []
    for name in FLAGS.augmentation:
        for seed in range(FLAGS.seeds):
            began = time.perf_counter()
            gan, logs = train(SETTINGS[name](), few, seed)
            seconds = time.perf_counter() - began
            distance = kgg.metrics.FrechetDistance(features)
            distance.update_real((test / 127.5 - 1.0).astype("float32"))
            distance.update_fake(gan.sample(NUM_SAMPLES, seed=0, source="average"))
            row = {"setting": name, "seed": seed, "seconds": seconds, **logs}
            row["frechet_distance"] = float(distance.result())
            results.append(row)
            print(
                f"{name:12} seed {seed}: {row['frechet_distance']:8.2f}  d_real "
                f"{row['d_real']:.2f}  {seconds:.0f} s",
                flush=True,
            )
    path = pathlib.Path(FLAGS.output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\n| augmentation | Fréchet distance | worst | d_real | s |")
    print("|---|---|---|---|---|")
    for name in FLAGS.augmentation:
        mine = [row for row in results if row["setting"] == name]
        found = [row["frechet_distance"] for row in mine]
        deviation = np.std(found, ddof=1) if len(found) > 1 else 0.0
        print(
            f"| {name} | {np.mean(found):.1f} ± {deviation:.1f} | {max(found):.1f} | "
            f"{np.mean([row['d_real'] for row in mine]):.2f} | "
            f"{np.mean([row['seconds'] for row in mine]):.0f} |"
        )


if __name__ == "__main__":
    app.run(main)
