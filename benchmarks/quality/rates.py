"""Which methods train well at which learning rates: small networks, 2-D mixtures.

    python benchmarks/quality/rates.py --results=build/rates.jsonl

Every method gets the same gradient evaluations (a step of k gradients counts k), the
same pairs of learning rates and the same seeds. A run is good if it finds the modes
that its problem asks for and most samples lie near one, in the better of live and
averaged generator. Runs that are in the results already are not run again, so the
command can be interrupted; it prints the table from all of them.
"""

import itertools
import json
import multiprocessing
import os
import pathlib
import time

import keras
import methods
import numpy as np
import problems
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_list("problems", ["ring", "grid 3x3"], "Names of problems.")
flags.DEFINE_list("methods", list(methods.METHODS), "Names of methods.")
flags.DEFINE_list("rates", ["1e-4", "1e-3", "1e-2"], "Rates of each player; all pairs.")
flags.DEFINE_list("seeds", ["0"], "Seeds.")
flags.DEFINE_integer("steps", 5000, "Plain steps of each run.", 100)
flags.DEFINE_integer("processes", os.cpu_count(), "Runs at once.", 1)
flags.DEFINE_string("results", "build/quality/rates.jsonl", "File of all runs.")
flags.DEFINE_list(
    "change",
    [],
    "Changes of the setting, name=value: beta_1, width, batch_size, data_scale, "
    "output_scale.",
)

SETTING = {
    "beta_1": 0.5,
    "width": 32,
    "batch_size": 64,
    "data_scale": 1.0,
    "output_scale": 1.0,
}


def train(task):
    """Runs one task; returns it with what came of it."""
    problem = problems.PROBLEMS[task["problem"]]
    method = methods.METHODS[task["method"]]
    seed, width = task["seed"], int(task["width"])
    keras.utils.set_random_seed(seed)
    discriminator = methods.network(2, 1, width, 2 * seed)
    generator = methods.network(8, 2, width, 2 * seed + 1)
    last = generator.layers[-1].kernel
    last.assign(last * task["output_scale"])
    gan = kgg.GAN(
        discriminator, generator, average_decay=0.998, seed=seed, **method.model()
    )
    adams = [
        keras.optimizers.Adam(rate, beta_1=task["beta_1"])
        for rate in (task["d_rate"], task["g_rate"])
    ]
    gan.compile(*adams, steps_per_execution=10, **method.compile())
    points = problem.points(100_000, seed + 1) * task["data_scale"]
    data = tf.data.Dataset.from_tensor_slices(points.astype("float32")).repeat()
    data = data.batch(int(task["batch_size"]), drop_remainder=True)
    steps = int(task["steps"] / method.evaluations) // 10 * 10
    began, processor = time.perf_counter(), time.process_time()
    found = {"failed": None, "modes": 0.0, "near": 0.0}
    try:
        logs = gan.fit(
            data, steps_per_epoch=steps, verbose=0, callbacks=method.callbacks()
        ).history
    except kgg.NonFiniteError as error:
        found["failed"] = str(error)
        logs = {"d_accuracy": [float("nan")]}
    found["seconds"] = time.perf_counter() - began
    found["processor_seconds"] = time.process_time() - processor
    found["d_accuracy"] = float(logs["d_accuracy"][-1])
    for source in ("current", "average") if found["failed"] is None else ():
        samples = gan.sample(problems.SAMPLES, seed=0, source=source)
        modes, near = problem.score(samples / task["data_scale"])
        found[source] = [modes, near]
        if modes * near > found["modes"] * found["near"]:
            found["modes"], found["near"] = modes, near
    found["quality"] = found["modes"] * found["near"] / len(problem.centers)
    found["good"] = (
        found["modes"] >= problem.fewest and found["near"] >= problem.nearest
    )
    return {**task, **found}


def tasks():
    """Returns what the flags ask for, a list of dictionaries."""
    setting = dict(SETTING)
    for change in FLAGS.change:
        name, value = change.split("=")
        setting[name] = float(value)
    every = itertools.product(
        FLAGS.seeds, FLAGS.problems, FLAGS.rates, FLAGS.rates, FLAGS.methods
    )
    return [
        {
            "problem": problem,
            "method": method,
            "g_rate": float(g_rate),
            "d_rate": float(d_rate),
            "seed": int(seed),
            "steps": FLAGS.steps,
            **setting,
        }
        for seed, problem, g_rate, d_rate, method in every
    ]


def run(wanted, path):
    """Returns the results of tasks: those that the file has, and the others run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.exists() else []
    known = {}
    for line in lines:
        result = json.loads(line)
        known[_key(result)] = result
    missing = [task for task in wanted if _key(task) not in known]
    context = multiprocessing.get_context("spawn")
    # A process of its own for a few runs: TensorFlow's graphs pile up.
    pool = context.Pool(FLAGS.processes, _quiet, maxtasksperchild=8)
    with pool, path.open("a") as file:
        for number, result in enumerate(pool.imap_unordered(train, missing)):
            known[_key(result)] = result
            print(json.dumps(result), file=file, flush=True)
            print(f"{number + 1} of {len(missing)}", end="\r", flush=True)
    return [known[_key(task)] for task in wanted]


def _quiet():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _key(task):
    names = ("problem", "method", "g_rate", "d_rate", "seed", "steps", *SETTING)
    return tuple(task[name] for name in names)


def table(results):
    """Returns the lines of a Markdown table."""
    lines = [
        "| method | n | good | quality | against R1 + decay | won, lost | failed "
        "| seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_method = {}
    for result in results:
        place = tuple(result[name] for name in ("problem", "g_rate", "d_rate", "seed"))
        by_method.setdefault(result["method"], {})[place] = result
    baseline = by_method.get("R1 + decay", {})
    for name, runs in by_method.items():
        each = list(runs.values())
        quality = np.array([run["quality"] for run in each])
        pairs = [(run, baseline[at]) for at, run in runs.items() if at in baseline]
        gained = np.array([a["quality"] - b["quality"] for a, b in pairs])
        against, won = "", ""
        if name != "R1 + decay" and len(pairs) > 1:
            error = gained.std(ddof=1) / np.sqrt(len(gained))
            against = f"{gained.mean():+.3f} ± {error:.3f}"
            won = (
                f"{sum(a['good'] and not b['good'] for a, b in pairs)}, "
                f"{sum(b['good'] and not a['good'] for a, b in pairs)}"
            )
        good = np.mean([run["good"] for run in each])
        failed = sum(run["failed"] is not None for run in each)
        seconds = np.mean([run["seconds"] for run in each])
        lines.append(
            f"| {name} | {len(each)} | {good:.2f} "
            f"| {quality.mean():.3f} ± {quality.std():.3f} (worst {quality.min():.3f}) "
            f"| {against} | {won} | {failed} | {seconds:.0f} |"
        )
    return lines


def main(argv):
    """Runs what is missing and prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    for name, known in (
        ("problems", problems.PROBLEMS),
        ("methods", methods.METHODS),
    ):
        unknown = sorted(set(FLAGS[name].value) - set(known))
        if unknown:
            raise app.UsageError(
                f"--{name} must be some of {list(known)}. Received: {unknown}."
            )
    print("\n".join(table(run(tasks(), pathlib.Path(FLAGS.results)))))


if __name__ == "__main__":
    app.run(main)
