"""What stands around a train step: the measured gap, `fit`, tracing, import, sampling.

    python benchmarks/other_costs.py --rounds=5

Import times and peaks of memory come from processes of their own.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import arithmetic
import keras
import memory
import numpy as np
import settings
import tensorflow as tf
import timing
import train_steps
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.measuring import gan_gap

MEGABYTE = 1e6


def gap_row(setting, rounds, num_steps=300, scoring_batches=10):
    """Returns the line of the gap measurement; compiling is not timed."""
    gan = settings.compiled(kgg.GAN(*setting.make(), seed=0))
    size = setting.batch_size
    data = np.random.default_rng(1).uniform(
        -1, 1, ((10 + scoring_batches) * size, *setting.data_shape)
    )
    data = data.astype("float32")
    estimator = gan_gap.GapEstimator(
        gan, data[: 10 * size], data[10 * size :], num_steps, batch_size=size
    )
    measure = {"gap": timing.stopwatch(lambda: estimator(0))}
    parts = arithmetic.Parts(setting).contestants()
    seconds = timing.interleave(measure | parts, rounds)
    return timing.row_against(
        seconds,
        "gap",
        None,
        f"`kgg.duality_gap`, {num_steps} steps, both searches",
        setting.name,
        arithmetic.measured_gap(num_steps, scoring_batches),
        bound_target=1.15,
    )


def fit_rows(setting, rounds, executions=100, per_execution=50):
    """Returns the lines of `fit` against a bare loop, and of tf.data's autotuning."""
    data = setting.data()
    options = tf.data.Options()
    # As the library's own streams: see `datasets/seekable.py`.
    options.autotune.enabled = False
    tuned = tf.data.Dataset.from_tensor_slices(data).repeat().prefetch(2)
    batches = tuned.with_options(options)
    gans = [kgg.GAN(*setting.make(), seed=0) for _ in range(3)]
    for gan in gans:
        gan.compile(settings.adam(), settings.adam(), steps_per_execution=per_execution)
    total = executions * per_execution
    iterator = iter(batches)

    @tf.function(autograph=False)
    def execution():
        def body(index):
            gans[0].train_step(next(iterator))
            return index + 1

        return tf.while_loop(lambda i: i < per_execution, body, [tf.constant(0)])

    def bare():
        for _ in range(executions):
            execution()

    def fit(gan, dataset):
        gan.fit(dataset, steps_per_epoch=total, verbose=0)

    contestants = {
        "bare": bare,
        "fit": lambda: fit(gans[1], batches),
        "tuned": lambda: fit(gans[2], tuned),
    }
    for name, function in contestants.items():
        contestants[name] = timing.stopwatch(function, total)
    seconds = timing.interleave(contestants, rounds)
    fit_name = f"`fit`, steps_per_execution={per_execution}"
    return [
        timing.row_against(
            seconds,
            name,
            reference,
            what,
            setting.name,
            target=target,
        )
        for name, reference, what, target in (
            ("fit", "bare", f"{fit_name} / a bare loop", 1.05),
            ("tuned", "fit", f"{fit_name}, with tf.data's autotuning / without", None),
        )
    ]


def first_step_row(setting, rounds, depths=(1, 25)):
    """Returns the line of the time to the first step: tracing, and taking it."""
    data = setting.data(1)

    def first_step(num_steps):
        keras.backend.clear_session()
        model = train_steps.gap_gan(setting, num_steps, "adam")
        settings.compiled(model)
        took = timing.stopwatch(lambda: settings.repeated_step(model, data, 1)())()
        return took

    # What the deeper search computes in its first step is not part of getting there.
    def computed(num_steps):
        model = settings.compiled(train_steps.gap_gan(setting, num_steps, "adam"))
        run = settings.repeated_step(model, data, 1)
        run()
        return timing.stopwatch(run)

    low, high = depths
    contestants = {str(depth): lambda d=depth: first_step(d) for depth in depths}
    contestants |= {f"step {depth}": computed(depth) for depth in depths}
    seconds = timing.interleave(contestants, rounds)
    row = timing.row_against(
        seconds,
        str(high),
        str(low),
        f"time to the first step, k = {high} / k = {low}",
        setting.name,
        target=1.3,
    )
    tracing = {
        depth: [
            whole - step
            for whole, step in zip(
                seconds[str(depth)], seconds[f"step {depth}"], strict=True
            )
        ]
        for depth in depths
    }
    alone = timing.ratio(tracing[high], tracing[low])
    row.note = f"without the step itself {alone.median:.2f}"
    return row


IMPORT = """
import time, warnings
warnings.simplefilter("ignore")
began = time.perf_counter()
import {0}
print(time.perf_counter() - began)
"""


def import_row(rounds):
    """Returns the line of the import time, in fresh processes."""

    def imported(names):
        command = [sys.executable, "-c", IMPORT.format(names)]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(finished.stdout.split()[-1])

    contestants = {
        names: lambda names=names: imported(names)
        for names in ("tensorflow, keras", "keras_gamegan")
    }
    seconds = timing.interleave(contestants, rounds)
    return timing.row_against(
        seconds,
        "keras_gamegan",
        "tensorflow, keras",
        "`import keras_gamegan` / `import tensorflow, keras`",
        "",
        target=1.1,
    )


