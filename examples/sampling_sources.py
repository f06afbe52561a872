"""When to sample which generator: the live one, the average, or the mixture.

    python examples/sampling_sources.py --output_dir=runs/sampling_sources

Writes into the output folder

    finite_support.png   exact fictitious play: the live generator against the mixture
    ring.png             the three sources of one FictitiousGAN, by how it was trained
    payoffs.png          values of stored generators against stored discriminators
    ring.json            the figures of every run

and prints a Markdown table. About three minutes on one processor core; needs
matplotlib.
"""

import itertools
import json
import os
import pathlib

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from absl import app, flags

import keras_gamegan as kgg

SOURCES = ("current", "average", "mixture")
BATCH_SIZE = 128
NUM_SAMPLES = 2500

FLAGS = flags.FLAGS
flags.DEFINE_string("output_dir", "runs/sampling_sources", "Folder of the pictures.")
flags.DEFINE_integer("seeds", 3, "Seeds of each setting; the first is drawn.", 1)
flags.DEFINE_integer("steps", 3000, "Training steps of each run.", 1)
flags.DEFINE_integer("capacity", 10, "Models that a history keeps.", 1)
flags.DEFINE_integer("interval", 100, "Steps between snapshots.", 1)
flags.DEFINE_integer("rounds", 2000, "Rounds of exact fictitious play.", 40)


def settings():
    """Returns name -> (arguments of `History`, weight of R1)."""
    return {
        "R1, half on the live": ({}, 0.05),
        "R1, Nash": ({"weights": "nash"}, 0.05),
        "half on the live": ({}, None),
        "uniform": ({"current_weight": None}, None),
        "Nash": ({"weights": "nash"}, None),
    }


def train(ring, history, penalty_weight, seed):
    """Trains once on the ring; returns the model."""
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, width=128, seed=seed)
    gan = kgg.FictitiousGAN(
        *pair,
        history=kgg.History(FLAGS.capacity, FLAGS.interval, **history),
        average_decay=0.998,
        seed=seed,
    )
    gan.compile(
        *(keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)),
        penalty=kgg.penalties.R1(penalty_weight) if penalty_weight else None,
        steps_per_execution=min(50, FLAGS.steps),
    )
    callbacks = []
    if history.get("weights") == "nash":
        held_out = ring.sample(1024, seed=1)
        callbacks = [kgg.callbacks.NashMixture(held_out, every=FLAGS.interval)]
    batches = ring.batches(BATCH_SIZE, steps_per_epoch=FLAGS.steps)
    gan.fit(batches, verbose=0, callbacks=callbacks)
    return gan


def coverage(ring, points):
    """Returns the modes covered and the share of points near one."""
    metric = kgg.metrics.ModeCoverage(
        ring.centers, ring.standard_deviation, min_count=20
    )
    metric.update_state(points)
    result = metric.result()
    return {key: float(result[key]) for key in ("modes", "high_quality")}


def run_all(ring):
    """Trains every setting with every seed.

    Returns:
        A triple: setting -> figures of its runs; setting -> source -> points of the
        first seed; the `Population` of the first run.
    """
    runs, points, population = {}, {}, None
    for name, arguments in settings().items():
        runs[name] = []
        for seed in range(FLAGS.seeds):
            gan = train(ring, *arguments, seed)
            drawn = {s: gan.sample(NUM_SAMPLES, seed=0, source=s) for s in SOURCES}
            figures = {s: coverage(ring, drawn[s]) for s in SOURCES}
            runs[name].append(figures)
            points.setdefault(name, drawn)
            if population is None:
                population = kgg.Population(gan)
            print(f"{name}, seed {seed}: {summary(figures)}", flush=True)
    return runs, points, population


def summary(figures):
    """Returns a run's figures on one line."""
    return ", ".join(
        f"{source} {of['modes']:.0f} modes {of['high_quality']:.2f}"
        for source, of in figures.items()
    )


def spread(values, digits):
    """Returns "mean ± sd (worst)"."""
    return (
        f"{np.mean(values):.{digits}f} ± {np.std(values):.{digits}f} "
        f"({np.min(values):.{digits}f})"
    )


def table(runs):
    """Returns the lines of a Markdown table over the seeds."""
    lines = [
        "| trained with | samples | modes of 8 | near a mode |",
        "|---|---|---|---|",
    ]
    for name, of in runs.items():
        for source in SOURCES:
            modes, near = (
                [run[source][key] for run in of] for key in ("modes", "high_quality")
            )
            lines.append(
                f"| {name} | {source} | {spread(modes, 1)} | {spread(near, 2)} |"
            )
    return lines


def smooth(distances, num_points=24):
    """Returns (rounds, means) over windows of equal width on a logarithmic axis."""
    edges = np.geomspace(1, len(distances) + 1, num_points)
    edges = np.unique(edges.round().astype(int))
    windows = list(itertools.pairwise(edges))
    means = [distances[low - 1 : high - 1].mean() for low, high in windows]
    return np.sqrt(edges[:-1] * (edges[1:] - 1)), means


