"""Held-out data for measurements, gathered into memory once."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.models import adversarial_game, checks

# Row numbers that a message lists at most.
_LISTED = 5


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


def check_no_shared_rows(finding, scoring):
    """Raises if an example of one set stands in the other too.

    Examples that occur several times within a set say that the data are discrete, not
    that the sets overlap; they are not counted.

    Args:
        finding: `HeldOut`.
        scoring: `HeldOut`.

    Raises:
        ValueError: If so; the message says how many, and which.
    """
    first, second = (_rows_by_content(data.real.numpy()) for data in (finding, scoring))
    shared = [
        (rows[0], second[content][0])
        for content, rows in first.items()
        if len(rows) == 1 and len(second.get(content, ())) == 1
    ]
    if not shared:
        return
    shared.sort()
    listed = ", ".join(
        f"finding_data[{i}] = scoring_data[{j}]" for i, j in shared[:_LISTED]
    )
    more = ", ..." if len(shared) > _LISTED else ""
    raise ValueError(
        "`finding_data` and `scoring_data` must be disjoint: scored on what it was "
        "found on, a worst player looks worse than it is. Received: "
        f"{len(shared)} example(s) that stand in both: {listed}{more}. Drop them from "
        "one of the two, or split one data set: data[:n] and data[n:]."
    )


def _rows_by_content(array):
    """Returns a dictionary from a row's bytes, hashed, to the rows that have them."""
    # Adding 0 makes one of the two zeros.
    rows = np.ascontiguousarray(array.reshape(len(array), -1) + 0)
    found = {}
    for index, row in enumerate(rows):
        found.setdefault(hash(row.tobytes()), []).append(index)
    return found


def check_ends(name, dataset):
    """Raises if a `tf.data.Dataset` repeats without end.

    Raises:
        ValueError: If so.
    """
    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"`{name}` must be finite. Received: an endless tf.data.Dataset. Use "
            "dataset.take(number_of_batches)."
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
        ValueError: If labels are missing or too few, values not finite, or examples too
            few.
    """
    if isinstance(data, tf.data.Dataset):
        check_ends(name, data)
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
    if conditional and len(arrays[1]) != number:
        raise ValueError(
            f"`{name}` must have one label for every example. Received: {number} "
            f"examples and {len(arrays[1])} labels."
        )
    if not np.isfinite(arrays[0]).all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinite values. Drop them."
        )
    return HeldOut(
        tf.constant(arrays[0], dtype), tf.constant(arrays[1]) if conditional else None
    )


def collect_pair(gan, finding_data, scoring_data, at_least):
    """Returns `HeldOut` of both sets, known to fit the model and to be disjoint.

    Args:
        gan: A `GAN`.
        finding_data: As in `kgg.duality_gap`.
        scoring_data: As in `kgg.duality_gap`.
        at_least: Smallest number of examples of each.

    Raises:
        ValueError: As `collect`, and if they overlap or have another shape.
    """
    check_disjoint(finding_data, scoring_data)
    pair = [
        collect(name, data, gan.conditional, gan.generator_network.dtype, at_least)
        for name, data in (
            ("finding_data", finding_data),
            ("scoring_data", scoring_data),
        )
    ]
    for data in pair:
        checks.check_batch(*data, gan)
    check_no_shared_rows(*pair)
    return pair


def batch(data, latent_shape, size, start, stream):
    """Returns ``size`` examples from ``start`` on, going round and round.

    Args:
        data: `HeldOut`.
        latent_shape: Shape of one latent.
        size: Examples, an int.
        start: Index of the first one, an int or an int32 scalar.
        stream: Random stream of the latents and of the networks.
    """
    rows = (start + tf.range(size)) % tf.shape(data.real)[0]
    latents = randomness.normal(
        randomness.fold(stream, randomness.Purpose.LATENTS),
        [size, *latent_shape],
        data.real.dtype,
    )
    return adversarial_game.Batch(
        real=tf.gather(data.real, rows),
        labels=None if data.labels is None else tf.gather(data.labels, rows),
        latents=latents,
        stream=stream,
        share=replicas.Share(size, 0, size),
        num_replicas=1,
    )


def _array(data):
    data = data[0] if _is_pair(data) else data
    return data if isinstance(data, np.ndarray) else None


def _is_pair(data):
    return isinstance(data, (tuple, list)) and len(data) == 2


def _paired(batches):
    return bool(batches) and isinstance(batches[0], tuple)
