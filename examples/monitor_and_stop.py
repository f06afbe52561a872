"""Trains on Fashion-MNIST until it stops getting better, by itself, and says why.

    python examples/monitor_and_stop.py --output_dir=runs/monitor_and_stop

During training the gap, the minimax value and the Fréchet distance in the features of a
small classifier are measured once an epoch on held-out images. When the minimax value
(--monitor), which judges the generator, has stopped improving, the run ends by itself
with the best epoch's weights. The output folder gets

    monitor.png      gap, minimax value and Fréchet distance over the epochs
    final.png        samples of the restored generator
    history.csv      the figures, a line for each epoch
    samples/         generated images of every epoch, always from the same latents
    checkpoints/     the same command goes on exactly where it was killed
    model.keras      everything, for keras.models.load_model
    sampler/1/       a SavedModel that samples without this library

The classifier is that of examples/train_classifier.py; it is trained first if
--classifier does not exist. Needs matplotlib.
"""

import csv
import os
import pathlib
import sys
from typing import NamedTuple

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
import train_classifier
from absl import app, flags, logging

import keras_gamegan as kgg
from keras_gamegan.command_line import run_folder

FLAGS = flags.FLAGS
DATASET = "fashion_mnist"
GAP, MINIMAX, FID = "val_duality_gap", "val_minimax", "classifier_fid"
# Settings that make the run what it is: the same folder wants the same of these.
SETTINGS = (
    "method",
    "steps_per_epoch",
    "batch_size",
    "base_filters",
    "num_images",
    "num_held_out",
    "num_samples",
    "gap_steps",
    "monitor",
    "smoothing",
    "min_delta",
    "seed",
)


def define_flags():
    """Defines the flags; called by who runs this file, not by who imports it."""
    flags.DEFINE_string("output_dir", "runs/monitor_and_stop", "Folder of the run.")
    flags.DEFINE_string(
        "classifier",
        f"runs/classifiers/{DATASET}.keras",
        "File of the classifier; trained and written if it does not exist.",
    )
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
    )
    flags.DEFINE_bool("download", True, "Whether TFDS may download what is not there.")
    flags.DEFINE_enum("method", "gan", ["gan", "duality_gap", "fictitious"], "Trainer.")
    flags.DEFINE_integer("epochs", 100, "Epochs at most.", 1)
    flags.DEFINE_integer("steps_per_epoch", 200, "Train steps of an epoch.", 1)
    flags.DEFINE_integer("batch_size", 64, "Images in a batch.", 1)
    flags.DEFINE_integer("base_filters", 16, "Filters of the outermost level.", 1)
    flags.DEFINE_integer("num_images", None, "Training images; default: all.", 1)
    flags.DEFINE_integer(
        "num_held_out",
        2000,
        "Test images to find worst players on; as many to score.",
        1,
    )
    flags.DEFINE_integer("num_samples", 2000, "Samples for the Fréchet distance.", 65)
    flags.DEFINE_integer("gap_steps", 100, "Steps of the search for worst players.", 1)
    flags.DEFINE_enum(
        "monitor", MINIMAX, [MINIMAX, GAP, f"average_{FID}"], "What has to improve."
    )
    flags.DEFINE_integer("patience", 8, "Epochs without improvement to wait.", 1)
    flags.DEFINE_float("smoothing", 0.7, "Weight of the past in what is watched.", 0.0)
    flags.DEFINE_float("min_delta", 0.01, "Smallest improvement that counts.", 0.0)
    flags.DEFINE_integer("classifier_epochs", 6, "Epochs of the classifier.", 1)
    flags.DEFINE_integer("seed", 0, "Of weights, latents, draws and order.", 0)


class Data(NamedTuple):
    """Images of the run, the held-out ones in [-1, 1] and disjoint.

    Attributes:
        stream: `ShuffledStream` to train on.
        finding: Images that worst players are found on.
        scoring: Images that they are scored on.
        real: Images that samples are compared with.
    """

    stream: kgg.datasets.ShuffledStream
    finding: np.ndarray
    scoring: np.ndarray
    real: np.ndarray


