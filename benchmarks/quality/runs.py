"""Runs, kept in a file so that none is run twice, and tables of them."""

import itertools
import json
import multiprocessing
import os
import pathlib
import signal
import sys

import methods
import numpy as np
import tensorflow as tf
import training
from absl import app, flags

# Seeds of tuning are smaller.
FIRST_FRESH = 100
# What all methods have alike on fresh seeds.
EQUAL = ("evaluations", "seconds")


def grid(problem_names, method_names, rates, seeds, steps, setting):
    """Returns the tasks of all pairs of learning rates, a list of dictionaries.

    Args:
        problem_names: List of strings.
        method_names: List of strings.
        rates: List of strings: rates, of which all pairs are taken, or pairs "G:D".
        seeds: List of numbers.
        steps: Plain steps of each run.
        setting: Dictionary.
    """
    pairs = [pair.split(":") for pair in rates if ":" in pair]
    pairs += itertools.product(*[[rate for rate in rates if ":" not in rate]] * 2)
    every = itertools.product(seeds, problem_names, pairs, method_names)
    return [
        task(problem, method, *pair, seed, steps, setting)
        for seed, problem, pair, method in every
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


def setting(changes, default=training.SETTING):
    """Returns the setting with changes, strings "name=value"."""
    changed = dict(default)
    for change in changes:
        name, value = change.split("=")
        if name not in changed:
            raise ValueError(
                f"--change must be of one of {list(default)}. Received: {change}."
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
    try:
        with pool, path.open("a") as file:
            for number, result in enumerate(pool.imap_unordered(train, missing)):
                known[key(result)] = result
                print(json.dumps(result), file=file, flush=True)
                print(f"{number + 1} of {len(missing)}", end="\r", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {path} has what was run; the same command goes on.")
    return [known[key(task)] for task in wanted]


def _quiet():
    # Ctrl-C is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def by_place(results):
    """Returns results as {method: {(problem, rates, seed): result}}."""
    found = {}
    for result in results:
        place = tuple(result[name] for name in ("problem", "g_rate", "d_rate", "seed"))
        found.setdefault(result["method"], {})[place] = result
    return found


def best_rates(results, score):
    """Returns {(problem, method): pair of rates} of the highest mean score.

    Args:
        results: Results.
        score: Function from a result to a number, the more the better.
    """
    scores = {}
    for result in results:
        which = result["problem"], result["method"]
        pair = result["g_rate"], result["d_rate"]
        scores.setdefault(which, {}).setdefault(pair, []).append(score(result))
    return {
        which: max(pairs, key=lambda pair: np.mean(pairs[pair]))
        for which, pairs in scores.items()
    }


def summary(values, digits=3, worst=min):
    """Returns "mean ± sd (worst)" of numbers; the least is the worst by default."""
    each = (np.mean(values), np.std(values), worst(values))
    mean, deviation, last = (f"{value:.{digits}f}" for value in each)
    return f"{mean} ± {deviation} (worst {last})"


def gain(pairs, digits=3):
    """Returns "mean ± standard error" of what the first of each pair has more."""
    gained = np.array([one - other for one, other in pairs])
    error = gained.std(ddof=1) / np.sqrt(len(gained))
    return f"{gained.mean():+.{digits}f} ± {error:.{digits}f}"


def define_flags(
    problem_names,
    rates,
    method_names=methods.METHODS,
    steps=5000,
    results="build/quality/rates.jsonl",
    setting=training.SETTING,
):
    """Defines the flags that the scripts share, with these defaults."""
    flags.DEFINE_list("problems", problem_names, "Names of problems.")
    flags.DEFINE_list("methods", list(method_names), "Names of methods.")
    about = "Rates of each player, all pairs; or pairs themselves, as 1e-4:1e-3."
    flags.DEFINE_list("rates", rates, about)
    flags.DEFINE_integer("steps", steps, "Plain steps of each run.", 100)
    flags.DEFINE_integer("processes", os.cpu_count(), "Runs at once.", 1)
    flags.DEFINE_string("results", results, "File of all runs.")
    about = f"Changes of the setting, name=value: {', '.join(setting)}."
    flags.DEFINE_list("change", [], about)


def define_tuning_flags(fresh_seeds):
    """Defines the flags of scripts that tune first."""
    flags.DEFINE_list("tuning_seeds", ["0"], "Seeds of tuning.")
    about = "Seeds of the table: 100, 101, ..."
    flags.DEFINE_integer("fresh_seeds", fresh_seeds, about, 2)


def define_equal_flag():
    """Defines the flag of scripts that can compare methods at equal seconds."""
    about = "What methods have alike in the table; in tuning: evaluations of gradients."
    flags.DEFINE_enum("equal", EQUAL[0], EQUAL, about)


def check_names(flag, names, known):
    """Raises `app.UsageError` if a flag names what is none of those known."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise app.UsageError(
            f"--{flag} must be some of {list(known)}. Received: {unknown}."
        )


def quality(result):
    """Returns the quality of a result."""
    return result["quality"]


def lengths(results, steps):
    """Returns {(problem, method): plain steps that take the baseline's processor time}.

    Args:
        results: Results, the baseline's among them, all of so many steps.
        steps: The baseline's.
    """
    seconds = {}
    for result in results:
        which = result["problem"], result["method"]
        seconds.setdefault(which, []).append(result["processor_seconds"])
    mean = {which: np.mean(each) for which, each in seconds.items()}
    return {
        (problem, method): round(steps * mean[problem, methods.BASELINE] / taken)
        for (problem, method), taken in mean.items()
    }


def tuned(
    given,
    problem_names,
    setting,
    train=training.train,
    score=quality,
    tuned_as=None,
    equal=EQUAL[0],
):
    """Tunes each method on each problem; returns the results on fresh seeds.

    Args:
        given: The flags.
        problem_names: List of strings.
        setting: Dictionary.
        train: As in `run`.
        score: Function from a result to a number, the more the better.
        tuned_as: Dictionary, method -> the method whose rates it takes over.
        equal: One of `EQUAL`. By seconds, those of the baseline's runs of tuning.
    """
    taken, path = tuned_as or {}, pathlib.Path(given.results)
    tuning = grid(
        problem_names,
        # In order, each once.
        list(dict.fromkeys(taken.get(name, name) for name in given.methods)),
        given.rates,
        given.tuning_seeds,
        given.steps,
        setting,
    )
    results = run(tuning, path, given.processes, train)
    best = best_rates(results, score)
    steps = {which: given.steps for which in best}
    if equal == "seconds":
        if methods.BASELINE not in given.methods:
            raise app.UsageError(
                f"--equal=seconds takes those of {methods.BASELINE!r}, which --methods "
                f"must name. Received: {given.methods}."
            )
        steps = lengths(results, given.steps)
    fresh = [
        task(
            problem,
            method,
            *best[problem, taken.get(method, method)],
            FIRST_FRESH + seed,
            steps[problem, taken.get(method, method)],
            setting,
        )
        # A seed of all before the next seed of one: a table can be read on the way.
        for seed in range(given.fresh_seeds)
        for problem in problem_names
        for method in given.methods
    ]
    return run(fresh, path, given.processes, train)