def sampler_rows(setting, rounds, sizes=(1, 256)):
    """Returns the lines of the exported sampler against the Keras generator."""
    gan = settings.compiled(kgg.GAN(*setting.make(), seed=0))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sampler"
        gan.export(path)
        loaded = tf.saved_model.load(path)
        serve = loaded.signatures["serving_default"]
        generator = gan.generator
        spec = tf.TensorSpec([None, *gan.latent_shape])
        compiled = tf.function(
            lambda latents: generator(latents, training=False), [spec]
        ).get_concrete_function()
        for size in sizes:
            latents = tf.random.stateless_normal([size, *gan.latent_shape], [0, 1])
            expected, got = generator(latents), serve(latents=latents)["samples"]
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
            repeats = 100 if size == 1 else 10

            def repeated(call, latents=latents, repeats=repeats):
                def run():
                    for _ in range(repeats):
                        call(latents)

                return timing.stopwatch(run, repeats)

            contestants = {
                "exported": repeated(lambda x: serve(latents=x)),
                "eager": repeated(lambda x: generator(x, training=False)),
                "compiled": repeated(compiled),
            }
            seconds = timing.interleave(contestants, rounds, 2)
            rows += [
                timing.row_against(
                    seconds,
                    "exported",
                    other,
                    f"exported sampler / {text}, batch {size}",
                    setting.name,
                    target=target,
                )
                for other, text, target in (
                    ("eager", "the Keras generator", 1.05),
                    ("compiled", "the generator in a `tf.function`", None),
                )
            ]
    return rows


def memory_rows(quick=False):
    """Returns the lines of peak memory over a `GAN` step, and bytes by model."""
    width = 32 if quick else 2048
    # From capacity 2 on an opponent is read from the bank: a copy, however many.
    names = ["gan", "bank 2", "bank 10", "gap 1", "gap 5", "gap 25"]
    figures = {name: _in_process(name, width) for name in names}
    weights = figures["gan"]["weights"]
    banks = figures["bank 10"]["held"] - figures["bank 2"]["held"]
    grown = figures["bank 10"]["peak"] - figures["bank 2"]["peak"]
    rows = [
        _memory_row(
            "bank: bytes of 8 more members / 8 x weights x bytes",
            banks / (8 * weights),
            1.05,
            "",
        ),
        _memory_row(
            "bank: growth of the peak with 8 more members / the same",
            grown / (8 * weights),
            1.05,
            f"{grown / MEGABYTE:.0f} MB",
        ),
    ]
    # u_w and v_w, and two moments of Adam for each.
    allowed = 3 * weights
    for depth in (1, 5, 25):
        extra = figures[f"gap {depth}"]["peak"] - figures["gan"]["peak"]
        rows.append(
            _memory_row(
                f"duality gap, k = {depth}: peak over `GAN`'s / two weight sets and "
                "Adam's moments",
                extra / allowed,
                1.05,
                f"{extra / MEGABYTE:.0f} MB of {allowed / MEGABYTE:.0f} MB",
            )
        )
    return rows, figures


def _memory_row(what, value, target, note):
    spread = timing.Spread.of([value])
    return timing.Row(what, "mlp, wide", spread, target, note=note)


def _in_process(name, width):
    command = [sys.executable, __file__, f"--worker={name}", f"--width={width}"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(finished.stderr[-2000:])
    return json.loads(finished.stdout.splitlines()[-1])


def memory_of(name, width):
    """Trains one model for a few steps; returns its bytes and this process' peak."""
    kind, _, number = name.partition(" ")
    setting = settings.Setting(
        "wide",
        lambda: kgg.networks.mlp_pair(2, 16, width=width, depth=4, seed=0),
        (2,),
        4,
        1,
    )
    if kind == "gan":
        model = kgg.GAN(*setting.make(), seed=0)
    elif kind == "bank":
        model = train_steps.fictitious(setting, int(number))
    else:
        model = train_steps.gap_gan(setting, int(number), "adam")
    run = settings.repeated_step(settings.compiled(model), setting.data(), 1)
    for _ in range(3):
        run()
        time.sleep(0)
    networks = model.generator, model.discriminator
    return {
        "weights": sum(_bytes(w) for n in networks for w in n.weights),
        "held": sum(_bytes(w) for w in model.variables),
        "peak": memory.peak(),
    }


def _bytes(variable):
    return int(np.prod(variable.shape)) * tf.as_dtype(variable.dtype).size


def rows(named, rounds, quick=False):
    """Returns all lines of this file.

    Args:
        named: `settings.settings()`.
        rounds: Rounds of the long ones; the short ones take more.
        quick: Whether to be done in seconds.
    """
    mlp, dcgan = named["mlp"], named["dcgan"]
    small = {"num_steps": 3, "scoring_batches": 2} if quick else {}
    found = [gap_row(dcgan, rounds, **small), gap_row(mlp, rounds, **small)]
    small = {"executions": 2, "per_execution": 3} if quick else {}
    found += fit_rows(mlp, 2 * rounds, **small)
    if not quick:
        found += [first_step_row(setting, rounds) for setting in (dcgan, mlp)]
        found.append(import_row(3 * rounds))
        found += memory_rows()[0]
    found += sampler_rows(dcgan, 5 * rounds)
    return found


def main(argv):
    """Measures everything here and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    if flags.FLAGS.worker:
        print(json.dumps(memory_of(flags.FLAGS.worker, flags.FLAGS.width)))
        return
    print(timing.HEADER)
    named = settings.settings(flags.FLAGS.quick)
    for row in rows(named, flags.FLAGS.rounds, flags.FLAGS.quick):
        print(timing.line(row), flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 3, "Timed rounds of what takes long.", 1)
    flags.DEFINE_bool("quick", False, "Tiny networks, few steps.")
    flags.DEFINE_string("worker", None, "One process of the memory measurement.")
    flags.DEFINE_integer("width", 2048, "Width of the networks in it.", 1)
    app.run(main)