def load_data():
    """Returns the `Data`."""
    common = {"data_dir": FLAGS.data_dir, "download": FLAGS.download}
    images = kgg.datasets.load_arrays(
        DATASET, "train", num_examples=FLAGS.num_images, **common
    )
    test = kgg.datasets.load_arrays(DATASET, "test", **common)
    if len(test) < 3 * FLAGS.num_held_out:
        raise ValueError(
            "--num_held_out must be at most a third of the test images. Received: "
            f"--num_held_out={FLAGS.num_held_out} of {len(test)}. Use fewer."
        )
    held_out = np.split(
        test.astype("float32") / 127.5 - 1.0,
        [FLAGS.num_held_out, 2 * FLAGS.num_held_out],
    )
    stream = kgg.datasets.ShuffledStream(
        images, None, FLAGS.batch_size, seed=FLAGS.seed
    )
    return Data(stream, *held_out)


def load_classifier():
    """Returns the classifier, trained now if its file does not exist."""
    path = pathlib.Path(FLAGS.classifier)
    if not path.exists():
        print(f"Training the classifier {path} first.")
        model, accuracy = train_classifier.train(
            DATASET, FLAGS.data_dir, FLAGS.classifier_epochs, download=FLAGS.download
        )
        train_classifier.save(model, path)
        print(f"Its test accuracy is {accuracy:.4f}.")
    return keras.models.load_model(path)


def build(image_shape):
    """Returns the GAN, compiled."""
    pair = kgg.networks.dcgan_pair(
        image_shape, latent_dim=64, base_filters=FLAGS.base_filters, seed=FLAGS.seed
    )
    if FLAGS.method == "duality_gap":
        response = kgg.BestResponse(1, "player")
        gan = kgg.DualityGapGAN(*pair, best_response=response, seed=FLAGS.seed)
    elif FLAGS.method == "fictitious":
        gan = kgg.FictitiousGAN(*pair, history=kgg.History(5, 100), seed=FLAGS.seed)
    else:
        gan = kgg.GAN(*pair, seed=FLAGS.seed)
    gan.compile()
    return gan


def make_callbacks(data, extractor, folder):
    """Returns the callbacks by name, in order: who logs before who reads the logs."""
    return {
        "monitor": kgg.callbacks.DualityGapMonitor(
            data.finding, data.scoring, num_steps=FLAGS.gap_steps, batch_size=100
        ),
        "evaluate": kgg.callbacks.Evaluate(
            kgg.metrics.FrechetDistance(extractor, name=FID),
            FLAGS.num_samples,
            source=["current", "average"],
            real_data=data.real,
        ),
        "detector": kgg.callbacks.FailureDetector(),
        "stop": kgg.callbacks.GapEarlyStopping(
            FLAGS.monitor,
            patience=FLAGS.patience,
            min_delta=FLAGS.min_delta,
            smoothing=FLAGS.smoothing,
            restore_best_weights=True,
        ),
        "grid": kgg.callbacks.SampleGrid(folder.samples, source="average"),
        "csv": keras.callbacks.CSVLogger(str(folder.history), append=True),
        "checkpoint": kgg.callbacks.Checkpoint(folder.checkpoints),
    }


