"""Several processes: who writes files, and how all of them know what each knows."""

import weakref

import keras
import numpy as np
import tensorflow as tf

# What Keras' own callbacks write, one writer must write.
_WRITERS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.TensorBoard,
)

# One function for each strategy, traced once.
_gatherers: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def num_workers(strategy):
    """Returns the number of processes that train together, an int."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not is_multi_worker(strategy):
        return 1
    spec = resolver.cluster_spec().as_dict()
    return sum(len(spec.get(job, ())) for job in ("chief", "worker"))


def is_multi_worker(strategy):
    """Returns whether the strategy spans several processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_multi_worker_scope():
    """Returns whether variables made here and now are those of several processes."""
    return is_multi_worker(tf.distribute.get_strategy())


def is_chief(strategy):
    """Returns whether this process is the one that writes files."""
    if num_workers(strategy) == 1:
        return True
    resolver = strategy.cluster_resolver
    if resolver.task_type == "chief":
        return True
    alone = "chief" not in resolver.cluster_spec().as_dict()
    return alone and resolver.task_type == "worker" and resolver.task_id == 0


def all_rows(strategy, rows):
    """Returns the rows of all replicas' processes, in the order of the replicas.

    Every worker must call it at the same point.

    Args:
        strategy: The model's strategy.
        rows: NumPy array (replicas of this process, n).

    Returns:
        NumPy array (replicas of all processes, n).
    """
    if num_workers(strategy) == 1:
        return np.asarray(rows)
    if strategy not in _gatherers:
        _gatherers[strategy] = tf.function(
            lambda rows: strategy.run(_gather_rows, args=(rows,)), reduce_retracing=True
        )
    gathered = _gatherers[strategy](tf.constant(rows))
    return strategy.experimental_local_results(gathered)[0].numpy()


def _gather_rows(rows):
    context = tf.distribute.get_replica_context()
    mine = rows[context.replica_id_in_sync_group % tf.shape(rows)[0]]
    return context.all_gather(mine[tf.newaxis], axis=0)


def replica_values(strategy, variables):
    """Returns what each replica holds of these scalar variables: lists of floats.

    Every worker must call it at the same point.
    """
    columns = [_scalars(variable) for variable in variables]
    return all_rows(strategy, np.array(columns, "float64").T).tolist()


def restore_replica_values(strategy, variables, rows):
    """Gives each replica back what it held.

    On another number of replicas each gets an equal part of what is summed.

    Args:
        strategy: The model's strategy.
        variables: Scalar Keras variables.
        rows: What `replica_values` returned.
    """
    rows = np.asarray(rows, "float64")
    replicas = strategy.num_replicas_in_sync
    if len(rows) != replicas:
        summed = [variable.aggregation == "sum" for variable in variables]
        rows = np.where(summed, rows.sum(axis=0) / replicas, rows[0])
        rows = np.tile(rows, (replicas, 1))
    here = len(_parts(variables[0]))
    resolver = getattr(strategy, "cluster_resolver", None)
    begin = 0
    if num_workers(strategy) > 1:
        after_chief = "chief" in resolver.cluster_spec().as_dict()
        is_worker = resolver.task_type == "worker"
        begin = here * (resolver.task_id + (after_chief and is_worker))
    for column, variable in enumerate(variables):
        for index, part in enumerate(_parts(variable)):
            part.assign(tf.cast(rows[begin + index, column], part.dtype))


def _parts(variable):
    value = variable.value
    return getattr(value, "values", (value,))


def _scalars(variable):
    return [float(part.numpy()) for part in _parts(variable)]


def callbacks_of_worker(strategy, callbacks):
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

    def __init__(self, callback):
        super().__init__()
        self._callback = callback

    def set_model(self, model):
        super().set_model(model)
        self._callback.set_model(model)

    def on_train_begin(self, logs=None):
        self._callback.on_train_begin(logs)


class WorkerLostError(RuntimeError):
    """Another worker ended while this one was waiting for it.

    Raised by `fit` under `MultiWorkerMirroredStrategy`. Start all
    workers again with the same command; with `kgg.callbacks.Checkpoint` they go on from
    the last checkpoint, exactly.

    Example:
        >>> import keras_gamegan as kgg
        >>> try:
        ...     raise kgg.WorkerLostError("worker 1 of 2 workers ended")
        ... except kgg.WorkerLostError as error:
        ...     print(f"Restart me: {error}")
        Restart me: worker 1 of 2 workers ended
    """


def explain(error, strategy):
    """Returns the `WorkerLostError` behind a TensorFlow error, or None.

    Args:
        error: A `tf.errors.OpError` raised in a step.
        strategy: The model's strategy.
    """
    lost = tf.errors.UnavailableError, tf.errors.AbortedError
    collective = "ollective" in str(error)
    if num_workers(strategy) == 1 or not (isinstance(error, lost) or collective):
        return None
    resolver = strategy.cluster_resolver
    return WorkerLostError(
        "Expected all workers to go on, but another one ended: lost, killed, or "
        "stopped by an error that stands in its own log. Received: a broken connection "
        f"on {resolver.task_type} {resolver.task_id} of {num_workers(strategy)} "
        "workers. Start all of them again with the same command; with "
        "kgg.callbacks.Checkpoint they go on from the last checkpoint."
    )
