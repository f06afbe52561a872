"""What one of several workers does, all in one process group: python -m ... FOLDER.

Every part writes what it found to FOLDER/<part>-<worker>.json; the tests read it.
"""

import json
import os
import pathlib
import signal
import sys
import time
import traceback
import warnings

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import version
from keras_gamegan.distribution import cluster, workers

RING = kgg.datasets.gaussian_ring(seed=0)


def make(seed=3, penalty="r1"):
    """A small compiled FictitiousGAN, the model with the most state."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(capacity=3, interval=2)
    gan = kgg.FictitiousGAN(*pair, history=history, seed=seed)
    adam = [keras.optimizers.Adam(0.01) for _ in range(2)]
    gan.compile(*adam, penalty=penalty)
    return gan


def batches():
    return RING.batches(10, steps_per_epoch=4)


def digest(gan):
    """The sum of every array that training changes: equal only if all are."""
    optimizers = [*gan.d_optimizer.variables, *gan.g_optimizer.variables]
    arrays = [*gan.get_weights(), *(np.array(v.numpy()) for v in optimizers)]
    return [float(np.sum(array, dtype="float64")) for array in arrays]


class Interrupt(keras.callbacks.Callback):
    """Stops a run as Ctrl-C would, on every worker at the same step."""

    def __init__(self, step):
        super().__init__()
        self._step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.num_steps == self._step:
            raise KeyboardInterrupt


def callbacks_write_once(strategy, folder, rank):
    """`fit` with every callback that writes, `evaluate`, `predict`, save, export."""
    with strategy.scope():
        gan = make()
    mine = folder / f"mine-{rank}"
    mine.mkdir()
    logs = gan.fit(
        batches(),
        epochs=2,
        verbose=0,
        validation_data=RING.batches(10).take(2),
        callbacks=[
            # A folder for each worker shows who writes.
            kgg.callbacks.Checkpoint(folder / "shared"),
            kgg.callbacks.SampleGrid(mine / "grid", num_samples=4),
            keras.callbacks.CSVLogger(str(mine / "log.csv")),
            keras.callbacks.TensorBoard(str(mine / "board")),
            keras.callbacks.ModelCheckpoint(str(mine / "model.keras")),
            keras.callbacks.BackupAndRestore(str(folder / "backup")),
        ],
    ).history
    points = RING.sample(13)
    scores = gan.evaluate(points, batch_size=5, verbose=0, return_dict=True)
    latents = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    predicted = gan.predict(latents, batch_size=6, verbose=0)
    if rank == 0:
        gan.save(folder / "model.keras")
        gan.export(folder / "sampler", source="mixture")
    return {
        "logs": logs,
        "scores": scores,
        "predicted": predicted.tolist(),
        "expected": np.array(gan(latents)).tolist(),
        "samples": gan.sample(3, seed=0).tolist(),
        "digest": digest(gan),
        "wrote": sorted(path.name for path in mine.iterdir()),
    }


def resuming(strategy, folder, rank):
    """A run that stopped inside an epoch goes on as if it had not."""
    found = {}
    for name, stop_at in (("straight", None), ("stopped", 6), ("stopped", None)):
        with strategy.scope():
            gan = make()
        checkpoint = kgg.callbacks.Checkpoint(folder / name, every=5)
        extra = [Interrupt(stop_at)] if stop_at else []
        try:
            fitted = gan.fit(
                batches(), epochs=3, verbose=0, callbacks=[checkpoint, *extra]
            )
        except KeyboardInterrupt:
            assert gan.num_steps == 6
            continue
        found[name] = digest(gan)
        found[f"{name} logs"] = {k: v[-1] for k, v in fitted.history.items()}
    return found


def backup(strategy, folder, rank):
    """Keras' BackupAndRestore at the end of an epoch."""
    found = {}
    for name, stop_at in (("straight", None), ("stopped", 5), ("stopped", None)):
        with strategy.scope():
            gan = make()
        # Arrays in order: what restarts at an epoch needs no place in the data.
        points = RING.sample(40)
        back = keras.callbacks.BackupAndRestore(str(folder / f"backup-{name}"))
        extra = [Interrupt(stop_at)] if stop_at else []
        try:
            gan.fit(
                points,
                batch_size=10,
                epochs=2,
                shuffle=False,
                verbose=0,
                callbacks=[back, *extra],
            )
        except KeyboardInterrupt:
            continue
        found[name] = digest(gan)
    return found


