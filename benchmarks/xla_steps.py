"""Train steps of the MLPs compiled by XLA against the graph.

    python benchmarks/xla_steps.py --rounds=15

Prints the median of the paired ratios, XLA's time over the graph's, with its spread.
"""

import settings
import tensorflow as tf
import timing
import train_steps
from absl import app, flags

import keras_gamegan as kgg


def stopwatch(model, setting, jit_compile):
    """Returns the stopwatch of a model's step, many of them in one call."""
    model.compile(settings.adam(), settings.adam(), jit_compile=jit_compile)
    step = tf.function(model.train_step, autograph=False, jit_compile=jit_compile)
    data = setting.data()

    @tf.function(autograph=False)
    def run():
        def body(index):
            step(data[index % data.shape[0]])
            return index + 1

        return tf.while_loop(lambda i: i < setting.steps, body, [tf.constant(0)])

    return timing.stopwatch(run.get_concrete_function(), setting.steps)


def main(argv):
    """Times the steps and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    setting = settings.settings()["mlp"]
    models = {
        "`GAN`": lambda: kgg.GAN(*setting.make(), seed=0),
        "`FictitiousGAN`, capacity 5": lambda: train_steps.fictitious(setting, 5),
        "`DualityGapGAN`, k = 5": lambda: train_steps.gap_gan(setting, 5, "adam"),
    }
    contestants = {
        (name, jit_compile): stopwatch(make(), setting, jit_compile)
        for name, make in models.items()
        for jit_compile in (False, True)
    }
    seconds = timing.interleave(contestants, flags.FLAGS.rounds, 2)
    print("| step | XLA / graph: median (quartiles; extremes) |\n|---|---|")
    for name in models:
        spread = timing.ratio(seconds[name, True], seconds[name, False])
        print(f"| {name} | {spread.text()} |")


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 15, "Timed rounds.", 1)
    app.run(main)
