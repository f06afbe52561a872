"""Steps per second of the three trainers against the same algorithms in PyTorch.

    python benchmarks/torch_comparison.py --torch_python=/path/to/python

PyTorch lives in an environment of its own: `python -m venv`, `pip install torch` (the
CPU build) and NumPy. Its trainers, `torch_trainers.py`, run there with as many threads,
eagerly and under `torch.compile`, in turn with those of this library; the ratio is
taken against the fastest, whether OpenMP's idle threads spin or not. Both libraries get
the same initial weights, and with the same latents their first losses are compared:
they are the same algorithms. Where the two processor times of the remark tell another
story than the ratio, the machine was not quiet, and the ratio says nothing.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import settings
import tensorflow as tf
import timing
import train_steps
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import randomness
from keras_gamegan.models.step import labelled_data

TITLES = {
    "gan": "`GAN`",
    "fictitious": "`FictitiousGAN`, sampled, capacity 5",
    "gap": "`DualityGapGAN`, k = 5, adam",
}
CHECKED_STEPS = 3
# OpenMP's threads spin while they wait for one another. Where another process wants the
# core, a step then takes ten times as long or more, and any ratio measures that alone;
# on a quiet machine spinning may be the faster. PyTorch gets the better of the two.
POLICIES = {"spinning": {}, "passive": {"OMP_WAIT_POLICY": "PASSIVE"}}


class Worker:
    """A process that has PyTorch.

    Args:
        python: Its interpreter.
        threads: Number of threads.
        policy: How its idle threads wait, a key of `POLICIES`.
    """

    def __init__(self, python, threads, policy):
        script = pathlib.Path(__file__).with_name("torch_trainers.py")
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, str(script), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | POLICIES[policy],
        )
        self.version = self._answer()["torch"]

    def __call__(self, do, **arguments):
        """Sends a command and returns the answer."""
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._errors.close()

    def _answer(self):
        text = self._process.stdout.readline()
        if not text:
            self._errors.seek(0)
            raise RuntimeError(f"PyTorch failed: {self._errors.read()[-2000:]}")
        return json.loads(text)


def make_models(setting):
    """Returns name -> compiled model, as `torch_trainers.TRAINERS` has them."""
    models = {
        "gan": kgg.GAN(*setting.make(), seed=0),
        "fictitious": train_steps.fictitious(setting, 5),
        "gap": train_steps.gap_gan(setting, 5, "adam"),
    }
    return {name: settings.compiled(model) for name, model in models.items()}


def write_arrays(path, setting, model):
    """Writes weights, data and latents for the trainers of PyTorch."""
    arrays = {"data": setting.data().numpy()}
    for prefix, network in (("d", model.discriminator), ("g", model.generator)):
        layers = [layer for layer in network.layers if layer.weights]
        for index, layer in enumerate(layers):
            for number, array in enumerate(layer.get_weights()):
                arrays[f"{prefix}{index}_{number}"] = array
    latents = []
    for step in range(CHECKED_STEPS):
        source = labelled_data.source_of(
            setting.data()[step],
            None,
            randomness.fold(randomness.root(model.seed), step),
            model.latent_shape,
        )
        latents.append([source(index).latents for index in (0, 1)])
    np.savez(path, **arrays, latents=np.array(latents))


def disagreement(worker, path, setting, name, model):
    """Returns the largest relative difference of the first mean losses."""
    # A stored opponent is drawn: only the first generator, when all are alike, and so
    # the first loss of the discriminator, is the same.
    drawn = name == "fictitious"
    steps, keys = (1, ["d_loss"]) if drawn else (CHECKED_STEPS, ["d_loss", "g_loss"])
    built = worker("build", path=str(path), trainer=name, compiled=False, fixed=True)
    networks = model.discriminator, model.generator
    counted = sum(v.shape.num_elements() for n in networks for v in _tensors(n))
    if counted != built["parameters"]:
        raise RuntimeError(f"{counted} weights here, {built['parameters']} there.")
    theirs = worker("losses", name=built["name"], steps=steps)["losses"]
    data = setting.data()
    for step in range(steps):
        logs = model.train_step(data[step])
    ours = [float(logs[key]) for key in keys]
    pairs = zip(ours, theirs[: len(keys)], strict=True)
    return max(abs(a - b) / abs(a) for a, b in pairs)


def _tensors(network):
    return [tf.convert_to_tensor(v) for v in network.trainable_variables]


def rows(setting, python, rounds, quick=False, threads=2):
    """Returns the lines of the comparison; says why if there is none."""
    if not python:
        print("PyTorch is left out: pass --torch_python, an interpreter that has it.")
        return []
    probe = [python, "-c", "import torch"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode:
        print(f"PyTorch is left out: {python} has no torch that can be imported.")
        return []
    found = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder())
        workers = {
            policy: stack.enter_context(
                contextlib.closing(Worker(python, threads, policy))
            )
            for policy in (["passive"] if quick else POLICIES)
        }
        for name, model in make_models(setting).items():
            path = folder / f"{name}.npz"
            write_arrays(path, setting, model)
            gap = disagreement(workers["passive"], path, setting, name, model)
            found.append(_row(setting, name, model, workers, path, rounds, quick, gap))
    return found


def _row(setting, name, model, workers, path, rounds, quick, gap):
    cost = 6 if name == "gap" else 1
    steps = max(1, setting.steps // cost)
    run = settings.repeated_step(model, setting.data(), steps)
    # What a process computed, whoever else was on the machine meanwhile.
    worked = {}

    def ours():
        began = time.process_time()
        taken = timing.stopwatch(run, steps)()
        worked.setdefault("ours", []).append((time.process_time() - began) / steps)
        return taken

    contestants = {"ours": ours}
    modes = ["eager"] if quick else ["eager", "compile"]
    for policy, worker in workers.items():
        for mode in modes:
            key = f"{mode}, {policy}"
            built = worker(
                "build",
                path=str(path),
                trainer=name,
                compiled=mode == "compile",
                fixed=False,
            )

            def theirs(worker=worker, built=built, key=key):
                taken = worker("time", name=built["name"], steps=steps)
                worked.setdefault(key, []).append(taken["processor"])
                time.sleep(0.02)  # Its idle threads look for work a little longer.
                return taken["seconds"]

            contestants[key] = theirs
    seconds = timing.interleave(contestants, rounds, 2)
    middle = {key: statistics.median(seconds[key]) for key in seconds if key != "ours"}
    better = min(middle, key=middle.get)
    texts = [f"{key} {1000 * taken:.3g} ms" for key, taken in middle.items()]
    # The first rounds compile.
    spent = {key: 1000 * statistics.median(worked[key][2:]) for key in worked}
    least = min(spent[key] for key in middle)
    return timing.Row(
        f"{TITLES[name]}: steps per second / PyTorch's ({better})",
        setting.name,
        timing.ratio(seconds[better], seconds["ours"]),
        target=1.2,
        at_least=True,
        milliseconds=timing.median_milliseconds(seconds["ours"]),
        note=f"PyTorch {workers['passive'].version}: {'; '.join(texts)}. Processor "
        f"time of a step: {spent['ours']:.3g} ms here, {least:.3g} ms there at best. "
        f"First losses differ by {gap:.0e}",
    )


@contextlib.contextmanager
def _folder():
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder)


def main(argv):
    """Times both libraries and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    print(timing.HEADER)
    for setting in settings.settings(flags.FLAGS.quick).values():
        for row in rows(
            setting, flags.FLAGS.torch_python, flags.FLAGS.rounds, flags.FLAGS.quick
        ):
            print(timing.line(row), flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 9, "Timed rounds.", 1)
    flags.DEFINE_bool("quick", False, "Tiny networks; PyTorch runs eagerly only.")
    flags.DEFINE_string("torch_python", None, "Interpreter that has PyTorch.")
    app.run(main)