def disagreement(strategy, folder, rank):
    """Workers that differ are told so, all of them; and agreeing ones go on."""
    found = {}

    def attempt(name, gan, **arguments):
        try:
            gan.fit(batches(), verbose=0, **arguments)
            found[name] = "trained"
        except ValueError as error:
            found[name] = str(error)

    with strategy.scope():
        differing = (
            make(seed=rank),
            make(penalty=("r1", "gradient_penalty")[rank]),
            make(),
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
        same = make()
    attempt("small", same, steps_per_epoch=1)
    try:
        same.fit(RING.sample(4), batch_size=1, verbose=0)
    except ValueError as error:
        found["small"] = str(error)
    attempt("agreeing", same)
    return found


def other_data(strategy, folder, rank):
    """Workers whose data differ are told before the first step, and so is the reason.

    What is said to differ stands behind "|" in the name of an attempt.
    """
    with strategy.scope():
        gan = make()
    points = RING.sample(40)
    kind, size = "data (element types, shapes or sharding)", "batch size"
    length, epochs = "number of examples or batches", "epochs or steps_per_epoch"

    def sliced(array, batch_size=10, policy="DATA", **arguments):
        data = tf.data.Dataset.from_tensor_slices(array).batch(batch_size, **arguments)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy[policy]
        options.experimental_distribute.auto_shard_policy = policy
        return data.with_options(options)

    attempts = {
        f"stream|{size}": {"x": RING.batches((14, 10)[rank], steps_per_epoch=4)},
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
    found["digest"] = digest(gan)
    return found


class StopAlone(keras.callbacks.Callback):
    """Sets `stop_training` on the second worker, at a step or the end of an epoch."""

    def __init__(self, rank, step=None, epoch=None):
        super().__init__()
        self._rank, self._step, self._epoch = rank, step, epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._rank == 1 and self.model.num_steps == self._step:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self._rank == 1 and epoch == self._epoch:
            self.model.stop_training = True


def stop_alone(strategy, folder, rank):
    """One worker stops; all do, and what was trained is the same."""
    found = {}
    for name, steps, epochs, when in (
        ("at the end of an epoch", 4, 5, {"epoch": 1}),
        ("inside an epoch", 4, 5, {"step": 2}),
        ("inside a long epoch", 210, 1, {"step": 2}),
    ):
        with strategy.scope():
            gan = make()
        data = RING.batches(10, steps_per_epoch=steps)
        stop = StopAlone(rank, **when)
        fitted = gan.fit(data, epochs=epochs, verbose=0, callbacks=[stop])
        found[name] = [gan.num_steps, fitted.epoch, gan.stop_training]
        found[f"digest {name}"] = digest(gan)
    begin = time.perf_counter()
    for _ in range(50):
        workers.all_texts(strategy, "go on", "the end of a test")
    found["seconds"] = {"exchange": (time.perf_counter() - begin) / 50}
    begin = time.perf_counter()
    gan.fit(RING.batches(10, steps_per_epoch=90), verbose=0)
    found["seconds"]["step"] = (time.perf_counter() - begin) / 90
    return found


def plain_keras(strategy, folder, rank):
    """The day this passes, Keras has learnt to fit on several workers."""
    with strategy.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    try:
        model.fit(np.zeros((8, 2)), np.zeros((8, 1)), batch_size=4, verbose=0)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:500]}
    return {"error": None}


