"""The plot of step time against the depth of the search and against the capacity."""

import pathlib
import re

NETWORKS = {"dcgan": "DCGAN, batch 64", "mlp": "MLP, batch 256"}


def _points(rows, networks, pattern):
    """Returns the rows of these networks that match, as lists (x, ms, bound)."""
    found = []
    for row in rows:
        match = re.search(pattern, row.what)
        if match and row.networks == networks:
            found.append((int(match.group(1)), row.milliseconds, row.bound))
    return [list(column) for column in zip(*sorted(found), strict=True)]


def write(rows, path):
    """Draws two panels for each pair of networks and writes a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in NETWORKS if any(row.networks == name for row in rows)]
    figure, axes = pyplot.subplots(
        len(names), 2, figsize=(9, 3.4 * len(names)), squeeze=False
    )
    for (left, right), name in zip(axes, names, strict=True):
        for optimizer, color in (("sgd", "C0"), ("adam", "C1")):
            pattern = rf"`DualityGapGAN`, k = (\d+), {optimizer} "
            points = _points(rows, name, pattern)
            if points:
                depths, times, bounds = points
                left.plot(depths, times, "o-", color=color, label=optimizer)
                left.plot(depths, bounds, ":", color=color, label=f"{optimizer}, bound")
        left.set_xlabel("steps k of the search")
        for kind, color in (("sampled", "C2"), ("full", "C3")):
            pattern = rf"`FictitiousGAN`, {kind}, capacity (\d+) / `GAN`"
            points = _points(rows, name, pattern)
            if points:
                sizes, times, bounds = points
                right.plot(sizes, times, "o-", color=color, label=kind)
                right.plot(sizes, bounds, ":", color=color, label=f"{kind}, bound")
        right.set_xlabel("capacity of the history")
        right.set_xscale("log")
        right.set_yscale("log")
        for axis, title in ((left, "duality gap"), (right, "fictitious play")):
            axis.set_title(f"{NETWORKS[name]}: {title}", fontsize=10)
            axis.set_ylabel("ms per step")
            axis.grid(alpha=0.3)
            if axis.has_data():
                axis.legend(fontsize=8)
    figure.tight_layout()
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
