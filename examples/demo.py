"""Trains the three trainers side by side on a ring of Gaussians and shows the result.

    python examples/demo.py --output_dir=runs/demo
    python examples/demo.py --seeds=5          # the table over five seeds

Every trainer gets the same number of gradient evaluations (two a plain step, 2 (k + 1)
a duality-gap step with k response steps). Writes `index.html` with pictures: samples
over data, losses, duality gap and minimax value over time.
"""

import dataclasses
import pathlib
import sys
import time

import keras
import numpy as np
from absl import app, flags

import keras_gamegan as kgg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import demo_page

FLAGS = flags.FLAGS
flags.DEFINE_string("output_dir", "runs/demo", "Folder of index.html and pictures.")
flags.DEFINE_integer("seed", 0, "First seed.", lower_bound=0)
flags.DEFINE_integer("seeds", 1, "Number of seeds; pictures show the first.", 1)
flags.DEFINE_integer("gradient_evaluations", 12_000, "Budget of each trainer.", 100)
flags.DEFINE_integer("num_response_steps", 2, "k of the duality gap's search.", 0)
flags.DEFINE_integer("num_measurements", 8, "Gap measurements during a training.", 1)
flags.DEFINE_float("penalty_weight", 0.05, "Weight of R1; 0 for none.", 0.0)
flags.DEFINE_float("learning_rate", 1e-3, "Adam's, both players; beta_1 is 0.5.", 0.0)

BATCH_SIZE = 128
NUM_MODES = 8


@dataclasses.dataclass
class Run:
    """What one training left behind."""

    name: str
    seed: int
    steps: int
    gradient_evaluations: int
    seconds: float
    history: dict
    gaps: list
    samples: dict
    coverage: dict


def trainers(num_response_steps):
    """Returns name -> (function that makes the model, gradient evaluations a step)."""
    response = kgg.BestResponse(num_steps=num_response_steps, learning_rate=1e-3)
    return {
        "GAN": (kgg.GAN, {}, 2),
        "DualityGapGAN": (
            kgg.DualityGapGAN,
            {"best_response": response},
            2 * (num_response_steps + 1),
        ),
        "FictitiousGAN": (kgg.FictitiousGAN, {"history": kgg.History()}, 2),
    }


def train(name, make, arguments, cost, ring, seed):
    """Trains one model and measures it."""
    steps = FLAGS.gradient_evaluations // cost
    epoch = max(1, steps // FLAGS.num_measurements)
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, width=128, seed=seed)
    gan = make(*pair, seed=seed, average_decay=0.998, **arguments)
    penalty = None
    if FLAGS.penalty_weight:
        penalty = kgg.penalties.R1(FLAGS.penalty_weight)
    gan.compile(
        keras.optimizers.Adam(FLAGS.learning_rate, beta_1=0.5),
        keras.optimizers.Adam(FLAGS.learning_rate, beta_1=0.5),
        penalty=penalty,
        steps_per_execution=min(50, epoch),
    )
    held_out = ring.sample(4096, seed=1)
    monitor = kgg.callbacks.DualityGapMonitor(
        held_out[:2048], held_out[2048:], num_steps=100, learning_rate=1e-3
    )
    began = time.perf_counter()
    history = gan.fit(
        ring.batches(BATCH_SIZE, steps_per_epoch=epoch),
        epochs=max(1, steps // epoch),
        verbose=2 if FLAGS.seeds == 1 else 0,
        callbacks=[monitor],
    )
    seconds = time.perf_counter() - began - monitor.seconds
    sources = ["current", "average"]
    if gan.generator_bank is not None:
        sources.append("mixture")
    samples = {each: gan.sample(2500, seed=0, source=each) for each in sources}
    return Run(
        name,
        seed,
        gan.num_steps,
        gan.num_steps * cost,
        seconds,
        history.history,
        monitor.estimates,
        samples,
        {each: coverage(ring, points) for each, points in samples.items()},
    )


def coverage(ring, points):
    """Returns the number of modes hit and the share of points near one."""
    metric = kgg.metrics.ModeCoverage(
        ring.centers, ring.standard_deviation, min_count=20
    )
    metric.update_state(points)
    return {key: float(value) for key, value in metric.result().items()}


def table(runs):
    """Returns the lines of the table: mean +- sd (worst) over the seeds."""
    lines = [
        f"{'trainer':<15}{'samples':<9}{'modes of 8':>15}{'near a mode':>18}"
        f"{'gap':>22}{'minimax':>9}{'gradients':>11}{'seconds':>9}"
    ]
    names = dict.fromkeys(run.name for run in runs)
    for name in names:
        mine = [run for run in runs if run.name == name]
        for source in mine[0].samples:
            modes = [run.coverage[source]["modes"] for run in mine]
            near = [run.coverage[source]["high_quality"] for run in mine]
            line = f"{name:<15}{source:<9}{spread(modes, min, 1):>15}"
            line += f"{spread(near, min, 2):>18}"
            if source == "current":
                line += f"{spread([run.gaps[-1][1].gap for run in mine], max, 3):>22}"
                line += f"{np.mean([run.gaps[-1][1].minimax for run in mine]):>9.3f}"
                line += f"{mine[0].gradient_evaluations:>11}"
                line += f"{np.mean([run.seconds for run in mine]):>9.1f}"
            lines.append(line)
    lines.append(f"The minimax value of a perfect generator is {-np.log(2):.3f}.")
    return lines


def spread(values, worst, digits):
    """Returns "mean +- sd (worst)", or the one value there is."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return (
        f"{np.mean(values):.{digits}f}±{np.std(values, ddof=1):.{digits}f}"
        f" ({worst(values):.{digits}f})"
    )


def main(argv):
    """Trains, prints the table, writes the page."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    ring = kgg.datasets.gaussian_ring(num_modes=NUM_MODES, standard_deviation=0.05)
    runs = []
    for seed in range(FLAGS.seed, FLAGS.seed + FLAGS.seeds):
        for name, settings in trainers(FLAGS.num_response_steps).items():
            print(f"Training {name}, seed {seed} ...", flush=True)
            runs.append(train(name, *settings, ring, seed))
    print()
    lines = table(runs)
    print("\n".join(lines))
    folder = pathlib.Path(FLAGS.output_dir)
    first = [run for run in runs if run.seed == FLAGS.seed]
    page = demo_page.write(folder, first, ring, lines)
    print(f"\nWrote {page}")


if __name__ == "__main__":
    app.run(main)
