"""Histories of several runs, side by side."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_gamegan.reporting import curves

Logs = dict[str, list[float]]


class Comparison:
    """The logs of several runs: a table where it is printed, a figure by `figure()`.

    Made by `kgg.compare`. In a notebook it shows itself as a table.

    Attributes:
        runs: Name of the run -> name of the log -> its value at every epoch.
        logs: Names of the logs, in the order in which they first occur.
    """

    def __init__(self, runs: dict[str, Logs]) -> None:
        self.runs = runs
        self.logs = list(dict.fromkeys(name for logs in runs.values() for name in logs))

    def rows(self) -> list[dict[str, Any]]:
        """Returns a dictionary for each run and log.

        With the keys "run", "log", "last", "lowest", "lowest_epoch", "highest",
        "highest_epoch"; epochs count from 1. What is not finite is neither the lowest
        nor the highest. `pandas.DataFrame(comparison.rows())` is a data frame.
        """
        return [
            {"run": run, "log": name, **_summary(logs[name])}
            for name in self.logs
            for run, logs in self.runs.items()
            if name in logs
        ]

    def figure(self) -> Any:
        """Returns a `matplotlib.figure.Figure`: a panel for each log, a line a run."""
        return curves.draw_curves(self.runs)

    def __str__(self) -> str:
        """Returns the table as text: each log's last value, and its range."""
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) for cell, width in zip(line, widths, strict=True)
            )
            for line in cells
        ]
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Returns the table as HTML; called by notebooks."""
        head, *body = [[html.escape(cell) for cell in line] for line in self._cells()]
        text = "".join(f"<th>{cell}</th>" for cell in head)
        lines = [f"<tr>{text}</tr>"]
        for name, *values in body:
            text = "".join(f"<td>{value}</td>" for value in values)
            lines.append(f"<tr><th>{name}</th>{text}</tr>")
        return f"<table>{''.join(lines)}</table>"

    def _cells(self) -> list[list[str]]:
        lines = [["last (lowest to highest)", *self.runs]]
        for name in self.logs:
            line = [name]
            for logs in self.runs.values():
                line.append(_text(_summary(logs[name])) if name in logs else "-")
            lines.append(line)
        epochs = [str(max(map(len, logs.values()))) for logs in self.runs.values()]
        return [*lines, ["epochs", *epochs]]


def compare(
    histories: Mapping[str, Any], logs: Iterable[str] | None = None
) -> Comparison:
    """Puts the histories of several runs side by side, as a table and a figure.

    Args:
        histories: Name of a run -> what its `fit` returned, or that's `history`
            dictionary. Runs may differ in length and in what they logged.
        logs: Names of the logs to compare, in this order; default: all that any of the
            runs has.

    Returns:
        A `Comparison`: print it, or show it in a notebook, for the table; `rows()` are
        its numbers and `figure()` the curves.

    Raises:
        TypeError: If there is no dictionary of histories.
        ValueError: If a history is empty, or no run has one of the logs.

    Example:
        >>> import keras_gamegan as kgg
        >>> hinge = {"d_loss": [1.2, 1.0], "g_loss": [0.5, 0.7]}
        >>> both = kgg.compare({"hinge": hinge, "r1": {"d_loss": [0.9, 0.8, 0.85]}})
        >>> print(both)
        last (lowest to highest)  hinge             r1
        d_loss                    1 (1 to 1.2)      0.85 (0.8 to 0.9)
        g_loss                    0.7 (0.5 to 0.7)  -
        epochs                    2                 3
        >>> both.rows()[1]["lowest_epoch"]
        2
    """
    if not isinstance(histories, Mapping):
        raise TypeError(
            "`histories` must be a dictionary {name of the run: history}. Received: "
            f"histories={histories!r} (of type {type(histories).__name__}). Give each "
            'run a name: kgg.compare({"r1": gan.fit(...), ...}).'
        )
    if not histories:
        raise ValueError(
            "`histories` must hold at least one run. Received: histories={}."
        )
    chosen = None if logs is None else list(logs)
    runs = {str(run): _logs(run, history) for run, history in histories.items()}
    if chosen is not None:
        known = sorted({name for each in runs.values() for name in each})
        for name in chosen:
            if name not in known:
                raise ValueError(
                    f"`logs` must be names of logs. Received: {name!r}, but there are "
                    f"only {known}."
                )
        runs = {
            run: {name: each[name] for name in chosen if name in each}
            for run, each in runs.items()
        }
        without = [run for run, each in runs.items() if not each]
        if without:
            raise ValueError(
                f"Each run must have one of the `logs`. Received: {without[0]!r} with "
                f"none of {chosen}. Leave the run out, or compare other logs."
            )
    return Comparison(runs)


def _logs(run: str, history: Any) -> Logs:
    """Returns a history's numbers: those of a `History`, or of its dictionary."""
    taken = getattr(history, "history", history)
    if not isinstance(taken, Mapping):
        raise TypeError(
            "A history must be what `fit` returned, or a dictionary {log: numbers}. "
            f"Received: {run!r}: {history!r} (of type {type(history).__name__})."
        )
    found = {}
    for name, values in taken.items():
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in "biuf":
            raise TypeError(
                "A log must be a list of numbers, one for each epoch. Received: "
                f"{name!r} of {run!r}: {values!r}."
            )
        if array.size:
            found[str(name)] = [float(value) for value in array]
    if not found:
        raise ValueError(
            f"A history must hold the logs of an epoch. Received: {run!r} without any. "
            "Pass what `fit` returned after it had trained."
        )
    return found


def _summary(values: Sequence[float]) -> dict[str, Any]:
    finite = [index for index, value in enumerate(values) if math.isfinite(value)]
    low = min(finite, key=lambda index: values[index], default=None)
    high = max(finite, key=lambda index: values[index], default=None)
    return {
        "last": values[-1],
        "lowest": math.nan if low is None else values[low],
        "lowest_epoch": None if low is None else low + 1,
        "highest": math.nan if high is None else values[high],
        "highest_epoch": None if high is None else high + 1,
    }


def _text(summary: Mapping[str, Any]) -> str:
    last, low, high = (summary[name] for name in ("last", "lowest", "highest"))
    return f"{last:.4g} ({low:.4g} to {high:.4g})"
