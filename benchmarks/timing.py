"""Paired, interleaved timing: what every script here that reports a ratio shares.

A ratio of two medians compares two moments of a busy machine. Here all contestants run
once in every round, in an order that turns from round to round; a ratio is taken inside
each round, and the median of the rounds is reported with its spread.
"""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import time

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def stopwatch(function, steps=1):
    """Returns a function that runs ``function`` and returns the seconds per step."""

    def measure():
        began = time.perf_counter()
        function()
        return (time.perf_counter() - began) / steps

    return measure


def interleave(contestants, rounds, warmups=1):
    """Times contestants in turn.

    Args:
        contestants: Dictionary: name -> function that returns the seconds it took.
        rounds: Number of rounds, >= 1.
        warmups: Rounds before these, whose times are dropped. Default: 1.

    Returns:
        Dictionary: name -> list of seconds, one for each round.
    """
    names = list(contestants)
    seconds = {name: [] for name in names}
    for number in range(warmups + rounds):
        # Who runs after whom changes: a neighbour may leave the caches cold.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            taken = contestants[name]()
            if number >= warmups:
                seconds[name].append(taken)
    return seconds


@dataclasses.dataclass
class Spread:
    """The distribution of a ratio, or of a time, over the rounds.

    Attributes:
        median: The figure.
        low: First quartile.
        high: Third quartile.
        smallest: Least of all rounds.
        largest: Greatest of all rounds.
    """

    median: float
    low: float
    high: float
    smallest: float
    largest: float

    @classmethod
    def of(cls, values):
        """Returns the spread of a list of numbers."""
        values = sorted(values)
        if len(values) < 2:
            return cls(*values * 5)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, values[0], values[-1])

    def text(self, digits=3):
        """Returns "median (quartiles; extremes)"."""
        m, low, high, least, most = (
            f"{value:.{digits}f}" for value in dataclasses.astuple(self)
        )
        return f"{m} ({low}-{high}; {least}-{most})"


def ratio(seconds, reference):
    """Returns the `Spread` of the ratio of two lists of paired times."""
    return Spread.of([a / b for a, b in zip(seconds, reference, strict=True)])


def weighted_sum(seconds, weights):
    """Returns, for each round, the sum of weight x seconds over the named contestants.

    Args:
        seconds: What `interleave` returned.
        weights: Dictionary: name -> number.
    """
    return [
        sum(weight * each for weight, each in zip(weights.values(), row, strict=True))
        for row in zip(*(seconds[name] for name in weights), strict=True)
    ]


@dataclasses.dataclass
class Row:
    """One line of the table.

    Attributes:
        what: What was measured, against what.
        networks: "dcgan", "mlp" or "".
        ratio: `Spread` of the figure that the target is about.
        target: Largest (or, with `at_least`, smallest) ratio aimed at; None: the line
            is there for comparison.
        at_least: Whether more is better.
        milliseconds: Median time of one step or call, or None.
        bound: Median arithmetic bound in milliseconds, or None.
        over_bound: `Spread` of measured / bound, or None.
        bound_target: Largest `over_bound` aimed at, or None.
        note: A remark.
    """

    what: str
    networks: str
    ratio: Spread | None
    target: float | None = None
    at_least: bool = False
    milliseconds: float | None = None
    bound: float | None = None
    over_bound: Spread | None = None
    bound_target: float | None = None
    note: str = ""

    def verdicts(self):
        """Returns "yes" or "no" for each target of the row, joined."""
        found = []
        if self.target is not None:
            median = self.ratio.median
            good = median >= self.target if self.at_least else median <= self.target
            found.append("yes" if good else "**no**")
        if self.bound_target is not None:
            good = self.over_bound.median <= self.bound_target
            found.append(("yes" if good else "**no**") + " (bound)")
        return ", ".join(found)


HEADER = (
    "| what | networks | ms | ratio: median (quartiles; extremes) | target | bound, ms "
    "| measured / bound | its target | met | remark |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def line(row):
    """Returns a row as a line of Markdown."""
    sign = ">=" if row.at_least else "<="
    cells = [
        row.what,
        row.networks,
        "" if row.milliseconds is None else f"{row.milliseconds:.3g}",
        "" if row.ratio is None else row.ratio.text(),
        "" if row.target is None else f"{sign} {row.target:.4g}",
        "" if row.bound is None else f"{row.bound:.3g}",
        "" if row.over_bound is None else row.over_bound.text(),
        "" if row.bound_target is None else f"<= {row.bound_target:.4g}",
        row.verdicts(),
        row.note,
    ]
    return f"| {' | '.join(cells)} |"


def median_milliseconds(seconds):
    """Returns the median of a list of seconds, in milliseconds."""
    return 1000 * statistics.median(seconds)


def row_against(seconds, name, reference, what, networks, bound=None, **others):
    """Returns the row of one contestant against another, beside its bound.

    Args:
        seconds: What `interleave` returned.
        name: The contestant.
        reference: Whom it is compared with, or None.
        what: As in `Row`.
        networks: As in `Row`.
        bound: Weights of `weighted_sum` of the arithmetic bound, or None.
        **others: Further attributes of `Row`.
    """
    row = Row(
        what,
        networks,
        None if reference is None else ratio(seconds[name], seconds[reference]),
        milliseconds=median_milliseconds(seconds[name]),
        **others,
    )
    if bound is not None:
        floor = weighted_sum(seconds, bound)
        row.bound = median_milliseconds(floor)
        row.over_bound = ratio(seconds[name], floor)
    return row


def machine(threads):
    """Returns what the figures depend on, as a dictionary of strings."""
    model = platform.processor() or platform.machine()
    described = pathlib.Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text(encoding="utf-8").splitlines()
        names = [text.split(":", 1)[1] for text in lines if "model name" in text]
        model = names[0].strip() if names else model
    versions = {
        name: importlib.metadata.version(name)
        for name in ("tensorflow", "keras", "numpy")
    }
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "threads": str(threads),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        **versions,
    }


def limit_threads(threads):
    """Makes TensorFlow compute with that many threads; call it before anything else."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def write_json(path, described, rows, **figures):
    """Writes the machine, the rows and whatever else to a file."""
    everything = {"machine": described, "rows": [dataclasses.asdict(r) for r in rows]}
    text = json.dumps(everything | figures, indent=1)
    pathlib.Path(path).write_text(text + "\n", encoding="utf-8")
