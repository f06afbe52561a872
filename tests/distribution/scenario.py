"""What one of several workers does, all in one process group: python -m ... FOLDER.

Every part writes what it found to FOLDER/<part>-<worker>.json; the tests read it.
"""

import json
import pathlib
import sys
import time
import traceback

import keras
import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import workers
from tests.distribution import differing_workers, failing_workers, small_runs


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
        gan = small_runs.make()
    mine = folder / f"mine-{rank}"
    mine.mkdir()
    logs = gan.fit(
        small_runs.batches(),
        epochs=2,
        verbose=0,
        validation_data=small_runs.RING.batches(10).take(2),
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
    points = small_runs.RING.sample(13)
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
        "digest": small_runs.digest(gan),
        "wrote": sorted(path.name for path in mine.iterdir()),
    }


def resuming(strategy, folder, rank):
    """A run that stopped inside an epoch goes on as if it had not."""
    found = {}
    for name, stop_at in (("straight", None), ("stopped", 6), ("stopped", None)):
        with strategy.scope():
            gan = small_runs.make()
        checkpoint = kgg.callbacks.Checkpoint(folder / name, every=5)
        extra = [Interrupt(stop_at)] if stop_at else []
        try:
            fitted = gan.fit(
                small_runs.batches(),
                epochs=3,
                verbose=0,
                callbacks=[checkpoint, *extra],
            )
        except KeyboardInterrupt:
            assert gan.num_steps == 6
            continue
        found[name] = small_runs.digest(gan)
        found[f"{name} logs"] = {k: v[-1] for k, v in fitted.history.items()}
    return found


def backup(strategy, folder, rank):
    """Keras' BackupAndRestore at the end of an epoch."""
    found = {}
    for name, stop_at in (("straight", None), ("stopped", 5), ("stopped", None)):
        with strategy.scope():
            gan = small_runs.make()
        # Arrays in order: what restarts at an epoch needs no place in the data.
        points = small_runs.RING.sample(40)
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
        found[name] = small_runs.digest(gan)
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
            gan = small_runs.make()
        data = small_runs.RING.batches(10, steps_per_epoch=steps)
        stop = StopAlone(rank, **when)
        fitted = gan.fit(data, epochs=epochs, verbose=0, callbacks=[stop])
        found[name] = [gan.num_steps, fitted.epoch, gan.stop_training]
        found[f"digest {name}"] = small_runs.digest(gan)
    begin = time.perf_counter()
    for _ in range(50):
        workers.all_texts(strategy, "go on", "the end of a test")
    found["seconds"] = {"exchange": (time.perf_counter() - begin) / 50}
    begin = time.perf_counter()
    gan.fit(small_runs.RING.batches(10, steps_per_epoch=90), verbose=0)
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
        real_data=small_runs.RING.sample(128, seed=1),
    )
    nash = kgg.callbacks.NashMixture(small_runs.RING.sample(64, seed=2), batch_size=32)
    logs = gan.fit(
        small_runs.batches(), epochs=2, verbose=0, callbacks=[nash, evaluate]
    ).history
    _, table, _ = nash.measurements[-1]
    return {
        "logs": logs,
        "samples": evaluate.evaluations[-1][1]["mixture"]["distance"]["n_fake"],
        "payoffs": table.values.tolist(),
        "shares": [
            bank.member_probabilities.tolist()
            for bank in (gan.generator_bank, gan.discriminator_bank)
        ],
        "digest": small_runs.digest(gan),
    }


PARTS = (
    callbacks_write_once,
    resuming,
    backup,
    differing_workers.disagreement,
    measurements,
    differing_workers.other_data,
    stop_alone,
    plain_keras,
)


# Each ends its process group, and so has one of its own.
FATAL = (
    failing_workers.other_shapes,
    failing_workers.other_class,
    failing_workers.nan_on_one,
    failing_workers.late,
    failing_workers.killed_before_fit,
)


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
