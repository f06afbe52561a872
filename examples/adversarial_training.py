"""A classifier against a network that perturbs its images.

    python examples/adversarial_training.py --output_dir=runs/attacks

The minimiser names digits; the maximiser adds to every image a perturbation of at most
epsilon a pixel that is to make it fail. Trained with and without that game, the
classifier is tested on clean images, against the attacker it was trained with, earlier
ones that a history kept, a fresh attacker, and projected gradient ascent.
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
TESTS = ("clean", "live attacker", "earlier attackers", "fresh attacker", "gradient")
FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags of this script."""
    flags.DEFINE_multi_enum(
        "updates",
        ["none", "alternating"],
        UPDATES,
        "How it is trained; may be repeated.",
    )
    flags.DEFINE_integer("steps", 600, "Train steps.", lower_bound=1)
    flags.DEFINE_integer(
        "attack_steps", 300, "Steps of the fresh attacker.", lower_bound=1
    )
    flags.DEFINE_integer("batch_size", 64, "Examples in a batch.", lower_bound=1)
    flags.DEFINE_float("epsilon", 0.2, "Largest change of a pixel in [0, 1].", 0.0, 1.0)
    flags.DEFINE_integer("num_examples", 20000, "Training images.", lower_bound=1)
    flags.DEFINE_multi_integer("seed", [0], "Seeds; may be repeated.", lower_bound=0)
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
    )
    flags.DEFINE_string("output_dir", "runs/attacks", "Where the picture goes.")


