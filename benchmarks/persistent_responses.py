"""What persistent best responses cost: a step against a plain simultaneous step.

    python benchmarks/persistent_responses.py --output=persistent_responses.json

Times compiled train steps on one batch, every way in turn, repetition by repetition,
so that whatever else the machine does falls on all alike. Prints the median time, the
median of the paired ratios to `GAN(updates="simultaneous")` and their quartiles, and
beside them the arithmetic bound, measured in the same turns: the gradients that such a
step must take, without optimizers, logs, checks or variables. The bound of a persistent
step is twice that of a plain one and the score of the real data for the logged gap.
With --profile=FOLDER a TensorFlow profile of the persistent step is written too.
"""

import json
import pathlib
import statistics
import time

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import gradients, structures
from keras_gamegan.models.step import labelled_data

FLAGS = flags.FLAGS
flags.DEFINE_integer("repetitions", 41, "Timed repetitions of each row.", 3)
flags.DEFINE_integer("threads", 2, "Threads TensorFlow may use.", 1)
flags.DEFINE_list("only", [], "Networks to time: mlp, dcgan; all if empty.")
flags.DEFINE_string("output", None, "JSON file of all figures.")
flags.DEFINE_string("profile", None, "Folder for a TensorFlow profile.")

PLAIN = "GAN, simultaneous"
PERSISTENT = "persistent, k=1, adam"
TARGET = 2.2


def settings():
    """Returns name -> (networks, shape of a batch, steps in one repetition)."""
    return {
        "mlp": (
            lambda: kgg.networks.mlp_pair(data_dim=2, latent_dim=16, seed=0),
            (256, 2),
            20,
        ),
        "dcgan": (
            lambda: kgg.networks.dcgan_pair((28, 28, 1), latent_dim=64, seed=0),
            (64, 28, 28, 1),
            1,
        ),
    }


def rows():
    """Returns name -> function (discriminator, generator) -> model."""

    def gap(num_steps, optimizer, **start):
        response = kgg.BestResponse(num_steps, optimizer, 1e-3, **start)
        return lambda d, g: kgg.DualityGapGAN(d, g, best_response=response, seed=0)

    persistent = {"start": "persistent"}
    return {
        PLAIN: lambda d, g: kgg.GAN(d, g, updates="simultaneous", seed=0),
        PERSISTENT: gap(1, "adam", **persistent),
        "persistent, k=1, sgd": gap(1, "sgd", **persistent),
        "persistent, k=2, adam": gap(2, "adam", **persistent),
        "current, k=1, adam": gap(1, "adam"),
        "current, k=5, adam": gap(5, "adam"),
        "perturbed, k=1, adam": gap(1, "adam", start="perturbed"),
    }


def repeated(step, number):
    """Returns a function that takes so many steps and waits for the last."""
    step = tf.function(step, autograph=False)

    def run():
        for _ in range(number):
            result = step()
        tf.nest.map_structure(lambda value: value.numpy(), result)

    return run


def bounds(gan, real, number):
    """Returns name -> the gradients of such a step, and nothing else."""
    game = gan.game

    def gradient_of_both(u, v, answered_u, answered_v, source, with_value=False):
        of_u = game.minimizer_objective(
            structures.pure(answered_v), source, with_value=with_value
        )
        of_v = game.maximizer_objective(structures.pure(answered_u), source)
        found = []
        for objective, player in ((of_u, u), (of_v, v)):
            outcome, slope = gradients.loss_and_gradient(objective, player)
            found += [outcome.loss, outcome.value, *slope]
        return [tf.reduce_sum(each) for each in found if each is not None]

    def step(persistent):
        source = labelled_data.source_of(
            real, None, tf.zeros([2], tf.int64), gan.latent_shape
        )(0)
        u, v = gan.generator_network.player(), gan.discriminator_network.player()
        if not persistent:
            return tf.add_n(gradient_of_both(u, v, u, v, source))
        # Other tensors of the same sizes, or two gradients would be computed as one.
        worst_u, worst_v = tf.nest.map_structure(lambda x: x * 1.01, (u, v))
        first = gradient_of_both(worst_u, worst_v, u, v, source)
        second = gradient_of_both(
            u, v, worst_u, worst_v, source, game.exact_minimizer_value
        )
        return tf.add_n(first + second)

    return {
        "bound of GAN": repeated(lambda: step(False), number),
        "bound of persistent, k=1": repeated(lambda: step(True), number),
    }


def measure(make, shape, number, profile=None):
    """Returns name -> list of milliseconds a step, in the order of the repetitions."""
    real = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
    real = tf.constant(real)
    ways = {}
    for name, build in rows().items():
        gan = build(*make())
        gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
        ways[name] = repeated(lambda gan=gan: gan.train_step(real), number)
    ways.update(bounds(gan, real, number))
    for run in ways.values():
        run()
        run()
    found = {name: [] for name in ways}
    for _ in range(FLAGS.repetitions):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            found[name].append(1000 * (time.perf_counter() - began) / number)
    if profile:
        tf.profiler.experimental.start(profile)
        ways[PERSISTENT]()
        tf.profiler.experimental.stop()
    return found


def table(name, found):
    """Returns (lines of the table, name -> figures)."""
    lines, figures = [], {}
    for way, milliseconds in found.items():
        pairs = zip(milliseconds, found[PLAIN], strict=True)
        low, middle, high = statistics.quantiles([a / b for a, b in pairs], n=4)
        median = statistics.median(milliseconds)
        lines.append(
            f"| {name} | {way} | {median:.2f} | {middle:.2f} | {low:.2f}-{high:.2f} |"
        )
        figures[way] = {"milliseconds": median, "ratio": middle, "spread": [low, high]}
    return lines, figures


def main(argv):
    """Runs everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    print("| networks | step | median ms | x plain step | quartiles |")
    print("|---|---|---|---|---|")
    everything = {}
    for name, (make, shape, number) in settings().items():
        if FLAGS.only and name not in FLAGS.only:
            continue
        profile = f"{FLAGS.profile}/{name}" if FLAGS.profile else None
        found = measure(make, shape, number, profile)
        lines, everything[name] = table(name, found)
        print("\n".join(lines), flush=True)
        ratio = everything[name][PERSISTENT]["ratio"]
        verdict = "met" if ratio <= TARGET else "missed"
        print(f"Target of {PERSISTENT} on {name}, <= {TARGET}: {verdict}.", flush=True)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