def draw_finite_support(plt, path):
    """Draws exact fictitious play on eight points; returns both distances."""
    game = kgg.games.FiniteGAN(np.random.default_rng(0).dirichlet(np.full(8, 2.0)))
    start = np.full(8, 1 / 8)
    play = game.fictitious_play(start, FLAGS.rounds)
    chosen = play.generator_plays.argmax(axis=1)[1:]
    rounds = np.arange(1, FLAGS.rounds + 1)
    figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.2), layout="constrained")

    axis, last = axes[0], min(120, FLAGS.rounds)
    axis.plot(rounds[-last:], chosen[-last:], "k.-", linewidth=0.5, markersize=5)
    axis.set(xlabel="round", ylabel="point the generator puts all its mass on")
    axis.set_title("The live generator never settles")

    axis = axes[1]
    live = np.array([game.total_variation(p) for p in play.generator_plays[1:]])
    curves = [
        ("live generator", live, {"ls": "none", "marker": "o", "mfc": "white"}),
        ("mixture, full history", play.total_variation[1:], {"ls": "-"}),
    ]
    for rule, label, style in (
        ("geometric", "mixture, discounted at rate 1/50", {"ls": "--"}),
        ("fifo", "mixture of the last 50", {"ls": ":"}),
    ):
        bounded = game.fictitious_play(start, FLAGS.rounds, rule, capacity=50)
        curves.append((label, bounded.total_variation[1:], style))
    for label, distances, style in curves:
        axis.plot(*smooth(distances), color="black", label=label, **style)
    axis.set(xscale="log", yscale="log", xlabel="round", ylim=(1e-3, 2))
    axis.set(ylabel="total variation to the data")
    axis.legend(loc="lower left", fontsize=8)
    axis.grid(alpha=0.3)
    axis.set_title("The mixture comes to the data")

    axis, places = axes[2], np.arange(8)
    bars = (
        (game.data_probabilities, "data", "black"),
        (play.average_generator, "mixture", "0.6"),
        (play.generator_plays[-1], "live generator", "white"),
    )
    for offset, (heights, label, color) in zip((-0.27, 0, 0.27), bars, strict=True):
        axis.bar(places + offset, heights, 0.27, color=color, ec="black", label=label)
    axis.set(xlabel="point", ylabel="probability", ylim=(0, 1.05))
    axis.legend(fontsize=8)
    axis.set_title(f"After {FLAGS.rounds} rounds")
    figure.suptitle("Fictitious play with exact best responses on eight points (jsd)")
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return live, play.total_variation[1:]


def draw_ring(plt, path, ring, runs, points):
    """Draws the samples of every source and setting, of the first seed."""
    rows = len(points)
    figure, axes = plt.subplots(
        rows, 3, figsize=(8.2, 2.8 * rows), sharex=True, sharey=True, squeeze=False
    )
    for row, (name, drawn) in zip(axes, points.items(), strict=True):
        for axis, source in zip(row, SOURCES, strict=True):
            axis.plot(*drawn[source].T, "k.", markersize=1.2)
            for center in ring.centers:
                radius = 3 * ring.standard_deviation
                axis.add_patch(plt.Circle(center, radius, fill=False, lw=0.8))
            of = runs[name][0][source]
            near = f"{of['high_quality']:.2f} near"
            axis.set_title(
                f"{source}: {of['modes']:.0f} of 8 modes, {near}", fontsize=9
            )
            axis.set_aspect("equal")
            axis.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9))
        row[0].set_ylabel(name)
    figure.suptitle("One training each, three sources; circles: 3 standard deviations")
    # The last few per cent are the title's.
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.1 / rows))
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(argv):
    """Runs the example."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    import matplotlib

    matplotlib.use("Agg")  # Pictures go into files, whatever screen there is.
    import matplotlib.pyplot as plt

    folder = pathlib.Path(FLAGS.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    live, mixture = draw_finite_support(plt, folder / "finite_support.png")
    print(
        f"Eight points, round {FLAGS.rounds}: total variation to the data, mixture "
        f"{mixture[-1]:.4f}, live generator {live[-1]:.4f}"
    )
    ring = kgg.datasets.gaussian_ring(num_modes=8, standard_deviation=0.05)
    runs, points, population = run_all(ring)
    print()
    print("\n".join(table(runs)))
    draw_ring(plt, folder / "ring.png", ring, runs, points)
    payoffs = population.plot_payoffs(ring.sample(4096, seed=2))
    payoffs.savefig(folder / "payoffs.png", dpi=90)
    (folder / "ring.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    print(f"\nWrote {folder}")


if __name__ == "__main__":
    app.run(main)