def measurements(strategy, folder=None, rank=0):
    """`Evaluate` and `NashMixture`: every process measures, all get the same."""
    with strategy.scope():
        pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
        history = kgg.History(3, interval=2, retention="fifo", weights="nash")
        gan = kgg.FictitiousGAN(*pair, history=history, seed=3)
        gan.compile(*(keras.optimizers.Adam(0.01) for _ in range(2)))
    evaluate = kgg.callbacks.Evaluate(
        [kgg.metrics.FrechetDistance(name="distance"), kgg.metrics.PrecisionRecall()],
        num_samples=64,
        source=["current", "mixture"],
        real_data=RING.sample(128, seed=1),
    )
    nash = kgg.callbacks.NashMixture(RING.sample(64, seed=2), batch_size=32)
    logs = gan.fit(batches(), epochs=2, verbose=0, callbacks=[nash, evaluate]).history
    _, table, _ = nash.measurements[-1]
    return {
        "logs": logs,
        "samples": evaluate.evaluations[-1][1]["mixture"]["distance"]["n_fake"],
        "payoffs": table.values.tolist(),
        "shares": [
            bank.member_probabilities.tolist()
            for bank in (gan.generator_bank, gan.discriminator_bank)
        ],
        "digest": digest(gan),
    }


PARTS = (
    callbacks_write_once,
    resuming,
    backup,
    disagreement,
    measurements,
    other_data,
    stop_alone,
    plain_keras,
)


def fatal(attempt):
    """Returns the error that ended an attempt; nobody may hang instead."""
    begin = time.monotonic()
    try:
        attempt()
    except Exception as error:
        seconds = time.monotonic() - begin
        return {"error": f"{type(error).__name__}: {error}", "seconds": seconds}
    return {"error": None}


def other_shapes(strategy, folder, rank):
    """Networks of another width on the second worker."""

    def attempt():
        with strategy.scope():
            pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8 + rank, seed=1)
            kgg.GAN(*pair, seed=0)

    return fatal(attempt)


def other_class(strategy, folder, rank):
    """A `GAN` here, a `FictitiousGAN` with its banks there."""

    def attempt():
        with strategy.scope():
            pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
            gan = (kgg.GAN, kgg.FictitiousGAN)[rank](*pair, seed=0)
            gan.compile()
        gan.fit(batches(), verbose=0)

    return fatal(attempt)


def nan_on_one(strategy, folder, rank):
    """Data of the second worker's share become NaN in the second step."""
    points = RING.sample(20)
    points[15:] = np.nan if rank == 1 else 0.0

    def attempt():
        with strategy.scope():
            gan = make()
        data = tf.data.Dataset.from_tensor_slices(points).batch(10)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy.DATA
        options.experimental_distribute.auto_shard_policy = policy
        checkpoint = kgg.callbacks.Checkpoint(folder / "checkpoints", every=1)
        gan.fit(data.with_options(options), verbose=0, callbacks=[checkpoint])

    return fatal(attempt)


def late(strategy, folder, rank):
    """The second worker does something else for longer than the first waits."""
    os.environ[cluster.TIMEOUT] = "3"
    gan = make_here(strategy)
    if rank == 1:
        time.sleep(20)
    return fatal(lambda: gan.fit(batches(), verbose=0))


def killed_before_fit(strategy, folder, rank):
    """The second worker is gone before the first step."""
    gan = make_here(strategy)
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return fatal(lambda: gan.fit(batches(), verbose=0))


def make_here(strategy):
    with strategy.scope():
        return make()


# Each ends its process group, and so has one of its own.
FATAL = other_shapes, other_class, nan_on_one, late, killed_before_fit


def main(folder, *parts):
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    folder = pathlib.Path(folder)
    rank = strategy.cluster_resolver.task_id
    for part in PARTS if not parts else FATAL:
        if parts and part.__name__ not in parts:
            continue
        try:
            found = part(strategy, folder, rank)
        except Exception:
            found = {"failure": traceback.format_exc()}
        path = folder / f"{part.__name__}-{rank}.json"
        path.write_text(json.dumps(found, default=float))
        print(part.__name__, "done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
