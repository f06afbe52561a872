"""What a run leaves, and how far two runs lie apart."""

import numpy as np

from tests.conformance.networks import NUM_CLASSES

LOGS = 1e-5


def samples(gan, source="current"):
    """Returns samples of a model from a fixed seed."""
    labels = np.arange(5) % NUM_CLASSES if gan.conditional else None
    return gan.sample(5, seed=7, source=source, labels=labels)


def outcome(gan, logs):
    """Returns {name: array} of what a run leaves: weights, slots, logs, samples."""
    variables = {f"{i} {v.path}": v for i, v in enumerate(gan.weights)}
    for player in ("d", "g"):
        optimizer = getattr(gan, f"{player}_optimizer")
        for index, variable in enumerate(optimizer.variables):
            variables[f"{player} {index} {variable.path}"] = variable
    found = {name: np.array(variable) for name, variable in variables.items()}
    for name, array in found.items():
        # NumPy's files know no bfloat16; float32 holds its numbers exactly.
        if array.dtype.isbuiltin != 1:
            found[name] = array.astype("float32")
    for log, values in logs.items():
        found[f"log {log}"] = np.array(values, "float64")
    for source in ("current", "average", "mixture"):
        kept = {
            "average": gan.generator_average,
            "mixture": gan.generator_bank,
        }.get(source, gan)
        if kept is not None:
            found[f"samples {source}"] = samples(gan, source)
    return found


def difference(left, right):
    """Returns the largest relative difference of two outcomes, and where it is.

    Each array is compared in the maximum norm, relative to its own largest entry, or
    to 0.01 if that is smaller: a bias that is almost 0 is a sum that almost cancels.
    """
    assert len(left) == len(right) > 0
    worst, where = 0.0, ""
    for (name, a), b in zip(left.items(), right.values(), strict=True):
        assert a.shape == b.shape, name
        if not a.size:
            continue
        gap = np.max(np.abs(a.astype("float64") - b.astype("float64")))
        gap = gap / max(np.max(np.abs(a)), 1e-2)
        if not gap <= worst:
            worst, where = gap, name
    return float(worst), where


def compare(expected, found):
    """Returns the largest relative difference of two outcomes, logs apart.

    Logs are means that Keras keeps in float32, whatever the networks compute in: they
    must agree to that precision.
    """
    left, right = (
        {key: value for key, value in run.items() if key.startswith("log")}
        for run in (expected, found)
    )
    gap, where = difference(left, right)
    assert gap <= LOGS, (where, gap)
    left, right = (
        {key: value for key, value in run.items() if not key.startswith("log")}
        for run in (expected, found)
    )
    return difference(left, right)[0]
