"""Persistent best responses on the ring, at equal wall-clock against k = 5 and 10.

    python benchmarks/persistent_ring.py --seeds=3 --output=persistent_ring.json

First the steps of all settings are timed in turns; then each gets as many as fit into
the time of `--plain_steps` steps of the plain GAN. Along the training, `--measurements`
times, the logged duality gap (the mean of the last `--window` steps) is held against
that of `kgg.duality_gap` with a search of `--search_steps` steps on other data. Prints
modes covered and the share of samples near a mode, and how far the logged gap is from
the searched one: of a run's measurements the median gap searched, the median difference
and absolute difference, and the rank correlation; mean +- sd over the seeds (worst).
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
from keras_gamegan.measuring import gan_gap

FLAGS = flags.FLAGS
flags.DEFINE_integer("seeds", 3, "Number of seeds.", 1)
flags.DEFINE_integer("plain_steps", 5000, "Steps of the plain GAN: the budget.", 100)
flags.DEFINE_integer("measurements", 4, "Times the gap is searched in a run.", 2)
flags.DEFINE_integer("window", 25, "Steps over which the log is averaged.", 1)
flags.DEFINE_integer("search_steps", 1000, "Steps of the search it is held against.", 1)
flags.DEFINE_integer("repetitions", 15, "Repetitions of the timing.", 3)
flags.DEFINE_float("penalty", 0.05, "Weight of R1.", 0.0)
flags.DEFINE_multi_string("only", [], "Settings to run; all if none is named.")
flags.DEFINE_string("output", None, "JSON file of all figures.")

BATCH_SIZE = 128
TIMED_STEPS = 20
PLAIN = "GAN, simultaneous"


def settings():
    """Returns name -> `BestResponse`, or None for the plain GAN."""
    persistent = {"start": "persistent"}
    return {
        "persistent, k=1, pull 0.05": kgg.BestResponse(1, **persistent),
        "persistent, k=1, pull 0.2": kgg.BestResponse(1, pull=0.2, **persistent),
        "persistent, k=1, pull 0.5": kgg.BestResponse(1, pull=0.5, **persistent),
        "persistent, k=2, pull 0.2": kgg.BestResponse(2, pull=0.2, **persistent),
        "current, k=1": kgg.BestResponse(1),
        "current, k=5": kgg.BestResponse(5),
        "current, k=10": kgg.BestResponse(10),
        PLAIN: None,
    }


def ring():
    """Returns the data."""
    return kgg.datasets.gaussian_ring(num_modes=8, standard_deviation=0.05)


def build(response, seed):
    """Returns a compiled model."""
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, width=128, seed=seed)
    arguments = {"seed": seed, "average_decay": 0.998}
    if response is None:
        gan = kgg.GAN(*pair, updates="simultaneous", **arguments)
    else:
        gan = kgg.DualityGapGAN(*pair, best_response=response, **arguments)
    adams = (keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2))
    penalty = kgg.penalties.R1(FLAGS.penalty) if FLAGS.penalty else None
    gan.compile(*adams, penalty=penalty, steps_per_execution=FLAGS.window)
    return gan


def milliseconds(named, make, batch, number=TIMED_STEPS):
    """Returns name -> median milliseconds of a step, all timed in turns.

    Args:
        named: Dictionary: name -> `BestResponse` or None.
        make: Function of one of these that returns a compiled model.
        batch: Real data.
        number: Steps timed at a time.
    """
    batch = tf.constant(batch)
    ways = {}
    for name, response in named.items():
        gan = make(response)
        ways[name] = tf.function(
            lambda gan=gan: gan.train_step(batch)["d_loss"], autograph=False
        )
        ways[name]()
    found = {name: [] for name in ways}
    for _ in range(FLAGS.repetitions):
        for name, step in ways.items():
            began = time.perf_counter()
            for _ in range(number):
                loss = step()
            loss.numpy()
            found[name].append(1000 * (time.perf_counter() - began) / number)
    return {name: statistics.median(times) for name, times in found.items()}


def train(response, num_steps, seed):
    """Trains once; returns the figures."""
    data = ring()
    gan = build(response, seed)
    finding, scoring = data.sample(6400, seed=101), data.sample(6400, seed=102)
    estimator = gan_gap.GapEstimator(
        gan, finding, scoring, FLAGS.search_steps, learning_rate=1e-3
    )
    figures = {"logged": [], "searched": [], "minimax": [], "steps": 0}

    def go_on(steps):
        batches = data.batches(BATCH_SIZE, start_step=gan.num_steps)
        return gan.fit(batches, steps_per_epoch=steps, verbose=0).history

    # Whole executions; the log of the last of each stretch is what is compared.
    stretch = round(num_steps / FLAGS.measurements / FLAGS.window) * FLAGS.window
    for _ in range(FLAGS.measurements):
        go_on(stretch - FLAGS.window)
        logs = go_on(FLAGS.window)
        estimate = estimator(seed=0)
        figures["logged"].append(logs.get("duality_gap", [np.nan])[-1])
        figures["searched"].append(float(estimate.gap))
        figures["minimax"].append(float(estimate.minimax))
    figures["steps"] = gan.num_steps
    for source in ("current", "average"):
        coverage = kgg.metrics.ModeCoverage(
            data.centers, data.standard_deviation, min_count=20
        )
        coverage.update_state(gan.sample(2500, seed=0, source=source))
        result = coverage.result()
        figures[source] = {
            "modes": float(result["modes"]),
            "near": float(result["high_quality"]),
        }
    return figures


def rank_correlation(left, right):
    """Returns Spearman's correlation of two lists without ties."""
    ranks = [np.argsort(np.argsort(each)) for each in (left, right)]
    return float(np.corrcoef(*ranks)[0, 1])


