"""One run of one method on one set of images."""

import functools
import time

import image_networks
import image_problems
import keras
import methods

import keras_gamegan as kgg

SETTING = {
    "beta_1": 0.5,
    "width": 16,
    "latents": 64,
    "batch_size": 64,
    "weight": 0.1,
    # 1: `kgg.networks.dcgan_pair`, whose generator has BatchNorm, as `kgg train` does.
    "batch_norm": 0,
    # Of pace control.
    "generator_target": 0.2,
    "discriminator_target": 1.0,
}


@functools.cache
def _training_data(name, batch_size, data_dir):
    # Kept for the next run of the same process.
    return image_problems.PROBLEMS[name].dataset("train", batch_size, data_dir)


def build(problem, method, task):
    """Returns a compiled GAN."""
    seed, width = task["seed"], int(task["width"])
    shape, latents = problem.image_shape, int(task["latents"])
    if task["batch_norm"]:
        normalization = "spectral" if method.spectral else None
        networks = kgg.networks.dcgan_pair(
            shape,
            latents,
            base_filters=width,
            discriminator_normalization=normalization,
            seed=seed,
        )
    else:
        networks = (
            image_networks.discriminator(shape, width, 2 * seed, method.spectral),
            image_networks.generator(shape, latents, width, 2 * seed + 1),
        )
    gan = kgg.GAN(
        *networks,
        average_decay=0.998,
        seed=seed,
        **method.model(),
    )
    adams = [
        keras.optimizers.Adam(rate, beta_1=task["beta_1"])
        for rate in (task["d_rate"], task["g_rate"])
    ]
    gan.compile(*adams, steps_per_execution=10, **method.compile())
    return gan


def train(task, folder, data_dir=None):
    """Runs one task; returns it with what came of it.

    Args:
        task: Dictionary, as of `runs.task` with this file's `SETTING`.
        folder: Folder of the classifiers.
        data_dir: Folder of prepared TFDS data sets; None for TFDS's own.
    """
    problem = image_problems.PROBLEMS[task["problem"]]
    targets = {name: task[name] for name in SETTING if name.endswith("_target")}
    method = methods.methods_of_images(task["weight"], **targets)[task["method"]]
    keras.utils.set_random_seed(task["seed"])
    gan = build(problem, method, task)
    data = _training_data(task["problem"], int(task["batch_size"]), data_dir)
    # Each seed has a part of the endless stream of its own.
    data = data.starting_at(1_000_000 * task["seed"]).repeat()
    steps = int(task["steps"] / method.evaluations) // 10 * 10
    found = {"failed": None, "d_accuracy": float("nan"), "sources": {}}
    began, processor = time.perf_counter(), time.process_time()
    try:
        logs = gan.fit(
            data, steps_per_epoch=steps, verbose=0, callbacks=method.callbacks()
        ).history
        found["d_accuracy"] = float(logs["d_accuracy"][-1])
    except kgg.NonFiniteError as error:
        found["failed"] = str(error)
    found["seconds"] = time.perf_counter() - began
    found["processor_seconds"] = time.process_time() - processor
    judge = image_problems.judge_of(task["problem"], folder, data_dir)
    sources = ["current", "average"]
    if getattr(gan, "generator_bank", None) is not None:
        sources.append("mixture")
    number = image_problems.DISTANCE_SAMPLES
    if problem.stacked:
        number = image_problems.MODE_SAMPLES
    for source in sources if found["failed"] is None else ():
        samples = gan.sample(number, seed=0, source=source)
        found["sources"][source] = problem.score(samples, judge)
    return {**task, **found}


def best_source(result):
    """Returns the score of the better of live and averaged generator, a dictionary.

    A mixture is told apart: not everybody has one. None of a run that failed.
    """
    measure = image_problems.PROBLEMS[result["problem"]].measure
    sources = [
        result["sources"][name]
        for name in ("current", "average")
        if name in result["sources"]
    ]
    return min(sources, key=lambda score: score[measure], default=None)
