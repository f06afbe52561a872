"""The page of `demo.py`: its pictures and its table as HTML."""

import html

import numpy as np
from matplotlib.backends import backend_agg
from matplotlib.figure import Figure

_COLORS = {"GAN": "#4c72b0", "DualityGapGAN": "#dd8452", "FictitiousGAN": "#55a868"}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
       padding: 0 1rem; color: #222; }
pre { background: #f5f5f5; padding: 1rem; overflow-x: auto; font-size: 13px; }
img { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: 14px; }
figure { margin: 2rem 0; }
"""


def write(folder, runs, ring, lines):
    """Writes pictures and page; returns the path of the page.

    Args:
        folder: `pathlib.Path`, made if it is missing.
        runs: List of `demo.Run`, one for each trainer.
        ring: The distribution trained on.
        lines: Lines of the table.

    Returns:
        `pathlib.Path` of index.html.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _save(_samples(runs, ring), folder / "samples.png")
    _save(_losses(runs), folder / "losses.png")
    _save(_gaps(runs), folder / "gap.png")
    seed = runs[0].seed
    body = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>keras_gamegan demo</title>
<style>{_STYLE}</style></head>
<body>
<h1>Three ways to play the GAN game</h1>
<p>A ring of {ring.num_modes} Gaussians, learnt by each trainer with the same number of
gradient evaluations. Pictures of seed {seed}.</p>
<pre>{html.escape(chr(10).join(lines))}</pre>
<figure><img src="samples.png" alt="Samples of every trainer over the data">
<figcaption>Samples (colour) over data (grey). Columns: the live generator, the moving
average of its weights, the mixture of its history.</figcaption></figure>
<figure><img src="gap.png" alt="Duality gap and minimax value over time">
<figcaption>Left: the duality gap on held-out data; 0 at equilibrium. Right: the minimax
value, a measure of the generator alone; the dotted line is a perfect
generator's.</figcaption></figure>
<figure><img src="losses.png" alt="Losses over time">
<figcaption>The losses, for comparison: they say little about the
samples.</figcaption></figure>
</body></html>
"""
    page = folder / "index.html"
    page.write_text(body, encoding="utf-8")
    return page


def _samples(runs, ring):
    columns = max(len(run.samples) for run in runs)
    figure = Figure(figsize=(3.2 * columns, 3.3 * len(runs)), layout="constrained")
    grid = figure.subplots(len(runs), columns, squeeze=False)
    data = ring.sample(2500, seed=2)
    limit = 1.5 * np.abs(data).max()
    for row, run in zip(grid, runs, strict=True):
        for axes, (source, points) in zip(row, run.samples.items(), strict=False):
            found = run.coverage[source]
            axes.scatter(*data.T, s=4, color="#bbbbbb", linewidths=0)
            axes.scatter(*points.T, s=3, color=_COLORS[run.name], linewidths=0)
            modes = f"{found['modes']:.0f} of {ring.num_modes} modes"
            near = f"{100 * found['high_quality']:.0f}% near one"
            axes.set_title(
                f"{run.name}, {source}\n{modes}, {near}",
                fontsize=10,
            )
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            axes.set_xticks([])
            axes.set_yticks([])
        for axes in row[len(run.samples) :]:
            axes.set_axis_off()
    return figure


def _gaps(runs):
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for run in runs:
        cost = run.gradient_evaluations / run.steps
        x = [step * cost for step, _ in run.gaps]
        for axes, field in ((left, "gap"), (right, "minimax")):
            y = np.array([getattr(estimate, field) for _, estimate in run.gaps])
            error = np.array(
                [getattr(estimate, f"{field}_error") for _, estimate in run.gaps]
            )
            color = _COLORS[run.name]
            axes.plot(x, y, marker="o", markersize=3, color=color, label=run.name)
            axes.fill_between(x, y - error, y + error, color=color, alpha=0.2)
    left.axhline(0, color="#888888", linestyle=":")
    right.axhline(-np.log(2), color="#888888", linestyle=":")
    left.set(title="duality gap", xlabel="gradient evaluations")
    right.set(title="minimax value", xlabel="gradient evaluations")
    left.legend(frameon=False)
    return figure


def _losses(runs):
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("d_loss", "g_loss"), strict=True):
        for run in runs:
            cost = run.gradient_evaluations / run.steps
            x = [step * cost for step, _ in run.gaps]
            y = run.history[name]
            axes.plot(x, y, color=_COLORS[run.name], label=run.name)
        axes.set(title=name, xlabel="gradient evaluations")
    figure.axes[0].legend(frameon=False)
    return figure


def _save(figure, path):
    backend_agg.FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110)
