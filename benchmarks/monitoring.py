"""Which measure tells converging from collapsing and diverging?

    python benchmarks/monitoring.py --output_dir=runs/monitoring
    python benchmarks/monitoring.py --output_dir=runs/monitoring --part=images \
        --classifier=runs/classifier.keras

Toys: ring, grid and spiral, trained with one update of each player a step (which
converges), fifteen of the discriminator, and fifteen of the generator; the plain,
perturbed and proximal gap and the minimax value after every quarter of a run, beside
precision and recall, which say what has really happened. Images: Fashion-MNIST under
eight settings, beside the Fréchet distance on the features of a classifier that
`examples/train_classifier.py` has trained.

Every finished run is kept in the folder, so that a second call measures only what is
missing. Writes toys.png, and the tables as Markdown on the standard output.
"""

import json
import pathlib

import keras
import numpy as np
from absl import app, flags, logging
from scipy import stats

import keras_gamegan as kgg
from benchmarks import monitoring_runs as runs

FLAGS = flags.FLAGS
flags.DEFINE_string("output_dir", "runs/monitoring", "Folder of the runs and pictures.")
flags.DEFINE_enum("part", "toys", ["toys", "images"], "What to measure.")
flags.DEFINE_integer("seeds", 5, "Seeds of the toys.", 1)
flags.DEFINE_list("data", list(runs.TOYS), "Toys to train on.")
flags.DEFINE_integer("checkpoints", 4, "Measurements of a run.", 2)
flags.DEFINE_float("scale", 1.0, "Share of all steps; below 1 for a trial.", 0.0)
flags.DEFINE_string("classifier", None, "What examples/train_classifier.py wrote.")
flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
flags.DEFINE_integer("steps", 200, "Train steps on images between measurements.", 1)


def kept(path, make):
    """Returns the rows in a file, or makes and writes them."""
    if not path.exists():
        rows = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows, indent=1))
        logging.info("wrote %s", path)
    return json.loads(path.read_text())


def toys(folder):
    """Returns (data, regime) -> list of runs, each a list of rows."""
    return {
        (data, regime): [
            kept(
                folder / f"{data} {regime} {seed}.json".replace(":", "-"),
                lambda data=data, regime=regime, seed=seed: runs.toy_run(
                    data, regime, seed, FLAGS.checkpoints, FLAGS.scale
                ),
            )
            for seed in range(FLAGS.seeds)
        ]
        for data in FLAGS.data
        for regime in runs.REGIMES
    }


def area_under_roc(bad, good):
    """Returns the probability that a bad model's measure is larger than a good one's.

    Ties count half. 1: the measure tells them apart; .5: it says nothing; 0: it is
    wrong every time.
    """
    if not bad or not good:
        return float("nan")
    return stats.mannwhitneyu(bad, good).statistic / (len(bad) * len(good))


def outcome(row):
    """Returns what has become of the generator, by precision and recall."""
    if row["recall"] >= 0.5:
        return "covers"
    return "collapsed" if row["precision"] >= 0.2 else "astray"


def finite(rows, measure):
    """Returns a measure's numbers; what is not finite is the worst there is."""
    return [row[measure] if np.isfinite(row[measure]) else np.inf for row in rows]


def toy_tables(found):
    """Yields the tables as lines of Markdown."""
    yield "| data | D:G | precision | recall | " + " | ".join(runs.MEASURES) + " |"
    yield "|---" * (4 + len(runs.MEASURES)) + "|"
    for (data, regime), trained in found.items():
        last = [rows[-1] for rows in trained if rows]
        cells = []
        for name in ("precision", "recall", *runs.MEASURES):
            column = np.array([row[name] for row in last])
            worst = column.min() if name in ("precision", "recall") else column.max()
            cells.append(f"{column.mean():.2f} ± {column.std():.2f} ({worst:.2f})")
        yield f"| {data} | {regime} | " + " | ".join(cells) + " |"
    yield ""
    rows = [row for trained in found.values() for one in trained for row in one]
    groups: dict = {"covers": [], "collapsed": [], "astray": []}
    for row in rows:
        groups[outcome(row)].append(row)
    yield "All checkpoints, by what precision and recall say of them: " + ", ".join(
        f"{len(group)} {name}" for name, group in groups.items()
    )
    yield ""
    final = {
        regime: [
            one[-1]
            for (_, other), trained in found.items()
            for one in trained
            if other == regime and one
        ]
        for regime in runs.REGIMES
    }
    seconds = np.mean(
        [runs.seconds_of(one) for trained in found.values() for one in trained], axis=0
    )
    columns = "collapsed or covers | astray or covers | 15:1 or 1:1 | 1:15 or 1:1"
    yield f"| measure | {columns} | seconds |"
    yield "|---" * 6 + "|"
    pairs = [
        (groups["collapsed"], groups["covers"]),
        (groups["astray"], groups["covers"]),
        (final["15:1"], final["1:1"]),
        (final["1:15"], final["1:1"]),
    ]
    for measure, cost in zip(runs.MEASURES, [*seconds, seconds[0]], strict=True):
        cells = " | ".join(
            f"{area_under_roc(finite(bad, measure), finite(good, measure)):.2f}"
            for bad, good in pairs
        )
        yield f"| {measure} | {cells} | {cost:.1f} |"


