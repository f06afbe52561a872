"""One run of one method: small networks in the plane."""

import dataclasses
import time

import keras
import methods
import numpy as np
import problems
import tensorflow as tf

import keras_gamegan as kgg

SETTING = {
    "beta_1": 0.5,
    "width": 32,
    "g_width": 32,
    "batch_size": 64,
    "data_scale": 1.0,
    "output_scale": 1.0,
}


def model(task, method, optimizer=None):
    """Returns the compiled GAN of a task.

    Args:
        task: A dictionary: seed, rates and what `SETTING` names; where there is a
            "bound", no number that is generated is larger.
        method: A `methods.Method`.
        optimizer: Function from a rate to an optimizer. Default: Adam's.
    """
    seed, width = task["seed"], int(task["width"])
    keras.utils.set_random_seed(seed)
    discriminator = methods.network(2, 1, width, 2 * seed, method.spectral)
    generator = methods.network(8, 2, int(task["g_width"]), 2 * seed + 1)
    last = generator.layers[-1].kernel
    last.assign(last * task["output_scale"])
    if task.get("bound"):
        generator.add(keras.layers.Activation("tanh"))
        generator.add(keras.layers.Rescaling(task["bound"]))
    gan = kgg.GAN(
        discriminator, generator, average_decay=0.998, seed=seed, **method.model()
    )
    rates = [task[name] for name in ("d_rate", "g_rate")]
    if optimizer is None:
        optimizers = [keras.optimizers.Adam(r, beta_1=task["beta_1"]) for r in rates]
    else:
        optimizers = [optimizer(rate) for rate in rates]
    gan.compile(*optimizers, steps_per_execution=10, **method.compile())
    return gan


def batches(points, task):
    """Returns the endless data set of a task's batches."""
    data = tf.data.Dataset.from_tensor_slices(points.astype("float32")).repeat()
    return data.batch(int(task["batch_size"]), drop_remainder=True)


@dataclasses.dataclass
class Fit:
    """What a fit took, and whether it failed."""

    failed: str | None = None
    seconds: float = 0.0
    processor_seconds: float = 0.0
    d_accuracy: float = float("nan")


def fit(gan, data, steps, callbacks, epochs=1):
    """Trains; returns a `Fit`. Numbers that are not finite are a failure.

    Args:
        gan: A compiled model.
        data: Endless data set.
        steps: Of training, in all.
        callbacks: Of `fit`.
        epochs: Equal parts of the training, after each of which callbacks are asked.
    """
    took = Fit()
    began, processor = time.perf_counter(), time.process_time()
    try:
        logs = gan.fit(
            data,
            epochs=epochs,
            steps_per_epoch=steps // epochs,
            verbose=0,
            callbacks=callbacks,
        ).history
        took.d_accuracy = float(logs["d_accuracy"][-1])
    except kgg.NonFiniteError as error:
        took.failed = str(error)
    took.seconds = time.perf_counter() - began
    took.processor_seconds = time.process_time() - processor
    return took


def stored_samples(gan):
    """Returns samples of the generators in a model's bank, as many of each."""
    stored = gan.generator_bank.member_weights
    network = keras.models.clone_model(gan.generator)
    rng = np.random.default_rng(0)
    samples = []
    for weights in stored:
        network.set_weights(weights)
        latents = rng.normal(size=(problems.SAMPLES // len(stored), *gan.latent_shape))
        samples.append(np.asarray(network(latents.astype("float32"))))
    return np.concatenate(samples)


def train(task):
    """Runs one task; returns it with what came of it."""
    problem = problems.PROBLEMS[task["problem"]]
    method = methods.METHODS[task["method"]]
    gan = model(task, method)
    points = problem.points(100_000, task["seed"] + 1) * task["data_scale"]
    steps = int(task["steps"] / method.evaluations) // 10 * 10
    took = fit(gan, batches(points, task), steps, method.callbacks())
    found = {**dataclasses.asdict(took), "modes": 0.0, "near": 0.0}
    sources = ["current", "average"]
    if getattr(gan, "generator_bank", None) is not None:
        sources.append("mixture")
    for source in sources if took.failed is None else ():
        samples = gan.sample(problems.SAMPLES, seed=0, source=source)
        modes, near = problem.score(samples / task["data_scale"])
        found[source] = [modes, near]
        # A mixture is told apart: not everybody has one.
        if source != "mixture" and modes * near > found["modes"] * found["near"]:
            found["modes"], found["near"] = modes, near
    found["wanted"] = len(problem.centers)
    found["quality"] = found["modes"] * found["near"] / len(problem.centers)
    found["good"] = (
        found["modes"] >= problem.fewest and found["near"] >= problem.nearest
    )
    return {**task, **found}
