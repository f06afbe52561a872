"""What the evaluation metrics see and do not see, on samples made from real images.

    python benchmarks/metric_blind_spots.py --classifier=runs/fashion_mnist.keras

The classifier is what `examples/train_classifier.py` writes. Prints the two tables of
docs/evaluation.md: every metric on 2,000 images that are real, repeated, blurred or
noise; and the bias of the Fréchet and kernel distances at 100 to 10,000 samples.
"""

import keras
import numpy as np
import scipy.ndimage
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_string("classifier", None, "What examples/train_classifier.py wrote.")
flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
flags.DEFINE_integer("num_samples", 2000, "Images of the first table.", 100)
flags.DEFINE_integer("draws", 3, "Draws of the second table.", 2)
flags.mark_flag_as_required("classifier")

SHARE = 1000


def load(split):
    """Returns (images in [-1, 1], labels) of Fashion-MNIST."""
    images, labels = kgg.datasets.load_arrays(
        "fashion_mnist", split, data_dir=FLAGS.data_dir, with_labels=True
    )
    return images.astype("float32") / 127.5 - 1.0, labels


def degraded(images, labels, number):
    """Yields (name, images) of every way to be wrong."""
    generator = np.random.default_rng(0)
    order = generator.permutation(len(images))
    images, labels = images[order], labels[order]
    turns = np.arange(number)
    first = np.stack([images[labels == label][0] for label in range(10)])

    def noisy(deviation):
        noise = generator.normal(0, deviation, images[:number].shape)
        return np.clip(images[:number] + noise, -1, 1).astype("float32")

    yield "other real images", images[:number]
    yield "five of the ten classes", images[labels < 5][:number]
    yield "100 images, repeated", images[:100][turns % 100]
    yield "one image of each class, repeated", first[turns % 10]
    blurred = scipy.ndimage.gaussian_filter(images[:number], (0, 1, 1, 0))
    yield "blurred by 1 pixel", blurred
    yield "noise of 0.1 added", noisy(0.1)
    yield "noise of 0.3 added", noisy(0.3)
    shape = images[:number].shape
    yield "uniform noise", generator.uniform(-1, 1, shape).astype("float32")


def measured(metric, real, fake):
    """Returns the metric's details on these images."""
    if metric.needs_real:
        for begin in range(0, len(real), SHARE):
            metric.update_real(real[begin : begin + SHARE])
    for begin in range(0, len(fake), SHARE):
        metric.update_fake(fake[begin : begin + SHARE])
    return metric.details()


def kernel_distance(extractor, number):
    """Returns a kernel distance of so many samples a side."""
    return kgg.metrics.KernelDistance(
        extractor, max_samples=number, max_block_size=min(number, 500)
    )


def main(argv):
    """Prints both tables."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    classifier = keras.models.load_model(FLAGS.classifier)
    extractor = kgg.metrics.penultimate_features(classifier)
    (images, labels), (real, _) = load("train"), load("test")
    number = FLAGS.num_samples
    print(
        "| samples | Fréchet | kernel ± standard error | score | precision | recall |"
    )
    print("|---|---|---|---|---|---|")
    for name, fake in degraded(images, labels, number):
        distance = measured(kgg.metrics.FrechetDistance(extractor), real, fake)
        kernel = measured(kernel_distance(extractor, number), real[:number], fake)
        shares = kgg.metrics.PrecisionRecall(extractor, max_samples=number)
        shares = measured(shares, real[:number], fake)
        score = measured(kgg.metrics.ClassifierScore(classifier), (), fake)
        print(
            f"| {name} | {distance['value']:.2f} | {kernel['value']:.3f} ± "
            f"{kernel['standard_error']:.3f} | {score['value']:.2f} | "
            f"{shares['precision']:.2f} | {shares['recall']:.2f} |",
            flush=True,
        )
    print("\n| samples | Fréchet | kernel |\n|---|---|---|")
    generator = np.random.default_rng(1)
    for size in (100, 250, 500, 1000, 2000, 5000, 10_000):
        draws = [
            images[generator.permutation(len(images))[:size]]
            for _ in range(FLAGS.draws)
        ]
        side = min(size, 2000)
        columns = [
            [
                measured(kgg.metrics.FrechetDistance(extractor), real, draw)["value"]
                for draw in draws
            ],
            [
                measured(kernel_distance(extractor, side), real[:side], draw[:side])[
                    "value"
                ]
                for draw in draws
            ],
        ]
        cells = " | ".join(f"{np.mean(c):.3f} ± {np.std(c):.3f}" for c in columns)
        print(f"| {size} | {cells} |", flush=True)


if __name__ == "__main__":
    app.run(main)
