"""Measures all properties of all rows and prints the tables as Markdown.

    python -m tests.conformance.table [--folder=FOLDER] [--names NAME ...]

Outcomes are kept in FOLDER; a second call measures only what is missing there.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import traceback

import numpy as np

from tests import memory
from tests.conformance import cases, cluster, outcomes, properties, run_cases

# Column -> (processes, replicas of a process, dtype).
REPLICAS = {
    "2 replicas": (1, 2, "float64"),
    "4 replicas, float32": (1, 4, "float32"),
    "2 workers": (2, 1, "float64"),
    "3 workers, float32": (3, 1, "float32"),
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


def across_replicas(folder, column, names):
    """Measures a column of `REPLICAS`; returns {name: cell}."""
    processes, replicas, dtype = REPLICAS[column]
    exact = cases.EXACT if dtype == "float64" else cases.EXACT_FLOAT32
    exact = [name for name in names if name in exact]
    measure(folder / "1 replica", 1, 1, dtype, exact)
    measure(folder / column, processes, replicas, dtype, exact)
    cells = dict.fromkeys(names, "no")
    for name in exact:
        expected = load(folder / "1 replica", name, dtype)
        found = load(folder / column, name, dtype)
        try:
            cells[name] = figure(outcomes.compare(expected, found))
        except (AssertionError, AttributeError):
            cells[name] = "failed"
    return cells


def within_a_process(folder, column, names):
    """Measures a column of `properties.PROPERTIES`; returns {name: cell}."""
    kept = folder / f"{column.strip('`').replace(' ', '_')}.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    wanted = properties.PROPERTIES[column]
    for name in names:
        if wanted.reason_against(name) is not None:
            found[name] = "no"
        elif found.get(name, "failed") == "failed":
            try:
                gap = wanted.measure(name)
                found[name] = figure(gap) if gap <= wanted.tolerance else f"{gap:.0e} !"
            except Exception:
                traceback.print_exc()
                found[name] = "failed"
        kept.write_text(json.dumps(found))
        memory.forget()
    return found


def figure(gap):
    """Returns a difference as the table says it."""
    return "0" if gap == 0 else f"{gap:.0e}"


def tables(folder, names):
    """Measures, and yields the two tables as lines of Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    for measured, titles in (
        (within_a_process, properties.PROPERTIES),
        (across_replicas, REPLICAS),
    ):
        columns = {title: measured(folder, title, names) for title in titles}
        yield "| model | " + " | ".join(columns) + " |"
        yield "|---" * (len(columns) + 1) + "|"
        for name in names:
            cells = " | ".join(column[name] for column in columns.values())
            yield f"| {name} | {cells} |"
        yield ""


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--names", nargs="*", default=list(cases.CASES))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or pathlib.Path(temporary)
        for line in tables(folder, options.names):
            print(line, flush=True)
    reasons = {case.why for case in cases.CASES.values() if not case.exact}
    for column in properties.PROPERTIES.values():
        reasons |= set(column.excluded.values())
    print("Not exact, and why:\n")
    print("\n".join(f"- {reason};" for reason in sorted(reasons)))


if __name__ == "__main__":
    main(sys.argv[1:])
