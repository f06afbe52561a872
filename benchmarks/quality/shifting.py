"""Data that shift during training: who still knows the modes seen first?

    python benchmarks/quality/shifting.py

The ring of 8 Gaussians of which a GAN is shown two, then the next two, and so on. At
the end: modes covered, of all eight, by the live generator, its average, and the stored
generators, sampled alike; with every rule by which a history is retained, and answered
by nobody ("stored"), by the generator ("old discriminators") or by both players. The
controls: a history as wide as the whole run, and a GAN that is shown all modes so far.
"""

import functools

import methods
import numpy as np
import problems
import runs
import training
import tuned
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import retention, schemes

PHASES = 4
CAPACITY = 8
# Snapshots of a run, so that a rule has to choose.
SNAPSHOTS = 80
PROBLEM = "ring"
# Always the live opponent: generators are stored and change nothing.
_STORED, _OLD = {"current_weight": 1.0}, {"answered": "discriminator"}
ANSWERS = {"stored": _STORED, "old discriminators": _OLD, "both histories": {}}
BASELINE = "stored (thinned)"
REPLAY = "all modes so far"
WAYS = {
    **{
        f"{answer} ({rule})": {"retention": rule, **options}
        for answer, options in ANSWERS.items()
        for rule in sorted(retention.NAMES, key=lambda name: name != "thinned")
    },
    "stored (fifo of the whole run)": {"retention": "fifo", "wide": True, **_STORED},
    REPLAY: {"retention": "fifo", **_STORED},
}
# A rule moves the mixture alone where nobody answers it, and little where they do.
TUNED_AS = {
    f"{answer} ({rule})": f"{answer} (thinned)"
    for answer in ANSWERS
    for rule in retention.NAMES
} | {"stored (fifo of the whole run)": BASELINE}
COLUMNS = {
    "modes of the mixture": "mixture_modes",
    "of the live": "current_modes",
    "of the average": "average_modes",
    "near, mixture": "mixture_near",
    "near, live": "current_near",
    "near, average": "average_near",
}


def _updates(steps, seed, wide=False, **history):
    interval = steps // (CAPACITY if wide else SNAPSHOTS)
    history = kgg.History(CAPACITY, max(1, interval), **history)
    return {"updates": schemes.FictitiousPlay(history, seed=seed)}


def points(problem, steps, batch_size, seed, replay=False):
    """Returns the data of a run in their order, (steps * batch_size, 2).

    Args:
        problem: A `problems.Problem`.
        steps: Of training.
        batch_size: Of a step.
        seed: Seed.
        replay: Whether a phase shows all modes so far, or its own only.
    """
    number = len(problem.centers)
    of_phase = np.arange(steps * batch_size) * PHASES // (steps * batch_size)
    last = (of_phase + 1) * number // PHASES
    first = 0 * last if replay else of_phase * number // PHASES
    rng = np.random.default_rng(seed)
    chosen = rng.integers(first, last)
    noise = rng.normal(size=(len(chosen), 2)) * problem.standard_deviation
    return (problem.centers[chosen] + noise).astype("float32")


def train(task):
    """Runs one task; returns it with what `COLUMNS` name."""
    problem, given = problems.PROBLEMS[PROBLEM], {**training.SETTING, **task}
    way = WAYS[task["method"]]
    updates = functools.partial(_updates, task["steps"], task["seed"], **way)
    gan = training.model(given, methods.Method(updates))
    shown = points(
        problem,
        task["steps"],
        given["batch_size"],
        task["seed"] + 1,
        replay=task["method"] == REPLAY,
    )
    took = training.fit(gan, training.batches(shown, given), task["steps"], [])
    found = {"failed": took.failed, "processor_seconds": took.processor_seconds}
    if took.failed is not None:
        return {**task, **found, "quality": 0.0}
    samples = {
        "current": gan.sample(problems.SAMPLES, seed=0),
        "average": gan.sample(problems.SAMPLES, seed=0, source="average"),
        "mixture": training.stored_samples(gan),
    }
    quality = []
    for source, each in samples.items():
        found[f"{source}_modes"], found[f"{source}_near"] = problem.score(each)
        quality.append(problem.quality(each))
    return {**task, **found, "quality": max(quality)}


def main(argv):
    """Tunes, runs the fresh seeds, and prints the table."""
    tuned.check(argv, WAYS)
    problem = f"{PROBLEM}, shifting"
    results = runs.tuned(flags.FLAGS, [problem], {}, train, tuned_as=TUNED_AS)
    print("\n".join(tuned.table(results, COLUMNS, BASELINE)))


def define_flags():
    """Defines the flags of this script."""
    tuned.define_flags(WAYS, ["1e-3", "3e-3"], 4000, 10, "shifting")


if __name__ == "__main__":
    define_flags()
    app.run(main)
