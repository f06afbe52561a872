"""Curves of several runs; matplotlib is imported when the first one is drawn."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras_gamegan.sampling import pictures

# Panels beside each other at most.
_COLUMNS = 3


def draw_curves(runs: Mapping[str, Mapping[str, Sequence[float]]]) -> Any:
    """Returns a figure with a panel for each log and a line for each run.

    Args:
        runs: Name of the run -> name of the log -> its value at every epoch.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    # Not pyplot: a library must not touch the user's figures.
    backend_agg = pictures.import_matplotlib("backends.backend_agg")
    Figure = pictures.import_matplotlib("figure").Figure

    names = list(dict.fromkeys(name for logs in runs.values() for name in logs))
    columns = min(len(names), _COLUMNS)
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(3.6 * columns, 2.5 * rows + 0.4), layout="constrained")
    backend_agg.FigureCanvasAgg(figure)
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        for number, logs in enumerate(runs.values()):
            values = logs.get(name, ())
            # A single epoch is a point, which a line would not show.
            marker = "o" if len(values) == 1 else None
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=f"C{number}", marker=marker, linewidth=1.2)
        axes.set_title(name, fontsize="medium")
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if index >= len(names) - columns:
            axes.set_xlabel("epoch")
    lines = figure.axes[0].get_lines()
    figure.legend(lines, list(runs), loc="outside upper left", ncols=4, frameon=False)
    return figure
