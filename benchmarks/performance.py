"""The whole table of speed and memory, against its targets, in one command.

    python benchmarks/performance.py --output=docs/performance.md --json=figures.json

Prints the table as it grows; with --output writes it, the machine, the bound's parts
and the plot into the file, between two marks, and leaves the rest of the file as it is.
With --torch_python, the interpreter of an environment that has PyTorch, its trainers
are timed in the same rounds; see `torch_comparison.py`. --profile=DIR writes TensorFlow
profiles of the steps there instead, and prints where their time goes.
"""

import os
import pathlib
import statistics
import sys
import time

import keras_guide
import other_costs
import plots
import profiling
import settings
import timing
import torch_comparison
import train_steps
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
BEGIN, END = "<!-- begin: measured -->", "<!-- end: measured -->"
SECTIONS = ("steps", "torch", "others")


def profiled_models(setting):
    """Returns name -> model whose steps are profiled."""
    return {
        "guide": keras_guide.KerasGuideGAN(*setting.make()),
        "gan": kgg.GAN(*setting.make(), seed=0),
        "fictitious 20": train_steps.fictitious(setting, 20),
        "full 5": train_steps.fictitious(setting, 5, "full"),
        "gap 5, sgd": train_steps.gap_gan(setting, 5, "sgd"),
        "gap 5, adam": train_steps.gap_gan(setting, 5, "adam"),
    }


def profile(folder, named, steps):
    """Writes profiles of train steps to a folder; prints their operations."""
    for setting in named.values():
        for name, model in profiled_models(setting).items():
            run = settings.repeated_step(
                settings.compiled(model), setting.data(), setting.steps
            )
            place = pathlib.Path(folder) / setting.name / name.replace(", ", "_")
            found = profiling.operations(run, steps, place)
            print(f"\n{setting.name}, {name}: ms per step\n")
            print(profiling.table(found, steps * setting.steps), flush=True)


def measure(named, sections, rounds, quick):
    """Yields (rows, parts) of each piece of the table.

    Args:
        named: `settings.settings()`.
        sections: Names out of `SECTIONS`.
        rounds: Rounds of the plain steps; what takes longer gets fewer.
        quick: Whether to be done in seconds.
    """
    few = max(1, rounds // 4)
    if "steps" in sections:
        some = {"capacities": (1, 2)} if quick else {}
        few_models = {"depths": (1, 2), "members": (2,)} if quick else {}
        for setting in named.values():
            rows, parts = train_steps.light_rows(setting, rounds, **some)
            yield rows, {setting.name: parts}
            yield train_steps.heavy_rows(setting, few, **few_models), {}
    if "torch" in sections:
        for setting in named.values():
            yield (
                torch_comparison.rows(setting, FLAGS.torch_python, few, quick),
                {},
            )
    if "others" in sections:
        yield other_costs.rows(named, max(1, rounds // 10), quick), {}


def report(rows, parts, described, command, plot):
    """Returns the measured part of the page as Markdown."""
    lines = [f"    {command}", ""]
    lines += [f"- {name}: {value}" for name, value in described.items()]
    lines += ["", timing.HEADER, *(timing.line(row) for row in rows)]
    if parts:
        lines += [
            "",
            "The parts of the bound, each alone:",
            "",
            "| part | networks | ms |",
        ]
        lines.append("|---|---|---|")
        for name, seconds in parts.items():
            lines += [
                f"| {part} | {name} | {1000 * statistics.median(taken):.3g} |"
                for part, taken in seconds.items()
            ]
    if plot:
        lines += ["", f"![Step time against k and against capacity]({plot})"]
    return "\n".join(lines) + "\n"


def write_between_marks(path, text):
    """Replaces what stands between the marks of a file, or writes a file of its own."""
    path = pathlib.Path(path)
    marked = f"{BEGIN}\n{text}{END}\n"
    old = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in old or END not in old:
        raise ValueError(
            f"`output` must hold the lines {BEGIN!r} and {END!r}, between which the "
            f"figures go, or not exist yet. Received: {str(path)!r} without them."
        )
    before, after = old.partition(BEGIN)[0], old.partition(END)[2].removeprefix("\n")
    path.write_text(before + marked + after, encoding="utf-8")


def main(argv):
    """Measures everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(FLAGS.threads)
    named = settings.settings(FLAGS.quick)
    if FLAGS.profile:
        profile(FLAGS.profile, named, 2 if FLAGS.quick else 20)
        return
    described = timing.machine(FLAGS.threads)
    began = time.perf_counter()
    print(timing.HEADER, flush=True)
    rows, parts = [], {}
    for new, timed in measure(named, FLAGS.only, FLAGS.rounds, FLAGS.quick):
        rows += new
        parts |= timed
        for row in new:
            print(timing.line(row), flush=True)
    minutes = (time.perf_counter() - began) / 60
    described["load after"] = f"{os.getloadavg()[0]:.1f}"
    described["minutes"] = f"{minutes:.1f}"
    if FLAGS.json:
        timing.write_json(FLAGS.json, described, rows, parts=parts)
    if FLAGS.output:
        output = pathlib.Path(FLAGS.output)
        plot = None
        if "steps" in FLAGS.only:
            plot = f"images/{output.stem}_step_time.png"
            plots.write(rows, output.parent / plot)
        arguments = [a for a in sys.argv[1:] if not a.startswith("--torch_python")]
        command = " ".join(["python benchmarks/performance.py", *arguments])
        write_between_marks(output, report(rows, parts, described, command, plot))


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 31, "Timed rounds of the plain steps.", 1)
    flags.DEFINE_integer("threads", 2, "Threads that TensorFlow computes with.", 1)
    flags.DEFINE_multi_enum("only", SECTIONS, SECTIONS, "Parts of the table.")
    flags.DEFINE_bool("quick", False, "Tiny networks, few steps: a test of the script.")
    flags.DEFINE_string("json", None, "JSON file of all figures.")
    flags.DEFINE_string("output", None, "Markdown file to write the figures into.")
    flags.DEFINE_string("profile", None, "Folder for TensorFlow profiles.")
    flags.DEFINE_string("torch_python", None, "Interpreter that has PyTorch.")
    app.run(main)
