"""Held-out data for measurements, gathered into memory once."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf


class HeldOut(NamedTuple):
    """Held-out data as tensors.

    Attributes:
        real: Data (n, ...).
        labels: Labels (n, ...) or None.
    """

    real: Any
    labels: Any


def check_disjoint(finding_data, scoring_data):
    """Raises if both are the same object, or arrays that share memory.

    Raises:
        ValueError: If so.
    """
    same = finding_data is scoring_data
    first, second = _array(finding_data), _array(scoring_data)
    if first is not None and second is not None:
        same = same or np.shares_memory(first, second)
    if same:
        raise ValueError(
            "`finding_data` and `scoring_data` must be disjoint: scored on what it was "
            "found on, a worst player looks worse than it is. Received: overlapping "
            "data. Split it: data[:n] and data[n:]."
        )


def collect(name, data, conditional, dtype, at_least):
    """Returns `HeldOut` tensors of all the data.

    Args:
        name: Argument's name, for messages.
        data: Array, pair (array, labels), or `tf.data.Dataset` of batches.
        conditional: Whether labels are needed.
        dtype: Dtype of the data.
        at_least: Smallest number of examples.

    Raises:
        ValueError: If labels are missing, values not finite, or examples too few.
    """
    if isinstance(data, tf.data.Dataset):
        if int(data.cardinality()) == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                f"`{name}` must be finite. Received: an endless tf.data.Dataset. Use "
                "dataset.take(number_of_batches)."
            )
        batches = list(data.as_numpy_iterator())
        parts = list(zip(*batches, strict=True)) if _paired(batches) else [batches]
        arrays = [np.concatenate(part) for part in parts if len(part)]
    else:
        arrays = [np.asarray(part) for part in (data if _is_pair(data) else [data])]
    number = len(arrays[0]) if arrays else 0
    if number < at_least:
        raise ValueError(
            f"`{name}` must hold at least one batch of {at_least} examples. "
            f"Received: {number}. Pass more data, or a smaller batch_size."
        )
    if conditional and len(arrays) < 2:
        raise ValueError(
            f"`{name}` must come with labels for class-conditional networks. "
            "Received: data alone. Pass a pair (data, labels)."
        )
    if not np.isfinite(arrays[0]).all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinite values. Drop them."
        )
    return HeldOut(
        tf.constant(arrays[0], dtype), tf.constant(arrays[1]) if conditional else None
    )


def _array(data):
    data = data[0] if _is_pair(data) else data
    return data if isinstance(data, np.ndarray) else None


def _is_pair(data):
    return isinstance(data, (tuple, list)) and len(data) == 2


def _paired(batches):
    return bool(batches) and isinstance(batches[0], tuple)
