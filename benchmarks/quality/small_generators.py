"""Generators too small for the data: can a mixture do what none of them can?

    python benchmarks/quality/small_generators.py

The grid of 5 x 5 Gaussians and generators of width 8. Five generators that training
has stored, sampled alike, against the live one and its average; against five generators
of five GANs, at the same gradient evaluations in all and at five times as many; and
against one generator of five times the numbers. What answers no history keeps one all
the same, as the control: its mixture is that of snapshots of the plain GAN.
"""

import dataclasses

import methods
import numpy as np
import problems
import runs
import training
import tuned
from absl import app, flags

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
        history: Arguments of the history.
        penalty: Whether with R1.
        decay: Whether both rates fall to zero in the second half.
        g_width: Units in the generator's layers.
        members: GANs that are trained.
        share: Steps of each of them, in those of a run.
    """

    # Always the live opponent: generators are stored and change nothing.
    history: dict = dataclasses.field(default_factory=lambda: {"current_weight": 1.0})
    penalty: bool = False
    decay: bool = True
    g_width: int = WIDTH
    members: int = 1
    share: float = 1.0

    def method(self, steps, seed):
        """Returns it as a `methods.Method` for a run of so many steps."""
        # The last fifths' generators, and the live one: as far apart as can be.
        history = kgg.History(MEMBERS, steps // MEMBERS, "fifo", **self.history)
        return methods.Method(
            model=lambda: {"updates": schemes.FictitiousPlay(history, seed=seed)},
            compile=_r1 if self.penalty else dict,
            callbacks=_decay if self.decay else list,
        )


def _r1():
    return {"penalty": kgg.penalties.R1(0.03, every=4)}


def _decay():
    return [kgg.schedules.LinearDecay(0.5)]


BASELINE = "one + R1"
_FEW = {"members": MEMBERS, "share": 1 / MEMBERS}
_OLD, _UNIFORM = {"answered": "discriminator"}, {"current_weight": None}
WAYS = {
    BASELINE: Way(penalty=True),
    "one": Way(),
    "one without decay": Way(decay=False),
    "old discriminators without decay": Way(_OLD, decay=False),
    "both histories uniform without decay": Way(_UNIFORM, decay=False),
    "five GANs of a fifth of the steps + R1": Way(penalty=True, **_FEW),
    "five GANs of a fifth of the steps": Way(**_FEW),
    "five GANs of all steps + R1": Way(penalty=True, members=MEMBERS),
    "five GANs of all steps": Way(members=MEMBERS),
    "one of five times the size + R1": Way(penalty=True, g_width=LARGE),
    "one of five times the size": Way(g_width=LARGE),
}
# Each of them is the GAN that has been tuned already.
TUNED_AS = {
    "five GANs of all steps + R1": BASELINE,
    "five GANs of all steps": "one",
}
COLUMNS = {
    "best": "quality",
    "live": "current",
    "average": "average",
    "mixture": "mixture",
    "modes of the live": "modes",
    "modes of the mixture": "modes_of_mixture",
}


def train(task):
    """Runs one task; returns it with the quality of each source."""
    problem, way = problems.PROBLEMS[PROBLEM], WAYS[task["method"]]
    steps = int(task["steps"] * way.share) // 10 * 10
    found = {"failed": None, "processor_seconds": 0.0}
    samples = {"current": [], "average": []}
    for member in range(way.members):
        seed = 1000 * member + task["seed"]
        each = {**training.SETTING, **task, "seed": seed, "g_width": way.g_width}
        method = way.method(steps, seed)
        gan = training.model(each, method)
        data = training.batches(problem.points(100_000, seed + 1), each)
        took = training.fit(gan, data, steps, method.callbacks())
        found["processor_seconds"] += took.processor_seconds
        if took.failed is not None:
            return {**task, **found, "quality": 0.0, "failed": took.failed}
        for source, of_members in samples.items():
            of_members.append(gan.sample(problems.SAMPLES, seed=0, source=source))
    if way.members > 1:
        live = enumerate(samples["current"])
        mixture = np.concatenate([each[at :: way.members] for at, each in live])
    else:
        mixture = training.stored_samples(gan)
    quality = {
        source: float(np.mean([problem.quality(each) for each in of_members]))
        for source, of_members in samples.items()
    }
    quality["mixture"] = problem.quality(mixture)
    modes = [problem.score(each)[0] for each in samples["current"]]
    found["modes"] = float(np.mean(modes))
    found["modes_of_mixture"] = problem.score(mixture)[0]
    return {**task, **found, **quality, "quality": max(quality.values())}


def main(argv):
    """Tunes, runs the fresh seeds, and prints the table."""
    tuned.check(argv, WAYS)
    results = runs.tuned(flags.FLAGS, [PROBLEM], {}, train, tuned_as=TUNED_AS)
    print("\n".join(tuned.table(results, COLUMNS, BASELINE)))


def define_flags():
    """Defines the flags of this script."""
    tuned.define_flags(WAYS, ["1e-3", "3e-3"], 10_000, 10, "small_generators")


if __name__ == "__main__":
    define_flags()
    app.run(main)