def draw_toys(found, path):
    """Draws every measure over training, mean and range over the seeds."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    data = list(dict.fromkeys(name for name, _ in found))
    names = ("precision", "recall", *runs.MEASURES)
    figure, axes = plt.subplots(
        len(data),
        len(names),
        figsize=(2.3 * len(names), 2.2 * len(data)),
        squeeze=False,
    )
    styles = dict(zip(runs.REGIMES, ("-", "--", ":"), strict=True))
    for (toy, regime), trained in found.items():
        for axis, name in zip(axes[data.index(toy)], names, strict=True):
            table = np.array([[row[name] for row in rows] for rows in trained if rows])
            part = np.arange(1, table.shape[1] + 1) / table.shape[1]
            (line,) = axis.plot(part, table.mean(axis=0), styles[regime], label=regime)
            axis.fill_between(
                part,
                table.min(axis=0),
                table.max(axis=0),
                alpha=0.2,
                lw=0,
                color=line.get_color(),
            )
            if toy == data[0]:
                axis.set_title(name, fontsize=10)
            if toy == data[-1]:
                axis.set_xlabel("part of the run", fontsize=8)
            if "gap" in name:
                axis.set_yscale("symlog", linthresh=0.1)
            axis.tick_params(labelsize=7)
    for toy, axis in zip(data, axes[:, 0], strict=True):
        axis.set_ylabel(toy)
    axes[0, 0].legend(title="D:G updates", fontsize=7, title_fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def images(folder):
    """Returns setting -> rows."""
    if FLAGS.classifier is None:
        raise app.UsageError(
            "--part=images needs a classifier. Received: no --classifier. Run "
            "examples/train_classifier.py --dataset=fashion_mnist first."
        )
    arrays = kgg.datasets.load_arrays(
        "fashion_mnist", data_dir=FLAGS.data_dir, num_examples=20_000
    )
    held_out = kgg.datasets.load_arrays(
        "fashion_mnist", "test", data_dir=FLAGS.data_dir
    )
    scaled = held_out.astype("float32") / 127.5 - 1.0
    parts = arrays, scaled[:2048], scaled[2048:5248], scaled[5248:]
    classifier = keras.models.load_model(FLAGS.classifier)
    return {
        name: kept(
            folder / f"{name}.json".replace(":", "-"),
            lambda setting=setting: runs.image_run(
                setting, parts, classifier, FLAGS.checkpoints, FLAGS.steps, FLAGS.scale
            ),
        )
        for name, setting in runs.image_settings().items()
    }


def image_tables(found):
    """Yields the tables as lines of Markdown."""
    names = ("classifier FID", *runs.MEASURES)
    yield "| setting | steps | " + " | ".join(names) + " |"
    yield "|---" * (2 + len(names)) + "|"
    for setting, rows in found.items():
        if rows:
            cells = " | ".join(f"{rows[-1][name]:.3g}" for name in names)
            yield f"| {setting} | {rows[-1]['step']} | {cells} |"
    rows = [row for one in found.values() for row in one]
    last = [one[-1] for one in found.values() if one]
    yield ""
    yield f"| measure | {len(rows)} checkpoints | {len(last)} final models | seconds |"
    yield "|---|---|---|---|"
    seconds = np.mean([runs.seconds_of(one) for one in found.values() if one], axis=0)
    for measure, cost in zip(runs.MEASURES, [*seconds, seconds[0]], strict=True):
        cells = [
            stats.spearmanr(
                finite(group, measure), finite(group, "classifier FID")
            ).statistic
            for group in (rows, last)
        ]
        yield f"| {measure} | {cells[0]:.2f} | {cells[1]:.2f} | {cost:.1f} |"


def main(argv):
    """Trains what is missing, measures, prints and draws."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    folder = pathlib.Path(FLAGS.output_dir)
    if FLAGS.part == "toys":
        found = toys(folder / "toys")
        print("\n".join(toy_tables(found)))
        draw_toys(found, folder / "toys.png")
    else:
        print("\n".join(image_tables(images(folder / "images"))))


if __name__ == "__main__":
    app.run(main)
