"""Measures replica invariance of all rows and prints the table as Markdown.

    python -m tests.conformance.table [--folder=FOLDER] [--columns "2 replicas" ...]

Outcomes are kept in FOLDER; a second call measures only what is missing there.
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np

from tests.conformance import cases, cluster, run_cases

# Column -> (processes, replicas of a process, dtype).
COLUMNS = {
    "2 replicas": (1, 2, "float64"),
    "4 replicas": (1, 4, "float64"),
    "2 replicas, float32": (1, 2, "float32"),
    "2 workers": (2, 1, "float64"),
    "3 workers": (3, 1, "float64"),
}
# A busy machine takes a minute for a row.
SECONDS_A_ROW = 120


def measure(folder, processes, replicas, dtype, names):
    """Trains the rows that are not in the folder yet."""
    missing = [n for n in names if not (folder / run_cases.slug(n, dtype)).exists()]
    if not missing:
        return
    arguments = ["-m", "tests.conformance.run_cases", "--output", folder]
    arguments += ["--dtype", dtype, "--replicas", replicas, *missing]
    # One process must not take itself for a worker.
    environment = {} if processes > 1 else {"TF_CONFIG": None}
    with cluster.Cluster(processes, arguments, folder / "logs", environment) as started:
        started.wait(SECONDS_A_ROW * len(missing))


def load(folder, name, dtype):
    """Returns a row's outcome, or None if it failed."""
    path = folder / run_cases.slug(name, dtype)
    if not path.exists():
        return None
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def cell(expected, found, exact):
    """Returns what the table says: the largest relative difference, logs apart."""
    if expected is None or found is None:
        return "failed"
    if not exact:
        return "no"
    states = [
        {k: v for k, v in run.items() if not k.startswith("log")}
        for run in (expected, found)
    ]
    return f"{cases.difference(*states)[0]:.0e}"


def table(folder, columns, names):
    """Measures, and returns the table as lines of Markdown."""
    for dtype in {COLUMNS[column][2] for column in columns}:
        measure(folder / "1 replica", 1, 1, dtype, names)
    for column in columns:
        measure(folder / column, *COLUMNS[column], names)
    lines = [
        "| model | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for name in names:
        cells = []
        for column in columns:
            dtype = COLUMNS[column][2]
            expected = load(folder / "1 replica", name, dtype)
            found = load(folder / column, name, dtype)
            cells.append(cell(expected, found, cases.CASES[name].exact))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--columns", nargs="*", default=list(COLUMNS))
    parser.add_argument("--names", nargs="*", default=list(cases.CASES))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or pathlib.Path(temporary)
        print("\n".join(table(folder, options.columns, options.names)))
    reasons = {case.why for case in cases.CASES.values() if not case.exact}
    print("\nNot exact, and why:\n")
    print("\n".join(f"- {reason};" for reason in sorted(reasons)))


if __name__ == "__main__":
    main(sys.argv[1:])
