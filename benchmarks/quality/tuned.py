"""Each method at the pair of learning rates that suits it, run on fresh seeds."""

import numpy as np
import runs
from absl import app, flags

FLAGS = flags.FLAGS


def define_flags(names, rates, steps, fresh_seeds, results):
    """Defines the flags of a script that tunes, with these defaults."""
    flags.DEFINE_list("methods", list(names), "Names of methods.")
    flags.DEFINE_list("rates", rates, "Rates of each player; all pairs are tried.")
    flags.DEFINE_integer("steps", steps, "Plain steps of each run.", 100)
    runs.define_tuning_flags(fresh_seeds)
    flags.DEFINE_integer("processes", 2, "Runs at once.", 1)
    flags.DEFINE_string("results", f"build/quality/{results}.jsonl", "File of runs.")


def check(argv, names):
    """Raises `app.UsageError` if there are arguments, or a method is none of these."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    runs.check_names("methods", FLAGS.methods, names)


def table(results, columns, baseline=None):
    """Returns the lines of a Markdown table, a line for each method.

    Args:
        results: List of results.
        columns: Dictionary, heading -> name of a number in a result. "n" and failures
            stand beside. What a failed run lacks counts as 0.
        baseline: Method against which the first column is compared, seed by seed.
    """
    headings = ["method", "rates G, D", "n", *columns]
    if baseline is not None:
        headings.append(f"{next(iter(columns))}, against {baseline}")
    headings += ["failed", "seconds"]
    lines = [_line(headings), _line(["---"] * len(headings)).replace(" ", "")]
    by_method = {}
    for result in results:
        by_method.setdefault(result["method"], {})[result["seed"]] = result
    first = next(iter(columns.values()))
    others = by_method.get(baseline, {})
    for method, of_method in by_method.items():
        each = list(of_method.values())
        cells = [method, f"{each[0]['g_rate']:g}, {each[0]['d_rate']:g}", len(each)]
        for name in columns.values():
            known = any(name in run for run in each)
            cells.append(runs.summary([run.get(name, 0.0) for run in each]) * known)
        if baseline is not None:
            pairs = [
                (run.get(first, 0.0), others[seed].get(first, 0.0))
                for seed, run in of_method.items()
                if seed in others and method != baseline
            ]
            cells.append(runs.gain(pairs) if len(pairs) > 1 else "")
        cells.append(sum(run["failed"] is not None for run in each))
        cells.append(f"{np.mean([run['processor_seconds'] for run in each]):.1f}")
        lines.append(_line(cells))
    return lines


def _line(cells):
    return "| " + " | ".join(map(str, cells)) + " |"
