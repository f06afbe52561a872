"""Which methods train well at which learning rates: small networks, 2-D mixtures.

    python benchmarks/quality/rates.py --results=build/rates.jsonl

Every method gets the same gradient evaluations (a step of k gradients counts k), the
same pairs of learning rates and the same seeds. A run is good if it finds the modes
that its problem asks for and most samples lie near one, in the better of live and
averaged generator. Runs that are in the results already are not run again, so the
command can be interrupted; it prints the table from all of them.
"""

import pathlib

import methods
import numpy as np
import problems
import runs
from absl import app, flags

# With a penalty and without, of single examples and of pairs.
METHODS = (
    "GAN",
    "GAN + R1",
    "relativistic",
    "relativistic + R1 + R2",
    "FictitiousGAN by itself",
    "FictitiousGAN by itself + R1",
    "gap k=1",
    "gap k=1 + R1",
    "gap k=1 own Adam",
    "GAN + pace",
    "GAN + R1 + pace",
    "relativistic + R1 + R2 + pace",
)

FLAGS = flags.FLAGS
RATES = ["1e-4", "3e-4", "1e-3", "3e-3", "1e-2"]
runs.define_flags(["ring", "grid 3x3"], RATES, METHODS)
flags.adopt_module_key_flags(runs)
flags.DEFINE_list("seeds", ["0"], "Seeds.")


def table(results):
    """Returns the lines of a Markdown table."""
    lines = [
        f"| method | n | good | quality | against {methods.BASELINE} | won, lost "
        "| failed | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_method = runs.by_place(results)
    baseline = by_method.get(methods.BASELINE, {})
    for name, of_method in by_method.items():
        each = list(of_method.values())
        pairs = [(run, baseline[at]) for at, run in of_method.items() if at in baseline]
        against, won = "", ""
        if name != methods.BASELINE and len(pairs) > 1:
            against = runs.gain([(a["quality"], b["quality"]) for a, b in pairs])
            won = (
                f"{sum(a['good'] and not b['good'] for a, b in pairs)}, "
                f"{sum(b['good'] and not a['good'] for a, b in pairs)}"
            )
        good = np.mean([run["good"] for run in each])
        failed = sum(run["failed"] is not None for run in each)
        seconds = np.mean([run["processor_seconds"] for run in each])
        lines.append(
            f"| {name} | {len(each)} | {good:.2f} "
            f"| {runs.summary([run['quality'] for run in each])} "
            f"| {against} | {won} | {failed} | {seconds:.1f} |"
        )
    return lines


def main(argv):
    """Runs what is missing and prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    runs.check_names("problems", FLAGS.problems, problems.PROBLEMS)
    runs.check_names("methods", FLAGS.methods, methods.METHODS)
    wanted = runs.grid(
        FLAGS.problems,
        FLAGS.methods,
        FLAGS.rates,
        FLAGS.seeds,
        FLAGS.steps,
        runs.setting(FLAGS.change),
    )
    results = runs.run(wanted, pathlib.Path(FLAGS.results), FLAGS.processes)
    print("\n".join(table(results)))


if __name__ == "__main__":
    app.run(main)