def spread(values, worst):
    """Returns "mean +- sd (worst)" of a list."""
    return f"{np.mean(values):.2f} ± {np.std(values):.2f} ({worst(values):.2f})"


def line(name, time_of_step, runs):
    """Returns one line of the table."""
    good = [run for run in runs if run is not None]
    cells = [name, f"{time_of_step:.2f}"]
    if not good:
        return f"| {' | '.join(cells)} | {len(runs)} failed |"
    cells.append(str(good[0]["steps"]))
    for source in ("current", "average"):
        for figure in ("modes", "near"):
            cells.append(spread([run[source][figure] for run in good], min))
    pairs = [(np.array(run["logged"]), np.array(run["searched"])) for run in good]
    cells.append(spread([np.median(searched) for _, searched in pairs], max))
    if np.isnan(pairs[0][0]).any():
        cells += ["", "", ""]
    else:
        cells.append(spread([np.median(a - b) for a, b in pairs], min))
        cells.append(spread([np.median(np.abs(a - b)) for a, b in pairs], max))
        cells.append(spread([rank_correlation(a, b) for a, b in pairs], min))
    cells.append(str(len(runs) - len(good)))
    return f"| {' | '.join(cells)} |"


def main(argv):
    """Runs everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    named = {
        name: response
        for name, response in settings().items()
        if not FLAGS.only or name in FLAGS.only or response is None
    }
    batch = ring().sample(BATCH_SIZE, seed=0)
    times = milliseconds(named, lambda response: build(response, 0), batch)
    budget = FLAGS.plain_steps * times[PLAIN]
    print(
        "| setting | ms a step | steps | modes of 8 | near a mode | average: modes "
        "| average: near | searched gap | log - searched | absolute | rank | failed |"
    )
    print("|---" * 12 + "|", flush=True)
    everything = {"milliseconds": times}
    for name, response in named.items():
        runs = []
        for seed in range(FLAGS.seeds):
            try:
                runs.append(train(response, int(budget / times[name]), seed))
            except kgg.NonFiniteError:
                runs.append(None)
        everything[name] = runs
        print(line(name, times[name], runs), flush=True)
        if FLAGS.output:
            pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
