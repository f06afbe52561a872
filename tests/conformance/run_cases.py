"""Trains rows of the table, alone or as one of several workers, and writes outcomes.

    python -m tests.conformance.run_cases --output=FOLDER [--replicas=2] [NAME ...]

With TF_CONFIG in the environment it is one worker; otherwise --replicas says over how
many logical devices the batches are spread.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import traceback

import numpy as np
import tensorflow as tf

from tests import strategies
from tests.conformance import cases, outcomes


def strategy_for(replicas):
    """Returns the strategy, None for one replica; before any other operation."""
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if replicas == 1:
        return None
    return strategies.mirrored(replicas)


def train(name, dtype, strategy=None):
    """Trains a row of the table for 20 steps; returns its outcome."""
    with strategy.scope() if strategy else contextlib.nullcontext():
        gan = cases.build(name, dtype)
    logs = gan.fit(cases.data(name, dtype), epochs=4, verbose=0).history
    scores = gan.evaluate(cases.data(name, dtype), verbose=0, return_dict=True)
    logs.update({f"evaluated {log}": value for log, value in scores.items()})
    assert gan.num_steps == 20
    return outcomes.outcome(gan, logs)


def slug(name, dtype):
    """Returns a row's file name."""
    return f"{name} {dtype}.npz".replace(" ", "_").replace("=", "-")


def run(output, names, dtypes=None, strategy=None):
    """Trains rows and writes their outcomes; returns the names of those that failed."""
    output.mkdir(parents=True, exist_ok=True)
    rank = 0
    if os.environ.get("TF_CONFIG"):
        rank = strategy.cluster_resolver.task_id
    failed = []
    for name in names:
        for dtype in dtypes or ["float64"]:
            try:
                found = train(name, dtype, strategy)
            except Exception:
                # The next rows still count; workers fail together or not at all.
                print(name, dtype)
                traceback.print_exc()
                failed.append(name)
                continue
            if rank == 0:
                path = output / slug(name, dtype)
                np.savez(path, **{k.replace("/", "|"): v for k, v in found.items()})
            print(name, dtype, "done", flush=True)
    return failed


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--dtype", action="append")
    parser.add_argument("names", nargs="*", default=list(cases.CASES))
    options = parser.parse_args(arguments)
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()]
        * (1 if os.environ.get("TF_CONFIG") else 4),
    )
    strategy = strategy_for(options.replicas)
    failed = run(options.output, options.names, options.dtype, strategy)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
