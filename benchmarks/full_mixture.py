"""The exact mean over a bank, mixture="full": a loop, or one batched computation?

    python benchmarks/full_mixture.py --output=full_mixture.json

Times the gradients of one step of both players against all members of a full bank:
as the library does it, a loop over the members that TensorFlow is free to run side by
side, and as `tf.vectorized_map` over the stacked weights, with and without XLA; beside
them the estimates "sampled" and "sliced". Prints the median of interleaved repetitions
and the largest difference of the full gradients.

The loop was chosen. On two busy cores of a processor neither was faster for the fully
connected networks in every run (the ratio of the medians lay between 0.6 and 1.5). For
the convolutional ones the loop was 1.4 to 2 times faster, and XLA compiles the loop
alone: a convolution whose weights are stacked has no batched form, so `vectorized_map`
falls back on a loop that runs in order. "sliced" cost at most 1.3 times "sampled".
"""

import json
import pathlib
import statistics
import time
import warnings

import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import gradients, structures
from keras_gamegan.models.step import adversarial_game, labelled_data

FLAGS = flags.FLAGS
flags.DEFINE_integer("repetitions", 21, "Timed repetitions of each row.", 1)
flags.DEFINE_multi_integer("capacity", [5, 20], "Models in the bank, the live one too.")
flags.DEFINE_list("only", [], "Networks to time: mlp, dcgan; all if empty.")
flags.DEFINE_bool("xla", True, "Whether to time compiled steps too.")
flags.DEFINE_string("output", None, "JSON file of all figures.")


def settings():
    """Returns name -> (function that makes the networks, shape of a batch)."""
    return {
        "mlp": (lambda: kgg.networks.mlp_pair(data_dim=2, latent_dim=16), (256, 2)),
        "dcgan": (
            lambda: kgg.networks.dcgan_pair(
                (28, 28, 1), latent_dim=32, base_filters=16
            ),
            (64, 28, 28, 1),
        ),
    }


class BatchedGame(adversarial_game.AdversarialGame):
    """The same game against a mixture whose players are one `Player` of stacks."""

    def _fakes(self, opponents, batch):
        fakes = tf.vectorized_map(
            lambda u: self.generate(u, batch, False)[0], opponents.members
        )
        return tf.unstack(fakes), opponents.probabilities

    def _answers(self, opponents, data, batch):
        logits = tf.vectorized_map(
            lambda v: self.logits(v, data, batch.examples.labels, batch, False)[0],
            opponents.members,
        )
        return tf.unstack(logits), opponents.probabilities


def filled_gan(make, capacity):
    """Returns a model whose banks hold ``capacity`` different members."""
    gan = kgg.FictitiousGAN(
        *make(),
        history=kgg.History(capacity, interval=None, retention="fifo"),
        mixture="full",
        seed=0,
    )
    gan.compile()
    generator = np.random.default_rng(0)
    for network, bank in (
        (gan.generator, gan.generator_bank),
        (gan.discriminator, gan.discriminator_bank),
    ):
        for _ in range(capacity - 1):
            bank.push()
            network.set_weights(
                [
                    w + 0.01 * generator.standard_normal(w.shape)
                    for w in network.get_weights()
                ]
            )
    return gan


def stacked(mixture):
    """Returns the mixture with its players as one `Player` of stacks."""
    players = tf.nest.map_structure(lambda *leaves: tf.stack(leaves), *mixture.members)
    return mixture._replace(members=players)


def steps(gan, real):
    """Returns name -> function that gives the gradients of both players."""
    source = labelled_data.source_of(
        real, None, tf.zeros([2], tf.int64), gan.latent_shape
    )
    batched = BatchedGame(gan.discriminator_network, gan.generator_network, gan.payoff)
    u, v = gan.generator_network.player(), gan.discriminator_network.player()
    mixtures = gan.generator_bank.mixture(u), gan.discriminator_bank.mixture(v)
    # What a bank reads is stacked already: the stacking is not timed.
    stacks = [stacked(mixture) for mixture in mixtures]

    def step(game, generators, discriminators):
        of_v = game.maximizer_objective(generators, source(0))
        of_u = game.minimizer_objective(discriminators, source(1))
        return (
            gradients.loss_and_gradient(of_v, v)[1],
            gradients.loss_and_gradient(of_u, u)[1],
        )

    def function(game, opponents, compiled):
        return tf.function(lambda: step(game, *opponents), jit_compile=compiled)

    named = {}
    draws = {
        "sampled": [structures.pure(mixture.members[0]) for mixture in mixtures],
        "sliced": [
            structures.Mixture(mixture.members[:4], tf.fill([4], 0.25), sliced=True)
            for mixture in mixtures
        ],
    }
    for compiled in (False, True) if FLAGS.xla else (False,):
        suffix = ", XLA" if compiled else ""
        named["loop" + suffix] = function(gan.game, mixtures, compiled)
        named["vectorized_map" + suffix] = function(batched, stacks, compiled)
        for draw, opponents in draws.items():
            named[draw + suffix] = function(gan.game, opponents, compiled)
    return named


def measure(make, shape, capacity):
    """Returns name -> figures of one setting."""
    gan = filled_gan(make, capacity)
    real = np.random.default_rng(1).uniform(-1, 1, shape).astype("float32")
    found, reference = {}, None
    functions = steps(gan, tf.constant(real))
    for name, function in list(functions.items()):
        began = time.perf_counter()
        try:
            result = [value.numpy() for value in tf.nest.flatten(function())]
        except (tf.errors.OpError, ValueError, NotImplementedError) as error:
            found[name] = {"failed": str(error).strip().splitlines()[0][:120]}
            del functions[name]
            continue
        reference = reference or result
        difference = max(
            float(np.max(np.abs(a - b)) / (np.max(np.abs(a)) + 1e-12))
            for a, b in zip(reference, result, strict=True)
        )
        full = not name.startswith("s")
        found[name] = {
            "difference": difference if full else None,
            "first_call_seconds": time.perf_counter() - began,
            "milliseconds": [],
        }
    for _ in range(FLAGS.repetitions):
        for name, function in functions.items():
            began = time.perf_counter()
            [value.numpy() for value in tf.nest.flatten(function())]
            elapsed = 1000 * (time.perf_counter() - began)
            found[name]["milliseconds"].append(elapsed)
    return found


def main(argv):
    """Runs everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    # A convolution whose weights are stacked has no batched form: it is looped over.
    warnings.simplefilter("ignore")
    print("| networks | capacity | full mixture | median ms | first call s | error |")
    print("|---|---|---|---|---|---|")
    everything = {}
    for name, (make, shape) in settings().items():
        if FLAGS.only and name not in FLAGS.only:
            continue
        for capacity in FLAGS.capacity:
            found = measure(make, shape, capacity)
            everything[f"{name}, capacity {capacity}"] = found
            for way, figures in found.items():
                row = f"| {name} | {capacity} | {way} "
                if "failed" in figures:
                    print(f"{row}| failed: {figures['failed']} | | |", flush=True)
                    continue
                median = statistics.median(figures["milliseconds"])
                first = figures["first_call_seconds"]
                row += f"| {median:.1f} | {first:.1f} "
                difference = figures["difference"]
                text = "" if difference is None else f"{difference:.0e}"
                print(f"{row}| {text} |", flush=True)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
