"""Draws what every scheme does on games whose solutions are known.

    python examples/closed_form_games.py --output_dir=runs/closed_form_games

prints a table of iteration counts and writes into the output folder

    game_<name>.png      each scheme's trajectory over the contours of the value
    contraction.png      distance to the equilibrium of M = x y against closed forms
    finite_support.png   fictitious play with exact best responses, by retention rule

The schemes are the very ones that train the Keras models: no second implementation. It
takes a minute or two on two processor cores and needs matplotlib.
"""

import itertools
import os
import pathlib

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

GAMES = ("bilinear", "g1", "g2", "g3", "e3", "e4", "dirac_gan")

# Scheme -> (its title, its colour, the same in every picture).
SCHEMES = {
    "simultaneous": ("simultaneous", "#999999"),
    "alternating": ("alternating", "#56b4e9"),
    "extragradient": ("extragradient", "#009e73"),
    "optimistic": ("optimistic", "#b8860b"),
    "consensus": ("consensus", "#cc79a7"),
    "fictitious_play": ("fictitious play", "#5b3fa0"),
    "duality_gap": ("duality gap", "#d55e00"),
    "unrolled_duality_gap": ("unrolled duality gap", "#0072b2"),
}

FORMULAS = {
    "bilinear": r"$M = xy$",
    "g1": r"$M = -3x^2 - y^2 + 4xy$",
    "g2": r"$M = 3x^2 + y^2 + 4xy$",
    "g3": r"$M = (4x^2 - (y - 3x + x^3/20)^2 - y^4/10)\,e^{-(x^2+y^2)/100}$",
    "e3": r"$M = ((0.3x^2 + y)^2 + (0.1y^2 + x)^2)\,e^{-(x^2+y^2)/100}$",
    "e4": r"$M = \log(1 + e^x) + 3xy - \log(1 + e^y)$",
    "dirac_gan": r"$M = -\log(1 + e^{-xy}) - \log 2$",
}

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "runs/closed_form_games", "Folder the pictures are written to."
)
_GAMES = flags.DEFINE_list("games", list(GAMES), "Games to draw.")
_STEP_SIZE = flags.DEFINE_float("step_size", 0.05, "Step of players and searches.")
_NUM_RESPONSE_STEPS = flags.DEFINE_integer(
    "num_response_steps", 5, "Steps k of the best-response search."
)
_MAX_ITERATIONS = flags.DEFINE_integer("max_iterations", 1000, "Steps at most.")
_HISTORY_CAPACITY = flags.DEFINE_integer(
    "history_capacity", 20, "Models that fictitious play on the plane remembers."
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 20_000, "Rounds of fictitious play on a finite support."
)


def solve_all(names):
    """Returns {game: {scheme: Solution}}."""
    return {
        name: {
            scheme: kgg.games.solve(
                getattr(kgg.games, name)(),
                scheme=scheme,
                step_size=_STEP_SIZE.value,
                num_response_steps=_NUM_RESPONSE_STEPS.value,
                max_iterations=_MAX_ITERATIONS.value,
                history_capacity=_HISTORY_CAPACITY.value,
            )
            for scheme in SCHEMES
        }
        for name in names
    }


def has_left(name, result):
    """Returns whether a run settled far out, where the value is merely flat."""
    start = getattr(kgg.games, name)().start
    return result.converged and np.max(np.abs(result.solution)) > 4 * max(
        1, *np.abs(start)
    )


def verdict(name, result):
    """Returns what became of a run: a number of iterations, or why there is none."""
    if has_left(name, result):
        return "runs off"
    if result.converged:
        return str(result.iterations)
    return "diverges" if result.diverged else "no"


def print_table(results):
    """Prints the iterations of every scheme on every game."""
    width = max(len(title) for title, _ in SCHEMES.values())
    print(
        f"Iterations until no coordinate changes in 5 decimals, step {_STEP_SIZE.value}"
    )
    print(" " * width, *(f"{name:>9}" for name in results))
    for scheme, (title, _) in SCHEMES.items():
        cells = (f"{verdict(name, results[name][scheme]):>9}" for name in results)
        print(f"{title:{width}}", *cells)


def choose_window(name, results):
    """Returns ((left, right), (bottom, top)): what the runs near the start pass.

    What runs off is cut off at the window's edge.
    """
    game = getattr(kgg.games, name)()
    points = [np.zeros(2), np.array(game.start, float)]
    if game.equilibrium is not None:
        points.append(np.array(game.equilibrium, float))
    for result in results.values():
        path = np.stack(result.trajectory, axis=1)
        settles = result.converged and not has_left(name, result)
        if settles or np.max(np.abs(path)) < 2 * np.max(np.abs(game.start)):
            points.extend(path)
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    side = np.maximum(high - low, 0.6 * np.max(high - low)) * 1.25
    middle = (low + high) / 2
    return tuple(zip(middle - side / 2, middle + side / 2, strict=True))


