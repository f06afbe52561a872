"""How far training moves the networks' functions, at good and at low learning rates.

    python benchmarks/quality/paces.py
    python benchmarks/quality/paces.py --images --data_dir=prepared

What `PaceControl` steers by, measured without steering: r_G in standard deviations of
the data and r_D in those of the logits, over ten steps, medians of each sixth of a run;
beside it, by how much all kernels of each network have grown. One run on images is
steered, to compare.
"""

import image_problems
import image_runs
import methods
import numpy as np
import problems
import training
from absl import app, flags

import keras_gamegan as kgg

RUNS = (("ring", 3e-3, 3000), ("grid 5x5", 3e-3, 5000), ("ring", 3e-4, 3000))
# It only looks.
LOOK = 1e-9
# Rates of generator and discriminator, whether there is BatchNorm, and the gain.
IMAGE_RUNS = (
    (3e-3, 3e-3, 0, LOOK),
    (3e-4, 3e-4, 0, LOOK),
    (2e-3, 5e-4, 1, LOOK),
    (2e-4, 2e-4, 1, LOOK),
    (2e-4, 2e-4, 1, 0.1),
)
METHOD = "GAN + R1 no decay"
PARTS = 6

FLAGS = flags.FLAGS


def medians(measurements):
    """Returns (r_G, r_D), medians of each part: array (2, parts)."""
    paces = np.asarray(measurements)[:, 1:]
    parts = np.array_split(paces, PARTS)
    return np.transpose([np.median(part, axis=0) for part in parts])


def measure(problem_name, rate, steps):
    """Looks at one run of the GAN with R1 at a constant rate."""
    problem = problems.PROBLEMS[problem_name]
    task = {**training.SETTING, "seed": 0, "g_rate": rate, "d_rate": rate}
    gan = training.model(task, methods.METHODS[METHOD])
    return look(gan, training.batches(problem.points(100_000, 1), task), steps)


def measure_images(g_rate, d_rate, batch_norm, gain, steps, data_dir=None):
    """Looks at one run on Fashion-MNIST."""
    problem = image_problems.PROBLEMS["fashion"]
    changed = {"seed": 0, "batch_norm": batch_norm, "g_rate": g_rate, "d_rate": d_rate}
    task = {**image_runs.SETTING, **changed}
    method = methods.methods(task["weight"])[METHOD]
    data = problem.dataset("train", task["batch_size"], data_dir)
    return look(image_runs.build(problem, method, task), data.repeat(), steps, gain)


def kernel_sizes(gan):
    """Returns the root mean squares of the kernels, generator's and discriminator's."""
    sizes = []
    for network in (gan.generator, gan.discriminator):
        kernels = [w.numpy().ravel() for w in network.trainable_weights if w.ndim > 1]
        sizes.append(np.sqrt(np.mean(np.square(np.concatenate(kernels)))))
    return np.array(sizes)


def look(gan, data, steps, gain=LOOK):
    """Trains a GAN; returns the medians, and how many times larger kernels became."""
    pace, before = kgg.callbacks.PaceControl(gain=gain), kernel_sizes(gan)
    took = training.fit(gan, data, steps, [pace])
    if took.failed is not None:
        raise RuntimeError(took.failed)
    return medians(pace.measurements), kernel_sizes(gan) / before


def rows():
    """Yields (name, what was seen) of each run."""
    if not FLAGS.images:
        for name, rate, steps in RUNS:
            yield f"{name}, rates {rate:g}", measure(name, rate, steps)
        return
    for *rates, batch_norm, gain in IMAGE_RUNS:
        start = "rates" if gain == LOOK else "pace control from"
        name = f"{start} {rates[0]:g}, {rates[1]:g}" + ", BatchNorm" * batch_norm
        yield name, measure_images(*rates, batch_norm, gain, 1500, FLAGS.data_dir)


def main(argv):
    """Prints a table, a line for each run and player."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    heads = [f"{number + 1}/{PARTS}" for number in range(PARTS)]
    print(f"| run | moved | {' | '.join(heads)} | kernels |")
    print(f"|---|---|{'---|' * PARTS}---|")
    for name, (both, grown) in rows():
        for player, values, times in zip(("r_G", "r_D"), both, grown, strict=True):
            cells = " | ".join(f"{value:.2f}" for value in values)
            print(f"| {name} | {player} | {cells} | x {times:.2f} |", flush=True)


def define_flags():
    """Defines the flags of this script."""
    flags.DEFINE_bool("images", False, "Fashion-MNIST instead of toys.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets; default: TFDS's.")


if __name__ == "__main__":
    define_flags()
    app.run(main)
