"""What a train step must know of replicas: how many, which, and how to sum over them.

Outside a strategy everything here is trivial and adds no operation to the graph.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_gamegan.typing import Structure


class Share(NamedTuple):
    """A replica's share of the global batch.

    Attributes:
        size: Examples in the global batch, an int or an int32 scalar.
        offset: Index in the global batch of this replica's first example.
        local_size: Examples on this replica.
    """

    size: int | tf.Tensor
    offset: int | tf.Tensor
    local_size: int | tf.Tensor


def num_replicas() -> int:
    """Returns the number of replicas in sync, a Python int."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def place() -> tuple[int | tf.Tensor, int]:
    """Returns (this replica's number, number of replicas); (0, 1) outside replicas."""
    context = tf.distribute.get_replica_context()
    if context is None:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def runs_in_replica() -> bool:
    """Returns whether this code is being run by a strategy, once for each replica."""
    inside = tf.distribute.get_replica_context() is not None
    return inside and tf.distribute.has_strategy()


def share_of_batch(tensor: tf.Tensor) -> Share:
    """Returns this replica's `Share` of the batch whose local part is ``tensor``.

    With a static batch size it is known without communication; a batch size known only
    at run time (a last, smaller batch) costs one all-reduce of a few integers.
    """
    static = tensor.shape[0]
    local = static if static is not None else tf.shape(tensor)[0]
    if num_replicas() == 1:
        return Share(local, 0, local)
    context = tf.distribute.get_replica_context()
    replica = context.replica_id_in_sync_group
    if static is not None:
        return Share(num_replicas() * static, replica * static, static)
    mine = tf.one_hot(replica, num_replicas(), dtype=tf.int32) * local
    sizes = context.all_reduce(tf.distribute.ReduceOp.SUM, mine)
    return Share(tf.reduce_sum(sizes), tf.cumsum(sizes, exclusive=True)[replica], local)


def sum_over_replicas(structure: Structure) -> Structure:
    """Returns the structure of tensors summed over replicas, in one communication."""
    if num_replicas() == 1:
        return structure
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, structure)


def mean_over_replicas(
    tensors: Sequence[tf.Tensor], share: Share
) -> Sequence[tf.Tensor]:
    """Returns floating tensors averaged over replicas, by the size of their shares.

    What each replica moved on its own (BatchNorm statistics) would otherwise be
    another number on each of them. A replica without examples has no say.

    Args:
        tensors: List of tensors, one communication for all of them.
        share: This replica's `Share` of the global batch.

    Returns:
        List of tensors; those that are not floating come back as they are.
    """
    floating = [tensor for tensor in tensors if tensor.dtype.is_floating]
    if num_replicas() == 1 or not floating:
        return tensors
    # In double precision, so that the mean of equal numbers is that number.
    weight = tf.cast(share.local_size / share.size, tf.float64)
    parts = [tf.cast(tensor, tf.float64) * weight for tensor in floating]
    means = iter(sum_over_replicas(masked(parts, share)))
    return [
        tf.cast(next(means), t.dtype) if t.dtype.is_floating else t for t in tensors
    ]


def masked(structure: Structure, share: Share) -> Structure:
    """Returns the structure of tensors, or zeros on a replica whose share is empty.

    The mean of no examples is no number, and zero times that is none either.
    """
    if num_replicas() == 1 or isinstance(share.local_size, int):
        return structure
    return tf.nest.map_structure(
        lambda x: tf.where(share.local_size > 0, x, tf.zeros_like(x)), structure
    )


def logs_for_keras(logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns a step's logs in the shape that Keras can reduce over replicas.

    On several workers Keras 3 reduces them along axis 0, which scalars do not have
    (keras#20585); logs of rank 1 pass. The tests say when Keras has learnt it.

    Args:
        logs: Dictionary of scalar tensors.

    Returns:
        The same under one process; tensors of shape (1,) under several.
    """
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return logs
    return {name: tf.reshape(value, [1]) for name, value in logs.items()}


def local_values(variable: keras.Variable) -> list[tf.Tensor]:
    """Returns the values of a Keras variable on the replicas of this process.

    Without communication, unlike reading a variable that is summed when it is read.
    """
    return [tf.convert_to_tensor(each) for each in _local_variables(variable)]


def _local_variables(variable: keras.Variable) -> tuple[tf.Variable, ...]:
    """Returns TensorFlow's variables behind one of Keras, one for each replica here."""
    value = variable.value
    return tuple(getattr(value, "values", (value,)))


def assign_unless(
    condition: tf.Tensor, pairs: Sequence[tuple[keras.Variable, tf.Tensor]]
) -> tf.Tensor:
    """Writes variables on all replicas, unless a condition holds on all of them.

    Args:
        condition: Boolean scalar, this replica's.
        pairs: Pairs (variable, this replica's value for it).

    Returns:
        Boolean scalar, whether it holds on all; to be had once they are written.
    """
    variables = [variable for variable, _ in pairs]
    values = [value for _, value in pairs]
    if not runs_in_replica():
        return _assigned_unless(condition, variables, [values])
    context = tf.distribute.get_replica_context()

    def together(
        strategy: tf.distribute.Strategy, failed: tf.Tensor, values: Structure
    ) -> tf.Tensor:
        failures = strategy.reduce(tf.distribute.ReduceOp.SUM, failed, axis=None)
        each = zip(*map(strategy.experimental_local_results, values), strict=True)
        return _assigned_unless(tf.equal(failures, 0), variables, list(each))

    failed = tf.cast(~condition, tf.int32)
    return context.merge_call(together, args=(failed, values))


def _assigned_unless(
    condition: tf.Tensor, variables: list[keras.Variable], values: list
) -> tf.Tensor:
    """Writes a list of values for each replica of this process, or none."""

    def write() -> tf.Tensor:
        for place, each in enumerate(values):
            for variable, value in zip(variables, each, strict=True):
                _local_variables(variable)[place].assign(value)
        return tf.constant(False)

    return tf.cond(condition, lambda: tf.constant(True), write)


def read_row(variable: keras.Variable, index: int | tf.Tensor) -> tf.Tensor:
    """Returns one row of a Keras variable without reading the others.

    `tf.gather` of a variable's value may copy all of it first; of the variable itself
    it reads what is asked for. A mirrored variable cannot be gathered from, its copy on
    this replica can.

    Args:
        variable: Variable (n, ...).
        index: Number of the row; numbers of several, for several.
    """
    source = variable.value
    copies = getattr(source, "values", None)
    context = tf.distribute.get_replica_context()
    if copies is not None and context is not None:
        replica = context.replica_id_in_sync_group
        if isinstance(replica, int):
            # Each process holds the copies of its own replicas, equally many.
            source = copies[replica % len(copies)]
    return tf.gather(source, index)
