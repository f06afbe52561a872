"""Runs, kept in a file so that none is run twice, and tables of them."""

import itertools
import json
import multiprocessing
import os
import sys

import methods
import numpy as np
import problems
import tensorflow as tf
import training
from absl import app, flags


def grid(problem_names, method_names, rates, seeds, steps, setting):
    """Returns the tasks of all pairs of learning rates, a list of dictionaries."""
    every = itertools.product(seeds, problem_names, rates, rates, method_names)
    return [
        task(problem, method, g_rate, d_rate, seed, steps, setting)
        for seed, problem, g_rate, d_rate, method in every
    ]


def task(problem, method, g_rate, d_rate, seed, steps, setting):
    """Returns one task, a dictionary."""
    return {
        "problem": problem,
        "method": method,
        "g_rate": float(g_rate),
        "d_rate": float(d_rate),
        "seed": int(seed),
        "steps": steps,
        **setting,
    }


def setting(changes):
    """Returns the setting with changes, strings "name=value"."""
    changed = dict(training.SETTING)
    for change in changes:
        name, value = change.split("=")
        if name not in changed:
            raise ValueError(
                f"--change must be of one of {list(training.SETTING)}. "
                f"Received: {change}."
            )
        changed[name] = float(value)
    return changed


def run(wanted, path, processes, train=training.train):
    """Returns the results of tasks: those that the file has, and the others run.

    Args:
        wanted: List of tasks, dictionaries of the same names.
        path: `pathlib.Path` of a file of JSON lines.
        processes: Runs at once.
        train: Function from a task to the task with what came of it.
    """
    names = list(wanted[0]) if wanted else []

    def key(result):
        return tuple(result.get(name) for name in names)

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.exists() else []
    known = {}
    for line in lines:
        result = json.loads(line)
        known[key(result)] = result
    missing = [task for task in wanted if key(task) not in known]
    if not missing:
        return [known[key(task)] for task in wanted]
    context = multiprocessing.get_context("spawn")
    # A process of its own for a few runs: TensorFlow's graphs pile up.
    pool = context.Pool(processes, _quiet, maxtasksperchild=8)
    with pool, path.open("a") as file:
        for number, result in enumerate(pool.imap_unordered(train, missing)):
            known[key(result)] = result
            print(json.dumps(result), file=file, flush=True)
            print(f"{number + 1} of {len(missing)}", end="\r", file=sys.stderr)
    return [known[key(task)] for task in wanted]


def _quiet():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def by_place(results):
    """Returns results as {method: {(problem, rates, seed): result}}."""
    found = {}
    for result in results:
        place = tuple(result[name] for name in ("problem", "g_rate", "d_rate", "seed"))
        found.setdefault(result["method"], {})[place] = result
    return found


def summary(values):
    """Returns "mean ± sd (worst)" of numbers of which more is better."""
    values = np.array(values)
    return f"{values.mean():.3f} ± {values.std():.3f} (worst {values.min():.3f})"


def gain(pairs):
    """Returns "mean ± standard error" of what the first of each pair has more."""
    gained = np.array([one - other for one, other in pairs])
    error = gained.std(ddof=1) / np.sqrt(len(gained))
    return f"{gained.mean():+.3f} ± {error:.3f}"


def define_flags(problem_names, rates):
    """Defines the flags that the scripts share, with these defaults."""
    flags.DEFINE_list("problems", problem_names, "Names of problems.")
    flags.DEFINE_list("methods", list(methods.METHODS), "Names of methods.")
    flags.DEFINE_list("rates", rates, "Rates of each player; all pairs.")
    flags.DEFINE_integer("steps", 5000, "Plain steps of each run.", 100)
    flags.DEFINE_integer("processes", os.cpu_count(), "Runs at once.", 1)
    flags.DEFINE_string("results", "build/quality/rates.jsonl", "File of all runs.")
    about = f"Changes of the setting, name=value: {', '.join(training.SETTING)}."
    flags.DEFINE_list("change", [], about)


def check_names(given):
    """Raises `app.UsageError` if the flags name a problem or method that is none."""
    for name, known in (("problems", problems.PROBLEMS), ("methods", methods.METHODS)):
        unknown = sorted(set(given[name].value) - set(known))
        if unknown:
            raise app.UsageError(
                f"--{name} must be some of {list(known)}. Received: {unknown}."
            )
