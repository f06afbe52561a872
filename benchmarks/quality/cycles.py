"""Games that cycle: does the quality swing, and which generator is worth sampling?

    python benchmarks/quality/cycles.py
    python benchmarks/quality/cycles.py --optimizer=adam --rates=3e-4,1e-3,3e-3

The ring of 8 Gaussians without a penalty, with the saturating "minimax" loss and rates
that stay. The generator is bounded, by a tanh: the theorems ask for it, and against a
discriminator that does not answer the best generator of this loss lies at infinity.
Over the last quarter of the training the quality of the live generator and of its
average is measured ten times: "live" is the mean of these, "swing" their standard
deviation within the run, "lowest" the least of them. "Late mixture" pools the live
generators of these ten moments, "stored" those of the history at the end.
"""

import keras
import methods
import numpy as np
import problems
import runs
import training
import tuned
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import schemes

PARTS, WATCHED = 40, 10
PROBLEM = "ring"


def _history(**options):
    history = kgg.History(10, 100, **options)
    return lambda seed: schemes.FictitiousPlay(history, seed=seed)


def _gap(**options):
    response = kgg.BestResponse(1, "player", **options)
    return lambda seed: schemes.DualityGap(response, seed)


BASELINE = "alternating"
# Name -> (function of the seed to a scheme, evaluations of a step).
WAYS = {
    # Always the live opponent: generators are stored and change nothing.
    BASELINE: (_history(current_weight=1.0), 1.0),
    "simultaneous": (lambda seed: "simultaneous", 1.0),
    "extragradient": (lambda seed: "extragradient", 2.0),
    "optimistic": (lambda seed: "optimistic", 1.0),
    "lookahead": (lambda seed: "lookahead", 1.0),
    "gap k=1 own rule": (_gap(), 2.0),
    "gap k=1 own rule u_w": (_gap(side="generator"), 1.5),
    "old discriminators": (_history(answered="discriminator"), 1.0),
    "both histories": (_history(), 1.0),
    "both histories uniform thinned": (
        _history(current_weight=None, retention="thinned"),
        1.0,
    ),
}
COLUMNS = {
    "best": "quality",
    "live": "current",
    "swing of live": "swing",
    "lowest live": "lowest",
    "average": "average",
    "swing of average": "swing_of_average",
    "late mixture": "late",
    "stored": "stored",
}
OPTIMIZERS = {
    "adam": lambda rate: keras.optimizers.Adam(rate, beta_1=0.5),
    "sgd": keras.optimizers.SGD,
}


class Watch(keras.callbacks.Callback):
    """Keeps samples of the last epochs' generators: {source: list of arrays}."""

    def __init__(self):
        super().__init__()
        self.samples = {"current": [], "average": []}

    def on_epoch_end(self, epoch, logs=None):
        """Samples, late in the training."""
        if epoch >= PARTS - WATCHED:
            for source, each in self.samples.items():
                each.append(self.model.sample(problems.SAMPLES, seed=0, source=source))


def train(task):
    """Runs one task; returns it with what `COLUMNS` name."""
    problem, (scheme, evaluations) = problems.PROBLEMS[PROBLEM], WAYS[task["method"]]
    method = methods.Method(
        lambda: {"updates": scheme(task["seed"])}, lambda: {"loss": "minimax"}
    )
    given = {**training.SETTING, **task}
    gan = training.model(given, method, OPTIMIZERS[task["optimizer"]])
    data = training.batches(problem.points(100_000, task["seed"] + 1), given)
    watch = Watch()
    part = max(10, round(task["steps"] / evaluations / PARTS / 10) * 10)
    took = training.fit(gan, data, PARTS * part, [watch], epochs=PARTS)
    found = {"failed": took.failed, "processor_seconds": took.processor_seconds}
    if took.failed is not None:
        return {**task, **found, "quality": 0.0}
    live, average = (
        [problem.quality(samples) for samples in each]
        for each in watch.samples.values()
    )
    pooled = [
        samples[index::WATCHED]
        for index, samples in enumerate(watch.samples["current"])
    ]
    found |= {
        "current": float(np.mean(live)),
        "swing": float(np.std(live)),
        "lowest": min(live),
        "average": float(np.mean(average)),
        "swing_of_average": float(np.std(average)),
        "late": problem.quality(np.concatenate(pooled)),
    }
    if gan.generator_bank is not None:
        found["stored"] = problem.quality(training.stored_samples(gan))
    sources = ("current", "average", "late", "stored")
    found["quality"] = max(found.get(source, 0.0) for source in sources)
    return {**task, **found}


def main(argv):
    """Tunes, runs the fresh seeds, and prints the table."""
    tuned.check(argv, WAYS)
    setting = {name: flags.FLAGS[name].value for name in ("optimizer", "bound")}
    problem = f"{PROBLEM}, minimax"
    results = runs.tuned(flags.FLAGS, [problem], setting, train)
    print("\n".join(tuned.table(results, COLUMNS, BASELINE)))


def define_flags():
    """Defines the flags of this script."""
    tuned.define_flags(WAYS, ["0.03", "0.1", "0.3"], 5000, 10, "cycles")
    flags.DEFINE_float("bound", 2.5, "Largest number generated; 0: any.", 0.0)
    flags.DEFINE_enum("optimizer", "sgd", OPTIMIZERS, "Of both players.")


if __name__ == "__main__":
    define_flags()
    app.run(main)
