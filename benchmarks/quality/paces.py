"""How far training moves the networks' functions, at good and at low learning rates.

    python benchmarks/quality/paces.py

What `PaceControl` steers by, measured without steering: r_G in standard deviations of
the data and r_D in those of the logits, over ten steps, medians of each sixth of a run.
"""

import methods
import numpy as np
import problems
import training
from absl import app

import keras_gamegan as kgg

RUNS = (("ring", 3e-3, 3000), ("grid 5x5", 3e-3, 5000), ("ring", 3e-4, 3000))
PARTS = 6


def medians(measurements):
    """Returns (r_G, r_D), medians of each part: array (2, parts)."""
    paces = np.asarray(measurements)[:, 1:]
    parts = np.array_split(paces, PARTS)
    return np.transpose([np.median(part, axis=0) for part in parts])


def measure(problem_name, rate, steps):
    """Returns the medians of one run of the GAN with R1 at a constant rate."""
    problem = problems.PROBLEMS[problem_name]
    task = {**training.SETTING, "seed": 0, "g_rate": rate, "d_rate": rate}
    gan = training.model(task, methods.METHODS["GAN + R1 no decay"])
    # A gain of next to nothing: it only looks.
    pace = kgg.callbacks.PaceControl(gain=1e-9)
    took = training.fit(
        gan, training.batches(problem.points(100_000, 1), task), steps, [pace]
    )
    if took.failed is not None:
        raise RuntimeError(took.failed)
    return medians(pace.measurements)


def main(argv):
    """Prints a table, a line for each run and player."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected no arguments. Received: {argv[1:]}.")
    heads = [f"{number + 1}/{PARTS}" for number in range(PARTS)]
    print(f"| run | moved | {' | '.join(heads)} |")
    print(f"|---|---|{'---|' * PARTS}")
    for name, rate, steps in RUNS:
        for player, values in zip(
            ("r_G", "r_D"), measure(name, rate, steps), strict=True
        ):
            cells = " | ".join(f"{value:.2f}" for value in values)
            print(f"| {name}, rates {rate:g} | {player} | {cells} |")


if __name__ == "__main__":
    app.run(main)