def greys(number):
    """Returns so many greys, all light enough to draw on."""
    return [str(shade) for shade in np.linspace(0.99, 0.68, number)]


def draw_game(plt, name, results, path):
    """Draws one game: a panel per scheme."""
    game = getattr(kgg.games, name)()
    x_range, y_range = choose_window(name, results)
    xs, ys = np.meshgrid(np.linspace(*x_range, 161), np.linspace(*y_range, 161))
    points = tf.constant(np.stack([xs.ravel(), ys.ravel()], axis=1))
    evaluate = tf.function(
        lambda points: tf.vectorized_map(
            lambda point: game.value(point[0], point[1]), points
        )
    ).get_concrete_function(points)
    values = evaluate(points).numpy().reshape(xs.shape)

    figure, axes = plt.subplots(
        2, 4, figsize=(13, 6.8), sharex=True, sharey=True, layout="constrained"
    )
    for axis, (scheme, (title, color)) in zip(axes.flat, SCHEMES.items(), strict=True):
        result = results[scheme]
        # Quantiles: a few huge values at the rim would leave the middle blank.
        levels = np.unique(np.quantile(values, np.linspace(0, 1, 17)))
        axis.contourf(xs, ys, values, levels=levels, colors=greys(len(levels) - 1))
        u, v = result.trajectory
        axis.plot(u, v, color=color, linewidth=1.3)
        if len(u) < 200:
            axis.plot(u, v, ".", color=color, markersize=3)
        axis.plot(u[0], v[0], "o", color="black", markersize=5)
        if not result.diverged and not has_left(name, result):
            axis.plot(*result.solution, "X", color=color, mec="black", ms=9, zorder=4)
        if game.equilibrium is not None:
            axis.plot(
                *game.equilibrium, "*", color="gold", mec="black", ms=13, zorder=3
            )
        outcome = {
            "no": f"not settled in {result.iterations}",
            "diverges": f"diverged after {result.iterations}",
            "runs off": f"ran off in {result.iterations}",
        }.get(verdict(name, result), f"{result.iterations} iterations")
        axis.set_title(f"{title}: {outcome}", fontsize=10)
        axis.set(xlim=x_range, ylim=y_range)
    figure.supxlabel("x (minimises)")
    figure.supylabel("y (maximises)")
    figure.suptitle(
        f"{name}:  {FORMULAS[name]}\n"
        "grey: value M, darker is higher;  dot: start;  star: equilibrium;  "
        "cross: where the scheme ended",
        fontsize=11,
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_contraction(plt, path):
    """Draws the distance to the equilibrium of M = x y, and its closed forms."""
    step = _STEP_SIZE.value
    figure, axes = plt.subplots(
        1, 2, figsize=(12, 5.2), sharex=True, sharey=True, layout="constrained"
    )
    panels = {
        "duality_gap": lambda k: np.hypot(1 - step * k * step, step),
        "unrolled_duality_gap": lambda k: 1 - 2 * step * k * step,
    }
    shades = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, 4))
    for axis, (scheme, factor) in zip(axes, panels.items(), strict=True):
        runs = [("simultaneous", None, "#999999", np.hypot(1, step))]
        runs += [
            (scheme, k, color, factor(k))
            for k, color in zip((5, 10, 25, 50), shades, strict=True)
        ]
        for name, k, color, rate in runs:
            result = kgg.games.solve(
                kgg.games.bilinear(),
                scheme=name,
                step_size=step,
                num_response_steps=k or 0,
                max_iterations=400,
                tolerance_decimals=12,
            )
            distance = np.hypot(*result.trajectory)
            label = "simultaneous" if k is None else f"k = {k}"
            axis.plot(distance, color=color, linewidth=4, alpha=0.45)
            steps = np.arange(len(distance))
            axis.plot(
                distance[0] * rate**steps,
                color=color,
                linestyle=(0, (4, 2)),
                linewidth=1.5,
                label=f"{label}: factor {rate:.4f}",
            )
        axis.set_yscale("log")
        axis.set_ylim(1e-5, 10)
        axis.set_xlabel("iteration")
        axis.grid(alpha=0.3)
        formula = (
            r"$\sqrt{(1 - ake)^2 + a^2}$" if scheme == "duality_gap" else "$1 - 2ake$"
        )
        axis.set_title(f"{SCHEMES[scheme][0]}: contracts by {formula}", fontsize=11)
        axis.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.14),
            ncol=2,
            fontsize=9,
            frameon=False,
        )
    axes[0].set_ylabel("distance to the equilibrium (0, 0)")
    figure.suptitle(
        f"M = xy, steps a = e = {step:g}.  Broad: measured;  dashed: closed form",
        fontsize=12,
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def smooth(distances, num_points=60):
    """Returns (rounds, means) over windows of equal width on a logarithmic axis."""
    edges = np.unique(np.geomspace(1, len(distances), num_points).astype(int))
    centres = np.sqrt(edges[:-1] * edges[1:])
    means = [distances[low:high].mean() for low, high in itertools.pairwise(edges)]
    return centres, means


def draw_finite_support(plt, path):
    """Draws fictitious play with exact best responses on finite supports."""
    rounds = _ROUNDS.value
    figure, axes = plt.subplots(1, 3, figsize=(14.5, 4.8), layout="constrained")

    axis = axes[0]
    for kind, color in (("jsd", "#d55e00"), ("wasserstein", "#0072b2")):
        game = kgg.games.FiniteGAN([0.75, 0.25], kind)
        result = game.fictitious_play([0.9, 0.1], rounds)
        axis.plot(*smooth(result.total_variation), color=color, label=kind)
        if kind == "jsd":
            points = game.alternating_best_response([0.9, 0.1], 200)
            last = np.where(points == 0, 0.25, 0.75)
            axis.plot(
                np.geomspace(1, rounds, 9),
                np.full(9, last.mean()),
                ":",
                color="black",
                label="alternating best response (cycles)",
            )
    axis.set_title("Two points, full history", fontsize=11)
    axis.set_ylabel("total variation, mixture of generators to data")

    data = np.random.default_rng(0).dirichlet(np.ones(8))
    game, start = kgg.games.FiniteGAN(data), np.full(8, 1 / 8)
    geometric_bank = kgg.games.retention.Geometric()
    rules = (
        ("fifo (the last 50)", "fifo", {}, "#999999"),
        ("geometric, random eviction", geometric_bank, {}, "#56b4e9"),
        ("reservoir", "reservoir", {}, "#cc79a7"),
        (
            'reservoir, newest weighted "1/n"',
            "reservoir",
            {"current_weight": "1/n"},
            "#5b3fa0",
        ),
        ("thinned", "thinned", {}, "#009e73"),
        ("geometric, exact discount", "geometric", {}, "#d55e00"),
    )
    axis = axes[1]
    for label, rule, options, color in rules:
        result = game.fictitious_play(start, rounds, rule, capacity=50, **options)
        axis.plot(*smooth(result.total_variation), color=color, label=label)
    full = game.fictitious_play(start, rounds).total_variation
    axis.plot(*smooth(full), color="black", label="all")
    axis.set_title("Eight points (jsd), a history worth 50 models", fontsize=11)

    axis = axes[2]
    shades = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, 4))
    for capacity, color in zip((5, 10, 50, 200), shades, strict=True):
        for rule, style in (("geometric", "-"), ("fifo", ":")):
            result = game.fictitious_play(start, rounds, rule, capacity=capacity)
            axis.plot(
                *smooth(result.total_variation),
                style,
                color=color,
                label=f"{rule}, K = {capacity}",
            )
    axis.plot(*smooth(full), color="black", label="all")
    axis.set_title("The same: exact discount against a window", fontsize=11)

    for axis in axes:
        axis.set(xscale="log", yscale="log", xlabel="round T")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc="lower left", framealpha=0.9)
    for axis in axes[1:]:
        axis.set_ylim(5e-4, 1)  # The curves end above, the legend stands below.
    figure.suptitle(
        "Fictitious play with exact best responses (means over windows of rounds)"
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(argv):
    """Runs the example."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    unknown = set(_GAMES.value) - set(GAMES)
    if unknown:
        raise app.UsageError(
            f"--games must be among {', '.join(GAMES)}. Received: {sorted(unknown)}."
        )
    import matplotlib

    matplotlib.use("Agg")  # Pictures go into files, whatever screen there is.
    import matplotlib.pyplot as plt

    folder = pathlib.Path(_OUTPUT_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    results = solve_all(_GAMES.value)
    print_table(results)
    for name, of_game in results.items():
        draw_game(plt, name, of_game, folder / f"game_{name}.png")
    draw_contraction(plt, folder / "contraction.png")
    draw_finite_support(plt, folder / "finite_support.png")
    print(f"Pictures are in {folder}.")


if __name__ == "__main__":
    app.run(main)
