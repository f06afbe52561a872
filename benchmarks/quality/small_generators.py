"""Generators too small for the data: can a mixture do what none of them can?

    python benchmarks/quality/small_generators.py

The grid of 5 x 5 Gaussians and generators of width 8. Five generators that training
has stored, sampled alike, against the live one and its average; against five generators
of five GANs, at the same gradient evaluations in all and at five times as many; and
against one generator of five times the numbers. What answers no history keeps one all
the same, as the control: "stored" are then snapshots of the plain GAN.
"""

import dataclasses

import methods
import numpy as np
import problems
import training
import tuned
from absl import app

import keras_gamegan as kgg
from keras_gamegan.games import schemes

MEMBERS = 5
# 23 units a layer have 807 numbers, 8 units 162.
WIDTH, LARGE = 8, 23
PROBLEM = "grid 5x5"


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to come to a generator, or several.

    Attributes:
        method: A `methods.Method`.
        g_width: Units in the generator's layers.
        members: GANs that are trained.
        share: Steps of each of them, in those of a run.
    """

    method: methods.Method
    g_width: int = WIDTH
    members: int = 1
    share: float = 1.0


def _stored(**options):
    """Returns a history of the whole run at an even spacing."""
    return kgg.History(MEMBERS, 100, "thinned", **options)


def _way(history, penalty=False, decay=True, **options):
    # Always the live opponent: its generators are stored and change nothing.
    history = history or _stored(current_weight=1.0)
    return Way(
        methods.Method(
            model=lambda: {"updates": schemes.FictitiousPlay(history)},
            compile=_r1 if penalty else dict,
            callbacks=_decay if decay else list,
        ),
        **options,
    )


def _r1():
    return {"penalty": kgg.penalties.R1(0.03, every=4)}


def _decay():
    return [kgg.schedules.LinearDecay(0.5)]


BASELINE = "one + R1"
_OLD = {"answered": "discriminator"}
_FEW = {"members": MEMBERS, "share": 1 / MEMBERS}
WAYS = {
    BASELINE: _way(None, penalty=True),
    "one": _way(None),
    "one, no decay": _way(None, decay=False),
    "FictitiousGAN by itself": _way(kgg.History(MEMBERS, 100, **_OLD)),
    "FictitiousGAN by itself, no decay": _way(
        kgg.History(MEMBERS, 100, **_OLD), decay=False
    ),
    "old discriminators of the whole run, no decay": _way(_stored(**_OLD), decay=False),
    "both histories, uniform, no decay": _way(
        _stored(current_weight=None), decay=False
    ),
    "five GANs, a fifth of the steps each + R1": _way(None, penalty=True, **_FEW),
    "five GANs, a fifth of the steps each": _way(None, **_FEW),
    "five GANs, all steps each + R1": _way(None, penalty=True, members=MEMBERS),
    "five GANs, all steps each": _way(None, members=MEMBERS),
    "one of five times the size + R1": _way(None, penalty=True, g_width=LARGE),
    "one of five times the size": _way(None, g_width=LARGE),
}
# Each of them is the GAN that has been tuned already.
TUNED_AS = {
    "five GANs, all steps each + R1": BASELINE,
    "five GANs, all steps each": "one",
}
COLUMNS = {"best": "quality", "live": "current", "average": "average"}
COLUMNS |= {"stored, or live of five": "mixture", "averages of five": "averages"}


def train(task):
    """Runs one task; returns it with the quality of each source."""
    problem, way = problems.PROBLEMS[PROBLEM], WAYS[task["method"]]
    steps = int(task["steps"] * way.share) // 10 * 10
    number = problems.SAMPLES // way.members
    quality, pooled = {"current": [], "average": []}, {"current": [], "average": []}
    found = {"failed": None, "processor_seconds": 0.0}
    for member in range(way.members):
        seed = 1000 * member + task["seed"]
        each = {**training.SETTING, **task, "seed": seed, "g_width": way.g_width}
        gan = training.model(each, way.method)
        data = training.batches(problem.points(100_000, seed + 1), each)
        took = training.fit(gan, data, steps, way.method.callbacks())
        found["processor_seconds"] += took.processor_seconds
        if took.failed is not None:
            return {**task, **found, "quality": 0.0, "failed": took.failed}
        for source in quality:
            samples = gan.sample(problems.SAMPLES, seed=0, source=source)
            quality[source].append(problem.quality(samples))
            pooled[source].append(samples[:number])
    scores = {source: float(np.mean(of_each)) for source, of_each in quality.items()}
    if way.members > 1:
        scores["mixture"] = problem.quality(np.concatenate(pooled["current"]))
        scores["averages"] = problem.quality(np.concatenate(pooled["average"]))
    else:
        scores["mixture"] = problem.quality(training.stored_samples(gan))
    return {**task, **found, **scores, "quality": max(scores.values())}


def main(argv):
    """Tunes, runs the fresh seeds, and prints the table."""
    tuned.check(argv, WAYS)
    results = tuned.fresh(train, {"problem": PROBLEM}, TUNED_AS)
    print("\n".join(tuned.table(results, COLUMNS, BASELINE)))


def define_flags():
    """Defines the flags of this script."""
    tuned.define_flags(WAYS, ["1e-3", "3e-3"], 10_000, 10, "small_generators")


if __name__ == "__main__":
    define_flags()
    app.run(main)
