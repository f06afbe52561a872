"""Domain-adversarial training: a classifier for digits that nobody has labelled.

    python examples/domain_adaptation.py --output_dir=runs/domains

The source is MNIST with its labels; the target is MNIST at half the contrast under an
uneven light, without labels. A network that classifies the source (the minimiser) hides
from a second one (the maximiser) which domain its features come from. It first
learns the source alone, and then goes on with and without that game; the accuracy on
the target is printed and drawn.

Ganin et al.: "Domain-Adversarial Training of Neural Networks", 2016.
"""

import pathlib
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import app, flags
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.games import schemes

UPDATES = ("none", "alternating", "duality_gap", "fictitious_play")
FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this script."""
    flags.DEFINE_multi_enum(
        "updates",
        ["none", "alternating"],
        UPDATES,
        "How it is trained; may be repeated.",
    )
    flags.DEFINE_integer(
        "steps", 312, "Train steps on the source, and then of the game.", lower_bound=1
    )
    flags.DEFINE_integer("batch_size", 64, "Examples of each domain.", lower_bound=1)
    flags.DEFINE_float("weight", 0.1, "Weight of the domain game.", lower_bound=0.0)
    flags.DEFINE_integer(
        "num_examples", 10000, "Training images of each domain.", lower_bound=1
    )
    flags.DEFINE_multi_integer("seed", [0], "Seeds; may be repeated.", lower_bound=0)
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
    )
    flags.DEFINE_string("output_dir", "runs/domains", "Where the picture goes.")


def shifted(images: np.ndarray, seed: int) -> np.ndarray:
    """Returns images at half the contrast, each under an uneven light of its own."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(size=(len(images), 2, 2, 1)).astype("float32")
    light = np.array(tf.image.resize(corners, images.shape[1:3], "bilinear"))
    return np.clip(0.5 * images + 0.5 * light, 0.0, 1.0)


def load(split: str, number: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns (images in [0, 1], labels) of MNIST."""
    dataset = tfds.load(
        "mnist", split=split, data_dir=FLAGS.data_dir, as_supervised=True
    )
    if number is not None:
        dataset = dataset.take(number)
    images, labels = next(iter(dataset.batch(100_000)))
    return images.numpy().astype("float32") / 255.0, labels.numpy()


def classifier(seed: int) -> keras.Model:
    """Returns the minimiser: an image -> logits of ten classes, and features."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(16, 5, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(32, 5, strides=2, padding="same", activation="relu")(x)
    x = layers.LayerNormalization()(layers.Dense(64)(layers.Flatten()(x)))
    features = layers.ReLU()(x)
    return keras.Model(
        image, {"logits": layers.Dense(10)(features), "features": features}
    )


def domain_critic() -> keras.Model:
    """Returns the maximiser: features -> the logit of being from the source."""
    return keras.Sequential(
        [keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(1)]
    )


@keras.saving.register_keras_serializable(package="examples")
class DomainGame:
    """The error on the source plus what the critic knows of the domains.

    M = cross-entropy(source) + weight (E log D(source) + E log (1 - D(target))).

    Args:
        weight: Weight of the critic's term, >= 0.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def value(self, minimizer: Any, maximizer: Any, batch: dict) -> tf.Tensor:
        """Returns M of every pair of a source and a target image, (n,)."""
        source, target = minimizer(batch["source"]), minimizer(batch["target"])
        error = keras.losses.sparse_categorical_crossentropy(
            batch["label"], source["logits"], from_logits=True
        )
        known = -tf.nn.softplus(-maximizer(source["features"])[:, 0])
        known -= tf.nn.softplus(maximizer(target["features"])[:, 0])
        return error + self.weight * known

    def get_config(self) -> dict[str, float]:
        """Returns the constructor's arguments."""
        return {"weight": self.weight}


def scheme_of(updates: str) -> str | schemes.Scheme:
    """Returns the scheme of a value of --updates."""
    if updates == "duality_gap":
        response = kgg.BestResponse(1, "sgd", learning_rate=0.01)
        return schemes.DualityGap(response)
    if updates == "fictitious_play":
        return schemes.FictitiousPlay(kgg.History(5, interval=20, side="maximizer"))
    return "alternating"


def accuracy(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of images that a classifier names rightly."""
    logits = network.predict(images, batch_size=500, verbose=0)["logits"]
    return float(np.mean(logits.argmax(axis=1) == labels))


def fit(network: keras.Model, updates: str, rate: float, data: dict, seed: int) -> None:
    """Trains a classifier for `--steps` steps; "none" is on the source alone."""
    weight = 0.0 if updates == "none" else FLAGS.weight
    model = kgg.TwoPlayerModel(
        network,
        domain_critic(),
        DomainGame(weight),
        updates=scheme_of(updates),
        seed=seed,
    )
    model.compile(keras.optimizers.Adam(rate), keras.optimizers.Adam(1e-3))
    model.fit(data, batch_size=FLAGS.batch_size, steps_per_epoch=FLAGS.steps, verbose=0)


def train(data: dict, tests: dict, seed: int) -> dict[str, dict[str, float]]:
    """Returns accuracies and seconds of every way to go on from one classifier.

    It knows the source before the game begins: features that mean nothing yet can be
    brought together in any way, and mostly are in a wrong one.
    """
    network = classifier(seed)
    fit(network, "none", 1e-3, data, seed)
    begun, table = network.get_weights(), {}
    for updates in FLAGS.updates:
        network.set_weights(begun)
        started = time.perf_counter()
        fit(network, updates, 2e-4, data, seed)
        seconds = time.perf_counter() - started
        found = {name: accuracy(network, *each) for name, each in tests.items()}
        table[updates] = {**found, "seconds": seconds}
        print(
            f"{updates}, seed {seed}: accuracy on the source {found['source']:.3f}, "
            f"on the target {found['target']:.3f}, {seconds:.0f} s",
            flush=True,
        )
    return table


def draw(tests: dict, table: dict, path: pathlib.Path) -> None:
    """Draws images of both domains, and the accuracies."""
    from matplotlib import figure

    picture = figure.Figure(figsize=(9, 3), layout="constrained")
    left, right = picture.subfigures(1, 2, width_ratios=(3, 2))
    axes = left.subplots(2, 6)
    for row, (name, (images, _)) in zip(axes, tests.items(), strict=True):
        row[0].set_title(name, loc="left")
        for axis, image in zip(row, images, strict=False):
            axis.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
            axis.axis("off")
    bars = right.subplots()
    names = list(table)
    means = [np.mean([run["target"] for run in table[name]]) for name in names]
    bars.barh(names, means, color="tab:blue")
    for place, mean in enumerate(means):
        bars.text(mean - 0.02, place, f"{mean:.2f}", ha="right", va="center", color="w")
    bars.set(xlim=(0, 1), title="accuracy on the target")
    bars.invert_yaxis()
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=120)


def main(argv: list[str]) -> None:
    """Trains in every way that was asked for, and says what came of it."""
    del argv
    images, labels = load("train", 2 * FLAGS.num_examples)
    half = len(images) // 2
    images, labels = images[: 2 * half], labels[: 2 * half]
    data = {
        "source": images[:half],
        "label": labels[:half],
        "target": shifted(images[half:], seed=1),
    }
    images, labels = load("test")
    tests = {
        "source": (images, labels),
        "target": (shifted(images, seed=2), labels),
    }
    runs = [train(data, tests, seed) for seed in FLAGS.seed]
    table = {name: [run[name] for run in runs] for name in FLAGS.updates}
    path = pathlib.Path(FLAGS.output_dir) / "domain_adaptation.png"
    draw(tests, table, path)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
