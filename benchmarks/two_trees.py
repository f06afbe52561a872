"""How a change changed the train steps: two checkouts, timed in turn.

    git worktree add ../before HEAD~1
    python benchmarks/two_trees.py --before=../before

Each checkout has a process of its own with the models compiled, by its own
`benchmarks/settings.py`; both take the same step in turn, in every round. The table
shows the median of the rounds' ratios, after to before, with quartiles and extremes,
and one of steps that no change of ours can touch: the Keras guide's.
"""

import os
import pathlib
import statistics
import subprocess
import sys

import timing
from absl import app, flags

FLAGS = flags.FLAGS
ROOT = pathlib.Path(__file__).resolve().parents[1]
NAMES = (
    "Keras guide",
    "GAN",
    "GAN simultaneous",
    "FictitiousGAN, 5 models",
    "DualityGapGAN, k = 1, adam",
    "DualityGapGAN, k = 5, adam",
    "DualityGapGAN, persistent",
)
READY = "ready"


def contestants(tree, networks, quick, threads):
    """Returns name -> stopwatch of a step; imports what a checkout has."""
    sys.path[:0] = [str(tree), str(pathlib.Path(tree) / "benchmarks")]
    timing.limit_threads(threads)
    import keras_guide
    import settings
    import train_steps

    import keras_gamegan as kgg

    setting = settings.settings(quick)[networks]
    models = (
        keras_guide.KerasGuideGAN(*setting.make()),
        kgg.GAN(*setting.make(), seed=0),
        kgg.GAN(*setting.make(), updates="simultaneous", seed=0),
        train_steps.fictitious(setting, 5),
        train_steps.gap_gan(setting, 1, "adam"),
        train_steps.gap_gan(setting, 5, "adam"),
        train_steps.gap_gan(setting, 1, "adam", start="persistent"),
    )
    data, steps = setting.data(), setting.steps
    return {
        name: timing.stopwatch(
            settings.repeated_step(settings.compiled(model), data, steps), steps
        )
        for name, model in zip(NAMES, models, strict=True)
    }


def serve(tree, networks, quick, threads):
    """Takes the step that each line of the input names; prints its seconds."""
    found = contestants(tree, networks, quick, threads)
    for measure in found.values():
        measure()
    print(READY, flush=True)
    for line in sys.stdin:
        print(found[line.strip()](), flush=True)


class Checkout:
    """A checkout's process.

    Args:
        tree: Its path.
        arguments: Further arguments of this script.
    """

    def __init__(self, tree, arguments):
        self._command = [sys.executable, __file__, f"--serve={tree}", *arguments]
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def wait(self):
        """Returns once the models are compiled."""
        while self._line() != READY:
            pass

    def seconds(self, name):
        """Returns the seconds of a step."""
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _line(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                "A checkout cannot be timed: its process ended. Look at what it "
                f"prints: {' '.join(self._command)}"
            )
        return line.strip()


def main(argv):
    """Times both checkouts and prints the table, or serves one."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    if FLAGS.serve is None and not os.path.isdir(FLAGS.before or ""):
        raise app.UsageError(
            "--before must be the folder of another checkout, as `git worktree add` "
            f"makes one. Received: {FLAGS.before}."
        )
    if FLAGS.serve is not None:
        serve(FLAGS.serve, FLAGS.networks, FLAGS.quick, FLAGS.threads)
        return
    arguments = [f"--networks={FLAGS.networks}", f"--threads={FLAGS.threads}"]
    arguments += ["--quick"] * FLAGS.quick
    trees = {"before": FLAGS.before, "after": ROOT}
    both = {name: Checkout(tree, arguments) for name, tree in trees.items()}
    try:
        for checkout in both.values():
            checkout.wait()
        print("| step | ms before | ms after | after / before |\n|---|---|---|---|")
        for name in NAMES:
            turns = {
                key: lambda c=checkout, n=name: c.seconds(n)
                for key, checkout in both.items()
            }
            taken = timing.interleave(turns, FLAGS.rounds)
            spread = timing.ratio(taken["after"], taken["before"]).text()
            each = [1000 * statistics.median(taken[key]) for key in both]
            print(f"| {name} | {each[0]:.3g} | {each[1]:.3g} | {spread} |", flush=True)
    finally:
        for checkout in both.values():
            checkout.close()


if __name__ == "__main__":
    flags.DEFINE_string("before", None, "The other checkout.")
    flags.DEFINE_enum("networks", "mlp", ("mlp", "dcgan"), "What to time.")
    flags.DEFINE_integer("rounds", 40, "Timed rounds of each step.", 1)
    flags.DEFINE_integer("threads", 2, "Threads that TensorFlow computes with.", 1)
    flags.DEFINE_bool("quick", False, "Tiny networks: a test of the script.")
    flags.DEFINE_string("serve", None, "Be the process of this checkout.")
    app.run(main)
