"""How the defaults do on the demo's ring: settings x penalty, over several seeds.

    python benchmarks/ring_defaults.py --seeds=5 --output=ring_defaults.json

Every setting gets the same number of gradient evaluations: two a plain step and
2 (k + 1) a duality-gap step. Prints modes and the share of samples within three
standard deviations of a mode, mean +- sd (worst seed), for every source of samples.
"""

import json
import pathlib
import time

import keras
import numpy as np
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_integer("seeds", 5, "Number of seeds.", 1)
flags.DEFINE_integer("gradient_evaluations", 12_000, "Budget of each run.", 100)
flags.DEFINE_string("output", None, "JSON file of all figures.")
flags.DEFINE_list("only", [], "Names of settings to run; all if empty.")

BATCH_SIZE = 128


def settings():
    """Returns name -> (class, arguments, gradient evaluations a step)."""

    def fictitious(**history):
        return kgg.FictitiousGAN, {"history": kgg.History(**history)}, 2

    def gap(num_steps):
        response = kgg.BestResponse(num_steps=num_steps)
        return kgg.DualityGapGAN, {"best_response": response}, 2 * (num_steps + 1)

    return {
        "GAN": (kgg.GAN, {}, 2),
        "DualityGapGAN, k=2": gap(2),
        "DualityGapGAN, k=10": gap(10),
        "FictitiousGAN, default": fictitious(),
        "FictitiousGAN, every 10 steps": fictitious(interval=10),
        "FictitiousGAN, fifo 8, every step": fictitious(
            capacity=8, interval=1, retention="fifo"
        ),
        "FictitiousGAN, old discriminators only": fictitious(side="discriminator"),
    }


def train(make, arguments, cost, penalty_weight, seed):
    """Trains once; returns source -> figures, and the seconds it took."""
    ring = kgg.datasets.gaussian_ring(num_modes=8, standard_deviation=0.05)
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, width=128, seed=seed)
    gan = make(*pair, seed=seed, average_decay=0.998, **arguments)
    penalty = kgg.penalties.R1(penalty_weight) if penalty_weight else None
    adams = (keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2))
    steps = FLAGS.gradient_evaluations // cost
    gan.compile(*adams, penalty=penalty, steps_per_execution=min(50, steps))
    began = time.perf_counter()
    batches = ring.batches(BATCH_SIZE, steps_per_epoch=steps)
    try:
        gan.fit(batches, verbose=0)
    except kgg.NonFiniteError:
        return None
    seconds = time.perf_counter() - began
    figures = {"seconds": seconds}
    for source in ("current", "average", "mixture"):
        if source == "mixture" and gan.generator_bank is None:
            continue
        metric = kgg.metrics.ModeCoverage(
            ring.centers, ring.standard_deviation, min_count=20
        )
        metric.update_state(gan.sample(2500, seed=0, source=source))
        result = metric.result()
        figures[source] = {
            "modes": float(result["modes"]),
            "near": float(result["high_quality"]),
        }
    return figures


def line(name, penalty_weight, source, runs):
    """Returns one line of the table."""
    good = [run for run in runs if run is not None and source in run]
    if not good:
        return None
    modes = np.array([run[source]["modes"] for run in good])
    near = np.array([run[source]["near"] for run in good])
    seconds = np.mean([run["seconds"] for run in good])
    return (
        f"| {name} | {penalty_weight or 'none'} | {source} "
        f"| {modes.mean():.1f} ± {modes.std():.1f} ({modes.min():.0f}) "
        f"| {near.mean():.2f} ± {near.std():.2f} ({near.min():.2f}) "
        f"| {len(runs) - len(good)} | {seconds:.0f} |"
    )


def main(argv):
    """Runs everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    print("| setting | R1 weight | samples | modes of 8 | near a mode | failed | s |")
    print("|---|---|---|---|---|---|---|")
    everything = {}
    for name, setting in settings().items():
        if FLAGS.only and name not in FLAGS.only:
            continue
        for penalty_weight in (0.05, 0.0):
            runs = [
                train(*setting, penalty_weight, seed) for seed in range(FLAGS.seeds)
            ]
            everything[f"{name}, R1 {penalty_weight}"] = runs
            for source in ("current", "average", "mixture"):
                text = line(name, penalty_weight, source, runs)
                if text:
                    print(text, flush=True)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
