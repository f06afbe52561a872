"""Figures of a population; matplotlib is imported when the first one is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gamegan.population import members, payoff_table
from keras_gamegan.sampling import pictures

# A matrix with more cells than this a side shows no numbers.
_MAX_NUMBERED = 10
# Step numbers under an axis at most: more would run into each other.
_MAX_TICKS = 12


def draw_payoffs(table: payoff_table.PayoffMatrix) -> Any:
    """Returns the figure of a `PayoffMatrix` and its Nash mixture."""
    p, q, value = table.equilibrium()
    rows, columns = table.values.shape
    width = min(max(6.4, 2.6 + 0.62 * columns), 10.5)
    height = min(max(5.0, 2.0 + 0.46 * rows), 8.5)
    figure = _figure(figsize=(width, height))
    # The margins keep their size, whatever the matrix's.
    grid = figure.add_gridspec(
        2,
        3,
        width_ratios=(width - 2.9, 1.1, 0.2),
        height_ratios=(1.0, height - 1.9),
        hspace=0.04,
        wspace=0.04,
    )
    main = figure.add_subplot(grid[1, 0])
    top = figure.add_subplot(grid[0, 0])
    right = figure.add_subplot(grid[1, 1])
    image = main.imshow(table.values, cmap="Greys", aspect="auto")
    if max(rows, columns) <= _MAX_NUMBERED:
        _write_numbers(main, table.values, image)
    _label_steps(main.xaxis, table.discriminator_steps)
    _label_steps(main.yaxis, table.generator_steps)
    main.set(xlabel="discriminator's step", ylabel="generator's step")
    main.tick_params(axis="x", rotation=45)
    top.bar(np.arange(columns), q, color="0.35", width=0.8)
    top.set(ylabel="Nash share", ylim=(0, 1.05), xlim=main.get_xlim(), xticks=[])
    right.barh(np.arange(rows), p, color="0.35", height=0.8)
    right.set(xlabel="Nash share", xlim=(0, 1.05), ylim=main.get_ylim(), yticks=[])
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[1, 2]))
    bar.set_label("value V: dark is high")
    figure.suptitle(f"Value of the game of stored models: {value:.4f}")
    return figure


def draw_ages(
    generators: Sequence[members.Member], discriminators: Sequence[members.Member]
) -> Any:
    """Returns the figure of the members' probabilities over their ages."""
    figure = _figure(figsize=(7.0, 4.8))
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    oldest = max(member.age for member in [*generators, *discriminators])
    for axis, side, marker in zip(
        axes, (generators, discriminators), ("o", "s"), strict=True
    ):
        ages = [member.age for member in side]
        probabilities = [member.probability for member in side]
        axis.vlines(ages, 0, probabilities, color="0.35")
        axis.plot(ages, probabilities, marker, color="0.15", markersize=6)
        # Open: the live model, whose age is 0.
        axis.plot(
            ages[-1], probabilities[-1], marker, color="0.15", mfc="white", markersize=8
        )
        axis.set_title(
            f"{len(side)} {side[0].side}{'s' if len(side) > 1 else ''}; open: live",
            fontsize=10,
        )
        axis.set(ylabel="share", ylim=(0, 1.08))
        axis.grid(alpha=0.3)
    margin = 0.04 * max(oldest, 1)
    # Time runs to the right, as in every other figure of training.
    axes[1].set(xlim=(oldest + margin, -margin), xlabel="age in training steps")
    return figure


def _figure(**arguments: Any) -> Any:
    # Not pyplot: a library must not touch the user's figures.
    backend_agg = pictures.import_matplotlib("backends.backend_agg")
    Figure = pictures.import_matplotlib("figure").Figure

    figure = Figure(layout="constrained", **arguments)
    backend_agg.FigureCanvasAgg(figure)
    return figure


def _write_numbers(axis: Any, values: np.ndarray, image: Any) -> None:
    middle = sum(image.get_clim()) / 2
    for (row, column), value in np.ndenumerate(values):
        axis.text(
            column,
            row,
            f"{value:.3f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if value > middle else "black",
        )


def _label_steps(axis: Any, steps: np.ndarray) -> None:
    every = -(-len(steps) // _MAX_TICKS)
    # Counted from the live model, the last, which is always named.
    ticks = np.arange(len(steps) - 1, -1, -every)[::-1]
    axis.set_ticks(ticks, [str(steps[tick]) for tick in ticks])