def read_history(path):
    """Returns {column: list of numbers} of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def smoothed(values, weight):
    """Returns the exponential average that the early stopping looks at."""
    averages = [values[0]]
    for value in values[1:]:
        averages.append(weight * averages[-1] + (1.0 - weight) * value)
    return averages


def draw(history, stop, optimum, path):
    """Draws the three figures over the epochs, one above the other."""
    import matplotlib

    matplotlib.use("Agg")  # Pictures go into files, whatever screen there is.
    import matplotlib.pyplot as plt

    epochs = np.arange(1, len(history[GAP]) + 1)
    figure, axes = plt.subplots(3, 1, figsize=(7.5, 8), sharex=True)
    for axis, name, label in (
        (axes[0], GAP, "duality gap"),
        (axes[1], MINIMAX, "minimax value"),
    ):
        measured = {"color": "black", "marker": "o", "markersize": 3.5, "lw": 0.6}
        axis.plot(epochs, history[name], label="measured", **measured)
        if name == stop.monitor and stop.smoothing:
            means = smoothed(history[name], stop.smoothing)
            label_means = f"smoothed (weight of the past {stop.smoothing:g}): watched"
            axis.plot(epochs, means, color="black", lw=2.2, label=label_means)
        axis.set_ylabel(label)
    axes[1].axhline(optimum, color="0.5", ls=":", label=f"best possible: {optimum:.3f}")
    for source, style in (("current", "-"), ("average", "--")):
        values = history[f"{source}_{FID}"]
        axes[2].plot(epochs, values, style, color="black", label=f"{source} generator")
    axes[2].set(ylabel="classifier Fréchet distance", yscale="log", xlabel="epoch")
    # 200, not 2 x 10^2.
    axes[2].yaxis.set_major_formatter("{x:g}")
    axes[2].yaxis.set_minor_formatter("{x:g}")
    for axis in axes:
        if stop.restore_best_weights:
            axis.axvline(stop.best_epoch + 1, color="0.5", ls="-.", lw=1)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[0].set_title(
        f"Dash-dotted: epoch {stop.best_epoch + 1}, whose weights were restored",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def explain(history, callbacks, final):
    """Returns in plain words what `GapEarlyStopping` does not say itself.

    Args:
        history: What `read_history` returned.
        callbacks: What `make_callbacks` returned, after training.
        final: Fréchet distances of the restored generators, by source.
    """
    stop, number = callbacks["stop"], len(history[GAP])
    best = stop.best_epoch
    ended = ""
    if stop.stopped_epoch is None:
        ended = (
            f"--epochs={FLAGS.epochs} ended the run before {stop.monitor} had gone "
            f"{stop.patience} epochs without improvement.\n"
        )
    distances = history[f"average_{FID}"]
    lowest = int(np.argmin(distances))
    after = "; ".join(f"{source} {value:.2f}" for source, value in final.items())
    costs = {name: 100.0 * callbacks[name].cost for name in ("monitor", "evaluate")}
    return "\n".join(
        [
            f"{ended}Restored: the weights of epoch {best + 1} of {number} (gap "
            f"{history[GAP][best]:.4f}, minimax value {history[MINIMAX][best]:.4f}).",
            f"Fréchet distance of the restored generators: {after} (averaged generator "
            f"at its lowest: {distances[lowest]:.2f}, epoch {lowest + 1}).",
            f"Share of the time: gap {costs['monitor']:.0f} %, Fréchet distance "
            f"{costs['evaluate']:.0f} %.",
        ]
    )


def measure(gan, metric, seed=1):
    """Returns the metric of the current and the averaged generator."""
    values = {}
    for source in ("current", "average"):
        metric.reset_fake()
        metric.update_fake(gan.sample(FLAGS.num_samples, seed=seed, source=source))
        values[source] = float(metric.result())
    return values


def main(argv):
    """Runs the example."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    if not FLAGS["verbosity"].present:  # TFDS and exports have much to say.
        logging.set_verbosity(logging.WARNING)
        tf.get_logger().setLevel("WARNING")
    folder = run_folder.RunFolder(FLAGS.output_dir)
    try:
        data = load_data()
        gan = build(data.real.shape[1:])
        folder.claim({name: FLAGS[name].value for name in SETTINGS})
        extractor = kgg.metrics.penultimate_features(load_classifier())
        callbacks = make_callbacks(data, extractor, folder)
        position = callbacks["checkpoint"].resume(gan)
    except (FileNotFoundError, RuntimeError, ValueError) as error:
        sys.exit(f"monitor_and_stop.py: {error}")
    folder.trim_history(0 if position is None else position.epoch)
    try:
        gan.fit(
            data.stream.endless(),
            epochs=FLAGS.epochs,
            steps_per_epoch=FLAGS.steps_per_epoch,
            verbose=2,
            callbacks=list(callbacks.values()),
        )
    except kgg.NonFiniteError as error:
        sys.exit(f"monitor_and_stop.py: {error}")
    history = read_history(folder.history)
    final = measure(gan, callbacks["evaluate"].metrics[0])
    draw(history, callbacks["stop"], gan.payoff.optimum, folder.path / "monitor.png")
    grid = kgg.callbacks.image_grid(gan.sample(100, seed=0, source="average"))
    tf.io.write_file(str(folder.path / "final.png"), tf.io.encode_png(grid))
    folder.save(gan, "average")
    print(f"\n{explain(history, callbacks, final)}\nWrote {folder.path}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
