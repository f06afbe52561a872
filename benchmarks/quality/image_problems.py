"""Sets of images to learn, and how well samples match one: a classifier judges."""

import dataclasses
import functools
import os

import image_networks
import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

# Samples of which modes are counted, as in the literature; and of a distance.
MODE_SAMPLES = 26_000
DISTANCE_SAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class ImageProblem:
    """A set of images, or of stacks of digits.

    Attributes:
        name: Of its TFDS data set, or of the folder in `data_dir` that has a folder of
            image files for each class, of which every fifth is kept for the test.
        side: Of an image, in pixels.
        stacked: Whether three images are the channels of one.
        files: Whether these are files.
        epochs: Of the classifier's training.
    """

    name: str
    side: int = 28
    stacked: bool = False
    files: bool = False
    epochs: int = 6

    @property
    def image_shape(self):
        """(height, width, channels)."""
        return self.side, self.side, 3 if self.stacked or self.files else 1

    @property
    def measure(self):
        """What ranks runs, the less the better."""
        return "reverse_kl" if self.stacked else "fid"

    def dataset(self, split, batch_size, data_dir=None, with_labels=False):
        """Returns a `tf.data.Dataset` of one epoch."""
        if self.files:
            images, labels = _read(os.path.join(data_dir or "", self.name), self.side)
            tested = np.arange(len(images)) % 5 == 0
            taken = tested if split == "test" else ~tested
            given = [images[taken], *([labels[taken]] if with_labels else [])]
            return kgg.datasets.ShuffledStream(*given, batch_size=batch_size).epochs()
        common = {"split": split, "data_dir": data_dir, "with_labels": with_labels}
        if self.stacked:
            return kgg.datasets.stacked_mnist(self.side, batch_size, **common)
        return kgg.datasets.load_images(self.name, batch_size=batch_size, **common)

    def single(self, images, labels):
        """Returns the single images in a batch, and their classes."""
        if not self.stacked:
            return images, labels
        digits = tf.stack([labels // 100, labels // 10 % 10, labels % 10])
        return channels(images), tf.reshape(digits, (-1,))

    def score(self, samples, judge):
        """Returns {name: number} of samples.

        Args:
            samples: Array (number, height, width, channels) in [-1, 1].
            judge: A `Judge` of this problem.
        """
        found = {}
        if self.stacked:
            stacked = kgg.metrics.stacked_classifier(judge.classifier)
            coverage = kgg.metrics.ClassCoverage(stacked)
            for batch in _batches(samples):
                coverage.update_state(batch)
            found = {name: float(value) for name, value in coverage.result().items()}
            del found["kl"]  # Infinite as soon as a mode is missing.
        distance = kgg.metrics.FrechetDistance(
            kgg.metrics.penultimate_features(judge.classifier),
            preprocess=channels if self.stacked else None,
        )
        distance.set_state(judge.real)
        for batch in _batches(samples[:DISTANCE_SAMPLES]):
            distance.update_fake(batch)
        return {**found, "fid": float(distance.result())}


@functools.cache
def _read(folder, side):
    """Returns the images of a folder, in [-1, 1], and their classes."""
    batches = kgg.datasets.load_folder(
        folder,
        side,
        labels="subfolders",
        shuffle=False,
        drop_remainder=False,
    )
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


PROBLEMS = {
    # A stack holds three digits, so two epochs of stacks are six of digits.
    "stacked 14": ImageProblem("mnist", 14, stacked=True, epochs=2),
    "stacked 28": ImageProblem("mnist", 28, stacked=True, epochs=2),
    "mnist": ImageProblem("mnist"),
    "fashion": ImageProblem("fashion_mnist"),
    "sprites": ImageProblem("sprites", 32, files=True, epochs=40),
}


@dataclasses.dataclass(frozen=True)
class Judge:
    """What judges the samples of a problem.

    Attributes:
        classifier: Of single images.
        accuracy: Its share of right answers on the test split.
        real: The state of a `FrechetDistance` that has seen the test split.
    """

    classifier: keras.Model
    accuracy: float
    real: dict


def channels(images):
    """Returns the channels of images as images, (3 * batch, height, width, 1)."""
    return tf.concat(tf.split(images, 3, axis=-1), axis=0)


def _batches(samples):
    return np.array_split(samples, -(-len(samples) // 1000))


def path_of(problem, folder):
    """Returns the path of a problem's classifier."""
    return os.path.join(folder, f"{problem.name}_{problem.side}.keras")


def train_classifier(problem, folder, data_dir=None):
    """Trains the classifier of a problem's images unless its file is there."""
    path = path_of(problem, folder)
    if os.path.exists(path):
        return
    os.makedirs(folder, exist_ok=True)
    keras.utils.set_random_seed(0)
    train = problem.dataset("train", 128, data_dir, with_labels=True)
    channels_of_one = 1 if problem.stacked else problem.image_shape[2]
    shape = (*problem.image_shape[:2], channels_of_one)
    classifier = image_networks.classifier(shape, 0, f"{problem.name}_{problem.side}")
    rate = keras.optimizers.schedules.CosineDecay(2e-3, problem.epochs * len(train))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    data = train.map(problem.single)
    classifier.fit(data, epochs=problem.epochs, shuffle=False, verbose=0)
    beside = os.path.join(folder, f"new_{os.path.basename(path)}")
    classifier.save(beside)
    os.replace(beside, path)


@functools.cache
def judge_of(name, folder, data_dir=None):
    """Returns the `Judge` of a problem whose classifier is trained."""
    problem = PROBLEMS[name]
    classifier = keras.models.load_model(path_of(problem, folder), compile=False)
    extractor = kgg.metrics.penultimate_features(classifier)
    distance, right = kgg.metrics.FrechetDistance(extractor), []
    test = problem.dataset("test", 400, data_dir, with_labels=True)
    for images, labels in test.map(problem.single):
        distance.update_real(images)
        found = np.argmax(classifier.predict_on_batch(images), axis=1)
        right.append(np.mean(found == labels.numpy()))
    real = {
        key: value
        for key, value in distance.get_state().items()
        if key.startswith("real")
    }
    return Judge(classifier, float(np.mean(right)), real)
