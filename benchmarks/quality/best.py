"""Each method at the learning rates that suit it best, on fresh seeds.

    python benchmarks/quality/best.py --problems="ring,grid 5x5"

Every method gets the same budget of tuning: all pairs of the given rates, on the tuning
seeds. The pair of the highest mean quality is run again on fresh seeds, and only those
are in the table. All methods have the same gradient evaluations; the processor seconds
that they took stand beside. Runs are kept as `rates.py` keeps them, in the same file if
it is named.
"""

import methods
import numpy as np
import problems
import runs
from absl import app, flags

FLAGS = flags.FLAGS
runs.define_flags(["ring", "grid 5x5"], ["3e-4", "1e-3", "3e-3"])
runs.define_tuning_flags(10)
runs.define_equal_flag()
flags.adopt_module_key_flags(runs)


def table(results):
    """Returns the lines of a Markdown table of one problem."""
    lines = [
        "| method | rates G, D | n | good | quality | of the mixture "
        f"| against {methods.BASELINE} | failed | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    by_method = {}
    for result in results:
        by_method.setdefault(result["method"], {})[result["seed"]] = result
    baseline = by_method.get(methods.BASELINE, {})
    for name, of_method in by_method.items():
        each = list(of_method.values())
        pairs = [
            (run["quality"], baseline[seed]["quality"])
            for seed, run in of_method.items()
            if seed in baseline
        ]
        mixed = [
            run["mixture"][0] * run["mixture"][1] / run["wanted"]
            for run in each
            if "mixture" in run
        ]
        cells = [
            name,
            f"{each[0]['g_rate']:g}, {each[0]['d_rate']:g}",
            len(each),
            f"{np.mean([run['good'] for run in each]):.1f}",
            runs.summary([run["quality"] for run in each]),
            f"{np.mean(mixed):.3f}" if mixed else "",
            runs.gain(pairs) if pairs and name != methods.BASELINE else "",
            sum(run["failed"] is not None for run in each),
            f"{np.mean([run['processor_seconds'] for run in each]):.1f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def main(argv):
    """Tunes, runs the fresh seeds, and prints a table for each problem."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    runs.check_names("problems", FLAGS.problems, problems.PROBLEMS)
    runs.check_names("methods", FLAGS.methods, methods.METHODS)
    setting = runs.setting(FLAGS.change)
    results = runs.tuned(FLAGS, FLAGS.problems, setting, equal=FLAGS.equal)
    for problem in FLAGS.problems:
        print(f"\n{problem}\n")
        print("\n".join(table([run for run in results if run["problem"] == problem])))


if __name__ == "__main__":
    app.run(main)
