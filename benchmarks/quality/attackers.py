"""A classifier against a network that perturbs its images: does history help?

    python benchmarks/quality/attackers.py --data_dir=...

The minimiser names digits of MNIST at 14 x 14; the maximiser changes every pixel by at
most 0.1. The classifier is tested on clean images, against the attacker it ended with,
the earlier ones it met (the mean over nine moments of training, and the worst of them),
a fresh attacker trained against the finished classifier, and projected gradient ascent.
Rates are tuned on the fresh attacker's accuracy on images held out of the training and
of the test. A step of the duality gap counts as two.
"""

import functools
import time

import keras
import numpy as np
import perturbed_digits as digits
import runs
import tensorflow as tf
import tuned
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import schemes

BATCH_SIZE, MOMENTS = 64, 10
# Steps of the fresh attacker, at rate 1e-3.
FRESH_STEPS = 500
BASELINE = "alternating"
OLD = {"capacity": 5, "interval": 100, "retention": "geometric"}


def _answered(seed, **options):
    return schemes.FictitiousPlay(kgg.History(**OLD, **options), seed=seed)


# Name -> (function of the seed to a scheme, evaluations of its step, epsilon).
WAYS = {
    "no game": (lambda seed: "alternating", 1, 0.0),
    BASELINE: (lambda seed: "alternating", 1, digits.EPSILON),
    "gap k=1 own rule": (
        lambda seed: schemes.DualityGap(kgg.BestResponse(1, "player")),
        2,
        digits.EPSILON,
    ),
    "gap k=1 SGD 0.01": (
        lambda seed: schemes.DualityGap(kgg.BestResponse(1, "sgd", learning_rate=0.01)),
        2,
        digits.EPSILON,
    ),
    "old attackers": (
        lambda seed: _answered(seed, side="maximizer"),
        1,
        digits.EPSILON,
    ),
    "both histories": (_answered, 1, digits.EPSILON),
    # What history does, apart from what the rates do.
    "alternating at the rates of old attackers": (
        lambda seed: "alternating",
        1,
        digits.EPSILON,
    ),
}
TUNED_AS = {"alternating at the rates of old attackers": "old attackers"}
COLUMNS = {
    "fresh attacker": "fresh",
    "clean": "clean",
    "last attacker": "last",
    "earlier ones": "earlier",
    "worst earlier": "worst",
    "gradient ascent": "gradient",
}


class Watch(keras.callbacks.Callback):
    """Keeps the attackers' weights at the end of every epoch."""

    def __init__(self):
        super().__init__()
        self.attackers = []

    def on_epoch_end(self, epoch, logs=None):
        """Keeps them."""
        self.attackers.append(self.model.maximizer.get_weights())


def play(classifier, attacker, scheme, epsilon, rates, data, steps, seed, watch=None):
    """Trains both players for so many steps."""
    game = digits.Attacked(epsilon)
    model = kgg.TwoPlayerModel(classifier, attacker, game, updates=scheme, seed=seed)
    model.compile(*map(keras.optimizers.Adam, rates), steps_per_execution=10)
    data = (
        tf.data.Dataset.from_tensor_slices(data)
        .shuffle(digits.TRAIN, seed=seed)
        .repeat()
    )
    model.fit(
        data.batch(BATCH_SIZE, drop_remainder=True),
        epochs=MOMENTS,
        steps_per_epoch=max(10, round(steps / MOMENTS / 10) * 10),
        verbose=0,
        callbacks=[watch] if watch else [],
    )


def accuracies(classifier, attackers, data, test, seed):
    """Returns the share of test images named rightly, by what was done to them."""
    x, y = test
    game, attacker = (
        digits.Attacked(digits.EPSILON),
        digits.network(196, 0, normalised=True),
    )

    def accuracy(changed):
        return float(np.mean(np.argmax(classifier(changed), axis=1) == y))

    def under(weights):
        attacker.set_weights(weights)
        return accuracy(game.perturbed(x, attacker(x)))

    *earlier, last = map(under, attackers)
    fresh = digits.network(196, 1000 + seed, normalised=True)
    frozen = keras.models.clone_model(classifier)
    frozen.set_weights(classifier.get_weights())
    frozen.trainable = False
    rates = 1e-3, 1e-3
    play(frozen, fresh, "alternating", digits.EPSILON, rates, data, FRESH_STEPS, seed)
    return {
        "clean": accuracy(x),
        "last": last,
        "earlier": float(np.mean(earlier)),
        "worst": min(earlier),
        "fresh": under(fresh.get_weights()),
        "gradient": accuracy(digits.ascended(classifier, x, y)),
    }


def train(task, data_dir=None):
    """Runs one task; returns it with what `COLUMNS` name."""
    data, held_out, test = digits.images(data_dir)
    scheme, evaluations, epsilon = WAYS[task["method"]]
    seed, watch = task["seed"], Watch()
    keras.utils.set_random_seed(seed)
    classifier, attacker = (
        digits.network(10, seed),
        digits.network(196, seed + 500, normalised=True),
    )
    rates, steps = (task["g_rate"], task["d_rate"]), task["steps"] / evaluations
    found, processor = {"failed": None, "quality": 0.0}, time.process_time()
    try:
        play(
            classifier, attacker, scheme(seed), epsilon, rates, data, steps, seed, watch
        )
    except kgg.NonFiniteError as error:
        return {**task, **found, "failed": str(error), "processor_seconds": 0.0}
    found["processor_seconds"] = time.process_time() - processor
    unseen = held_out if seed < runs.FIRST_FRESH else test
    found |= accuracies(classifier, watch.attackers, data, unseen, seed)
    return {**task, **found, "quality": found["fresh"]}


def main(argv):
    """Tunes, runs the fresh seeds, and prints the table."""
    tuned.check(argv, WAYS)
    run = functools.partial(train, data_dir=flags.FLAGS.data_dir)
    problem = "digits 14 x 14"
    results = runs.tuned(flags.FLAGS, [problem], {}, run, tuned_as=TUNED_AS)
    print("\n".join(tuned.table(results, COLUMNS, BASELINE)))


def define_flags():
    """Defines the flags of this script."""
    tuned.define_flags(WAYS, ["1e-3", "3e-3"], 1500, 5, "attackers")
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data sets; default: that of TFDS."
    )


if __name__ == "__main__":
    define_flags()
    app.run(main)
