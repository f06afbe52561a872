"""Workers that differ, in their models or in their data, and what all are told."""

import warnings

import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import version
from tests.distribution import small_runs


def disagreement(strategy, folder, rank):
    """Workers that differ are told so, all of them; and agreeing ones go on."""
    found = {}

    def attempt(name, gan, **arguments):
        try:
            gan.fit(small_runs.batches(), verbose=0, **arguments)
            found[name] = "trained"
        except ValueError as error:
            found[name] = str(error)

    with strategy.scope():
        differing = (
            small_runs.make(seed=rank),
            small_runs.make(penalty=("r1", "gradient_penalty")[rank]),
            small_runs.make(),
        )
    attempt("seed", differing[0])
    attempt("penalty", differing[1])
    original = version.__version__
    version.__version__ = f"{original}.{rank}"
    attempt("version", differing[2])
    version.__version__ = original
    attempt(
        "folder",
        differing[2],
        callbacks=[
            kgg.callbacks.Checkpoint(folder / ("shared" if rank == 0 else "empty"))
        ],
    )
    with strategy.scope():
        try:
            history = kgg.History(dtype="bfloat16")
            kgg.FictitiousGAN(*kgg.networks.mlp_pair(seed=1), history=history, seed=0)
        except ValueError as error:
            found["bfloat16"] = str(error)
        same = small_runs.make()
    attempt("small", same, steps_per_epoch=1)
    try:
        same.fit(small_runs.RING.sample(4), batch_size=1, verbose=0)
    except ValueError as error:
        found["small"] = str(error)
    attempt("agreeing", same)
    return found


def other_data(strategy, folder, rank):
    """Workers whose data differ are told before the first step, and so is the reason.

    What is said to differ stands behind "|" in the name of an attempt.
    """
    with strategy.scope():
        gan = small_runs.make()
    points = small_runs.RING.sample(40)
    kind, size = "data (element types, shapes or sharding)", "batch size"
    length, epochs = "number of examples or batches", "epochs or steps_per_epoch"

    def sliced(array, batch_size=10, policy="DATA", **arguments):
        data = tf.data.Dataset.from_tensor_slices(array).batch(batch_size, **arguments)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy[policy]
        options.experimental_distribute.auto_shard_policy = policy
        return data.with_options(options)

    attempts = {
        f"stream|{size}": {
            "x": small_runs.RING.batches((14, 10)[rank], steps_per_epoch=4)
        },
        f"array|{size}": {"x": points, "batch_size": (14, 10)[rank]},
        f"whole batches|{size}": {
            "x": sliced(points, (14, 10)[rank], drop_remainder=True).take(2)
        },
        f"last batch|{length}": {"x": sliced(points, (14, 10)[rank])},
        f"array|{length}": {"x": points[: (40, 30)[rank]], "batch_size": 10},
        f"data set|{length}": {"x": sliced(points[: (40, 30)[rank]])},
        f"endless|{length}": {
            "x": sliced(points).repeat((None, 2)[rank]),
            "steps_per_epoch": 4,
        },
        f"types|{kind}": {"x": sliced(points.astype(("float32", "float64")[rank]))},
        f"sharding|{kind}": {"x": sliced(points, policy=("DATA", "OFF")[rank])},
        "shuffle|shuffle": {"x": points, "shuffle": not rank},
        f"steps|{epochs}": {
            "x": sliced(points).repeat(),
            "steps_per_epoch": (4, 5)[rank],
        },
        f"epochs|{epochs}": {"x": points, "epochs": (1, 2)[rank]},
        "validation|validation data": {
            "x": points,
            "validation_data": None if rank else points[:20],
        },
        "callbacks|callbacks that all workers must have": {
            "x": points,
            "callbacks": [kgg.callbacks.Checkpoint(folder / "c", every=1 + rank)],
        },
    }
    found = {}
    for name, arguments in attempts.items():
        try:
            gan.fit(verbose=0, **arguments)
            found[name] = "trained"
        except ValueError as error:
            found[name] = str(error)
    bad = points.copy()
    if rank == 1:
        bad[3] = np.nan
    try:
        gan.fit(bad, verbose=0)
    except (ValueError, kgg.WorkerLostError) as error:
        found["failing"] = f"{type(error).__name__}: {error}"
    found["steps before"] = gan.num_steps

    def generate():
        for _ in range((4, 6)[rank]):
            yield points[:10]

    # Of unknown length: TensorFlow goes on until the last worker has no more. Each of
    # them reads all batches here, in halves.
    signature = tf.TensorSpec((None, 2))
    data = tf.data.Dataset.from_generator(generate, output_signature=signature)
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.OFF
    options.experimental_distribute.auto_shard_policy = policy
    with warnings.catch_warnings():
        # Keras' word for data of unknown length that end.
        warnings.simplefilter("ignore")
        gan.fit(data.with_options(options), verbose=0)
    found["steps of unequal data"] = gan.num_steps
    found["digest"] = small_runs.digest(gan)
    return found
