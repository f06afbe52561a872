"""Several processes: who writes files, and how all of them know what each knows."""

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan.distribution import cluster, lost_worker
from keras_gamegan.typing import Logs

# What Keras' own callbacks write, one writer must write.
_WRITERS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.TensorBoard,
)

# Bytes of a text that workers exchange, longer or not.
_LONGEST_TEXT = 2048

# One function for each strategy, traced once.
_gatherers: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def num_workers(strategy: tf.distribute.Strategy) -> int:
    """Returns the number of processes that train together, an int."""
    if not is_multi_worker(strategy):
        return 1
    return len(cluster.tasks(strategy.cluster_resolver)) or 1


def is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether the strategy spans several processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_multi_worker_scope() -> bool:
    """Returns whether variables made here and now are those of several processes."""
    return is_multi_worker(tf.distribute.get_strategy())


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the one that writes files."""
    if num_workers(strategy) == 1:
        return True
    resolver = strategy.cluster_resolver
    if resolver.task_type == "chief":
        return True
    alone = "chief" not in resolver.cluster_spec().as_dict()
    return alone and resolver.task_type == "worker" and resolver.task_id == 0


def all_rows(strategy: tf.distribute.Strategy, rows: ArrayLike) -> np.ndarray:
    """Returns the rows of all replicas' processes, in the order of the replicas.

    Every worker must call it at the same point.

    Args:
        strategy: The model's strategy.
        rows: Array (replicas of this process, n).

    Returns:
        Array (replicas of all processes, n).
    """
    if num_workers(strategy) == 1:
        return np.asarray(rows)
    if strategy not in _gatherers:
        _gatherers[strategy] = tf.function(
            lambda rows: strategy.run(_gather_rows, args=(rows,)), reduce_retracing=True
        )
    gathered = _gatherers[strategy](tf.constant(rows))
    return strategy.experimental_local_results(gathered)[0].numpy()


def _gather_rows(rows: tf.Tensor) -> tf.Tensor:
    context = tf.distribute.get_replica_context()
    mine = rows[context.replica_id_in_sync_group % tf.shape(rows)[0]]
    return context.all_gather(mine[tf.newaxis], axis=0)


def all_texts(
    strategy: tf.distribute.Strategy,
    text: str,
    moment: str,
    seconds: float | None = None,
) -> list[str]:
    """Returns a text from every worker, in the order of the workers.

    Every worker must call it at the same point.

    Args:
        strategy: The model's strategy.
        text: This worker's; what is longer than 2048 bytes is cut off.
        moment: When that is, for the message.
        seconds: For how long a worker waits for the others. Default: as
            `cluster.patience`.

    Raises:
        WorkerLostError: If another one does not come here within that time, or ended.
    """
    encoded = np.frombuffer(text.encode()[:_LONGEST_TEXT], "uint8")
    row = np.zeros((1, _LONGEST_TEXT), "int32")
    row[0, : len(encoded)] = encoded
    rows = _within(seconds, moment, strategy, lambda: all_rows(strategy, row))
    replicas_each = len(rows) // num_workers(strategy)
    return [
        row[row > 0].astype("uint8").tobytes().decode(errors="ignore")
        for row in rows[::replicas_each]
    ]


def _within(
    seconds: float | None,
    moment: str,
    strategy: tf.distribute.Strategy,
    exchange: Callable[[], np.ndarray],
) -> np.ndarray:
    """Returns what ``exchange()`` returns, or raises if that takes too long.

    In a thread that is left behind then: TensorFlow's own limit keeps a thread for
    every exchange until the time is over, also of those that succeed.
    """
    seconds = cluster.patience() if seconds is None else seconds
    outcome: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((exchange(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise lost_worker.not_answering(strategy, moment, seconds)
    found, error = outcome[0]
    if error is None:
        return found
    explained = None
    if isinstance(error, tf.errors.OpError):
        explained = lost_worker.explain(error, strategy)
    raise error if explained is None else explained


def replica_values(
    strategy: tf.distribute.Strategy, variables: Sequence[keras.Variable]
) -> list[list[float]]:
    """Returns what each replica holds of these scalar variables: lists of floats.

    Every worker must call it at the same point.
    """
    columns = [_scalars(variable) for variable in variables]
    return all_rows(strategy, np.array(columns, "float64").T).tolist()


def restore_replica_values(
    strategy: tf.distribute.Strategy,
    variables: Sequence[keras.Variable],
    rows: ArrayLike,
) -> None:
    """Gives each replica back what it held.

    On another number of replicas each gets an equal part of what is summed.

    Args:
        strategy: The model's strategy.
        variables: Scalar variables.
        rows: What `replica_values` returned.
    """
    rows = np.asarray(rows, "float64")
    replicas = strategy.num_replicas_in_sync
    if len(rows) != replicas:
        summed = [variable.aggregation == "sum" for variable in variables]
        rows = np.where(summed, rows.sum(axis=0) / replicas, rows[0])
        rows = np.tile(rows, (replicas, 1))
    here = len(_parts(variables[0]))
    begin = 0
    if num_workers(strategy) > 1:
        resolver = strategy.cluster_resolver
        names = [task.name for task in cluster.tasks(resolver)]
        begin = here * names.index(cluster.own_name(resolver))
    for column, variable in enumerate(variables):
        for index, part in enumerate(_parts(variable)):
            part.assign(tf.cast(rows[begin + index, column], part.dtype))


def _parts(variable: keras.Variable) -> Sequence[tf.Variable]:
    value = variable.value
    return getattr(value, "values", (value,))


def _scalars(variable: keras.Variable) -> list[float]:
    return [float(part.numpy()) for part in _parts(variable)]


def callbacks_of_worker(
    strategy: tf.distribute.Strategy, callbacks: list[keras.callbacks.Callback]
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that this process should run.

    Keras' callbacks that write files run on the chief alone; its `BackupAndRestore`
    restores everywhere and saves on the chief.
    """
    if is_chief(strategy):
        return callbacks
    kept = []
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            kept.append(_RestoreOnly(callback))
        elif not isinstance(callback, _WRITERS):
            kept.append(callback)
    return kept


class _RestoreOnly(keras.callbacks.Callback):
    """The half of `BackupAndRestore` that every worker needs."""

    def __init__(self, callback: keras.callbacks.BackupAndRestore) -> None:
        super().__init__()
        self._callback = callback

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._callback.set_model(model)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._callback.on_train_begin(logs)
