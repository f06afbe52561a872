"""Trains a small classifier of digits or garments: features without a download.

    python examples/train_classifier.py --dataset=mnist
    python examples/train_classifier.py --dataset=fashion_mnist

About two minutes on two processor cores. Prints the accuracy on the test split, and
writes one .keras file that serves as

    the classifier of a ClassifierScore       (logits for images in [-1, 1])
    the extractor of the other metrics        (its 64 penultimate features)

The data set is downloaded, or read from --data_dir, a folder in which TensorFlow
Datasets has prepared it.
"""

import os
import pathlib
import sys
import time

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from absl import app, flags, logging

import keras_gamegan as kgg

FLAGS = flags.FLAGS
NUM_FEATURES = 64


def define_flags():
    """Defines the flags; called by who runs this file, not by who imports it."""
    flags.DEFINE_string("dataset", "fashion_mnist", "A TFDS data set of small images.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
    )
    flags.DEFINE_bool("download", True, "Whether TFDS may download what is not there.")
    flags.DEFINE_string(
        "output", None, "File to write; default: runs/classifiers/<dataset>.keras."
    )
    flags.DEFINE_integer("epochs", 6, "Passes through the training split.", 1)
    flags.DEFINE_integer("batch_size", 128, "Images in a batch.", 1)
    flags.DEFINE_integer("seed", 0, "Of weights, dropout and order.", 0)


def build(image_shape, num_classes, name):
    """Returns the network, images in [-1, 1] to logits.

    Args:
        image_shape: (height, width, channels), at least 12 x 12.
        num_classes: Number of logits.
        name: Name of the model, which metrics report.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(32, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(NUM_FEATURES, activation="relu", name="features"),
            layers.Dense(num_classes, name="logits"),
        ],
        name=name,
    )


def train(
    dataset,
    data_dir=None,
    epochs=6,
    batch_size=128,
    seed=0,
    download=True,
    num_images=None,
    verbose=1,
):
    """Trains a classifier; returns it and its accuracy on the test split.

    Args:
        dataset: Name of a TFDS data set with images and labels.
        data_dir: Folder of prepared data sets; None for TFDS's own.
        epochs: Passes through the training split.
        batch_size: Images in a batch.
        seed: Of weights, dropout and order.
        download: Whether TFDS may download what is not there.
        num_images: Use only the first so many images of each split; None for all.
        verbose: As in Keras' `fit`.
    """
    keras.utils.set_random_seed(seed)
    common = {
        "data_dir": data_dir,
        "with_labels": True,
        "download": download,
        "num_examples": num_images,
    }
    images, labels = kgg.datasets.load_arrays(dataset, "train", **common)
    stream = kgg.datasets.ShuffledStream(images, labels, batch_size, seed=seed)
    model = build(images.shape[1:], int(labels.max()) + 1, f"{dataset}_classifier")
    model.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                2e-3, decay_steps=epochs * stream.steps_per_epoch
            )
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(stream.epochs(), epochs=epochs, shuffle=False, verbose=verbose)
    test_images, test_labels = kgg.datasets.load_arrays(dataset, "test", **common)
    test_images = test_images.astype("float32") / 127.5 - 1.0
    results = model.evaluate(
        test_images, test_labels, batch_size=500, verbose=0, return_dict=True
    )
    return model, results["accuracy"]


def save(model, path):
    """Writes the model, without its optimizer, beside its place and moves it there."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".new-{path.name}")
    keras.Model(model.inputs, model.outputs, name=model.name).save(beside)
    os.replace(beside, path)


def main(argv):
    """Runs the example."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    path = pathlib.Path(FLAGS.output or f"runs/classifiers/{FLAGS.dataset}.keras")
    if path.suffix != ".keras":
        sys.exit(
            "train_classifier.py: --output must be a file that ends in .keras. "
            f"Received: --output={path}. Use --output={path}.keras."
        )
    if not FLAGS["verbosity"].present:  # TFDS has much to say.
        logging.set_verbosity(logging.WARNING)
    began = time.perf_counter()
    try:
        model, accuracy = train(
            FLAGS.dataset,
            FLAGS.data_dir,
            FLAGS.epochs,
            FLAGS.batch_size,
            FLAGS.seed,
            FLAGS.download,
        )
    except (FileNotFoundError, RuntimeError, ValueError) as error:
        sys.exit(f"train_classifier.py: {error}")
    save(model, path)
    seconds = time.perf_counter() - began
    print(
        f"Test accuracy: {accuracy:.4f} after {FLAGS.epochs} epochs, {seconds:.0f} s.\n"
        f"Wrote {path}\n\n"
        "    import keras, keras_gamegan as kgg\n"
        f'    classifier = keras.models.load_model("{path}")\n'
        "    extractor = kgg.metrics.penultimate_features(classifier)\n"
        '    fid = kgg.metrics.FrechetDistance(extractor, name="classifier_fid")\n'
        "    score = kgg.metrics.ClassifierScore(classifier)"
    )


if __name__ == "__main__":
    define_flags()
    app.run(main)