def load(split: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (images in [0, 1], labels) of MNIST."""
    dataset = tfds.load(
        "mnist", split=split, data_dir=FLAGS.data_dir, as_supervised=True
    )
    images, labels = next(iter(dataset.take(number).batch(number)))
    return images.numpy().astype("float32") / 255.0, labels.numpy()


def classifier() -> keras.Model:
    """Returns the minimiser: an image -> logits of ten classes."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 5, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )


def attacker() -> keras.Model:
    """Returns the maximiser: an image -> a perturbation, about 1 in size.

    A tanh in the end would saturate: an attacker that has once gone all the way in a
    pixel cannot turn round, and the classifier learns that one perturbation by heart.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            layers.Conv2DTranspose(8, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 5, padding="same"),
            layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False),
        ]
    )


@keras.saving.register_keras_serializable(package="examples")
class Attacked:
    """The error on an image and on its perturbation, half and half.

    Args:
        epsilon: Largest change of a pixel, >= 0; 0: no game.
    """

    def __init__(self, epsilon: float) -> None:
        self.epsilon = epsilon

    def perturbed(self, images: tf.Tensor, perturbation: tf.Tensor) -> tf.Tensor:
        """Returns the images an attacker makes, in [0, 1]."""
        bounded = self.epsilon * tf.clip_by_value(perturbation, -1.0, 1.0)
        return tf.clip_by_value(images + bounded, 0.0, 1.0)

    def value(self, minimizer: Any, maximizer: Any, batch: tuple) -> tf.Tensor:
        """Returns the error of every example, (n,)."""
        images, labels = batch
        attacked = self.perturbed(images, maximizer(images))
        errors = (
            keras.losses.sparse_categorical_crossentropy(
                labels, minimizer(each), from_logits=True
            )
            for each in (images, attacked)
        )
        return tf.add_n(list(errors)) / 2

    def get_config(self) -> dict[str, float]:
        """Returns the constructor's arguments."""
        return {"epsilon": self.epsilon}


def model_of(updates: str, minimizer: keras.Model, seed: int) -> kgg.TwoPlayerModel:
    """Returns the compiled model of a value of --updates."""
    scheme: str | schemes.Scheme = "alternating"
    if updates == "duality_gap":
        scheme = schemes.DualityGap(kgg.BestResponse(1, "sgd", learning_rate=0.01))
    elif updates == "fictitious_play":
        history = kgg.History(5, interval=20, side="maximizer")
        scheme = schemes.FictitiousPlay(history, seed=seed)
    epsilon = 0.0 if updates == "none" else FLAGS.epsilon
    model = kgg.TwoPlayerModel(
        minimizer, attacker(), Attacked(epsilon), updates=scheme, seed=seed
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    return model


def fit(model: kgg.TwoPlayerModel, data: tuple, steps: int) -> None:
    """Trains for so many steps."""
    model.fit(*data, batch_size=FLAGS.batch_size, steps_per_epoch=steps, verbose=0)


def ascended(network: keras.Model, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns images after 20 steps of projected gradient ascent on the error."""
    changed = tf.identity(images)
    for _ in range(20):
        with tf.GradientTape() as tape:
            tape.watch(changed)
            error = keras.losses.sparse_categorical_crossentropy(
                labels, network(changed), from_logits=True
            )
        changed += FLAGS.epsilon / 8 * tf.sign(tape.gradient(error, changed))
        low, high = images - FLAGS.epsilon, images + FLAGS.epsilon
        changed = tf.clip_by_value(tf.clip_by_value(changed, low, high), 0.0, 1.0)
    return changed


def accuracies(model: kgg.TwoPlayerModel, data: tuple, test: tuple, seed: int) -> dict:
    """Returns the share of test images named rightly, by what was done to them."""
    game = Attacked(FLAGS.epsilon)
    images, labels = tf.constant(test[0]), tf.constant(test[1])

    def accuracy(images: tf.Tensor) -> float:
        logits = model.predict(images, batch_size=500, verbose=0)
        return float(np.mean(logits.argmax(axis=1) == test[1]))

    def under(network: keras.Model) -> float:
        made = network.predict(images, batch_size=500, verbose=0)
        return accuracy(game.perturbed(images, made))

    found = {"clean": accuracy(images), "live attacker": under(model.maximizer)}
    bank = model.maximizer_bank
    if bank is not None:
        old = attacker()
        each = []
        for weights in bank.member_weights[:-1]:
            old.set_weights(weights)
            each.append(under(old))
        found["earlier attackers"] = min(each, default=float("nan"))
    keras.utils.set_random_seed(1000 + seed)
    frozen = keras.models.clone_model(model.minimizer)
    frozen.set_weights(model.minimizer.get_weights())
    frozen.trainable = False
    fresh = model_of("alternating", frozen, seed)
    fit(fresh, data, FLAGS.attack_steps)
    found["fresh attacker"] = under(fresh.maximizer)
    few = slice(0, 1000)
    changed = ascended(model.minimizer, images[few], labels[few])
    logits = model.predict(changed, batch_size=500, verbose=0)
    found["gradient"] = float(np.mean(logits.argmax(axis=1) == test[1][few]))
    return found


def draw(table: dict, path: pathlib.Path) -> None:
    """Draws the mean accuracies, a group of bars for each kind of test."""
    from matplotlib import figure

    picture = figure.Figure(figsize=(8, 3), layout="constrained")
    axes = picture.subplots()
    width = 0.8 / len(table)
    done = {test for runs in table.values() for run in runs for test in run}
    tests = [test for test in TESTS if test in done]
    for index, (name, runs) in enumerate(table.items()):
        means = [np.mean([run.get(test, np.nan) for run in runs]) for test in tests]
        places = np.arange(len(tests)) + width * (index - (len(table) - 1) / 2)
        axes.bar(places, means, width, label=name)
    axes.set(ylim=(0, 1), ylabel="accuracy", xticks=range(len(tests)))
    axes.set_xticklabels(tests)
    axes.legend(loc="upper right", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=120)


def main(argv: list[str]) -> None:
    """Trains in every way that was asked for, and says what came of it."""
    del argv
    data = load("train", FLAGS.num_examples)
    test = load("test", 10_000)
    table: dict[str, list] = {}
    for updates in FLAGS.updates:
        for seed in FLAGS.seed:
            keras.utils.set_random_seed(seed)
            model = model_of(updates, classifier(), seed)
            started = time.perf_counter()
            fit(model, data, FLAGS.steps)
            seconds = time.perf_counter() - started
            run = accuracies(model, data, test, seed)
            table.setdefault(updates, []).append(run)
            told = ", ".join(f"{name} {share:.3f}" for name, share in run.items())
            print(f"{updates}, seed {seed}: {told}; {seconds:.0f} s", flush=True)
    path = pathlib.Path(FLAGS.output_dir) / "adversarial_training.png"
    draw(table, path)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
