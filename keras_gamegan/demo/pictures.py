"""The pictures of the demonstration."""

import io
from typing import Any

import numpy as np

from keras_gamegan import optional
from keras_gamegan.demo import runs as runs_module
from keras_gamegan.demo import verdict
from keras_gamegan.sampling import pictures

COLORS = {"GAN": "#4c72b0", "DualityGapGAN": "#dd8452", "FictitiousGAN": "#55a868"}
_LIMIT = 1.6


def _figure(size: tuple[float, float]) -> Any:
    figure = pictures.import_matplotlib("figure").Figure(
        figsize=size, dpi=100, layout="constrained"
    )
    pictures.import_matplotlib("backends.backend_agg").FigureCanvasAgg(figure)
    return figure


def _scatter(axes: Any, points: np.ndarray, color: str, data: np.ndarray) -> None:
    axes.scatter(*data.T, s=1, color="0.8", linewidths=0)
    axes.scatter(*points.T, s=3, color=color, linewidths=0, alpha=0.7)
    axes.set(xlim=(-_LIMIT, _LIMIT), ylim=(-_LIMIT, _LIMIT), xticks=[], yticks=[])
    axes.set_aspect("equal")


def multiples(runs: list[runs_module.Run], regimes: list[str]) -> bytes:
    """Returns a PNG: a row for each trainer, a column for each regime and seed."""
    seeds = sorted({run.seed for run in runs})
    columns = [(regime, seed) for regime in regimes for seed in seeds]
    found = {(run.trainer, run.regime, run.seed): run for run in runs}
    data = np.asarray(runs_module.ring().sample(600, seed=1))
    figure = _figure((1.2 * len(columns) + 0.4, 1.35 * len(runs_module.TRAINERS) + 0.3))
    parts = figure.subfigures(1, len(regimes), squeeze=False)[0]
    for part, regime in zip(parts, regimes, strict=True):
        part.suptitle(regime, fontsize=10)
        grid = part.subplots(len(runs_module.TRAINERS), len(seeds), squeeze=False)
        for line, trainer in zip(grid, runs_module.TRAINERS, strict=True):
            for axes, seed in zip(line, seeds, strict=True):
                run = found[trainer, regime, seed]
                _scatter(axes, run.frames[-1], COLORS[trainer], data)
                told = f"{run.modes} of {runs_module.NUM_MODES}"
                bad = run.modes < runs_module.NUM_MODES
                color = "#c0392b" if bad else "0.2"
                told = "failed" if run.failure else told
                axes.set_title(told, fontsize=8, color=color, pad=2)
            if regime == regimes[0]:
                line[0].set_ylabel(trainer, fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def animation(runs: list[runs_module.Run], regime: str, seed: int) -> bytes:
    """Returns a GIF: the trainers side by side over one seed's training."""
    image = optional.load("PIL.Image", "examples", "An animation")
    data = np.asarray(runs_module.ring().sample(600, seed=1))
    shown = [
        run
        for trainer in runs_module.TRAINERS
        for run in verdict.of(trainer, regime, runs)
        if run.seed == seed
    ]
    length = max(len(run.frames) for run in shown)
    frames = []
    for index in range(length):
        figure = _figure((2.1 * len(shown), 2.4))
        for axes, run in zip(figure.subplots(1, len(shown)), shown, strict=True):
            place = min(index, len(run.frames) - 1)
            _scatter(axes, run.frames[place], COLORS[run.trainer], data)
            done = run.evaluations * (place + 1) // len(run.frames)
            axes.set_title(f"{run.trainer}\n{done:,} gradients", fontsize=8)
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        frames.append(image.fromarray(pixels).quantize(64))
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[200] * (length - 1) + [2500],
        loop=0,
    )
    return buffer.getvalue()
