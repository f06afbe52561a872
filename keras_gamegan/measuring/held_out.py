"""Held-out data for measurements, gathered into memory once."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.measuring import data_forms, overlap
from keras_gamegan.models.step import batch as batches
from keras_gamegan.models.step import data_checks
from keras_gamegan.models.step.batch import Batch
from keras_gamegan.typing import Structure


def check_disjoint(finding_data: Any, scoring_data: Any) -> None:
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


def collect(name: str, data: Any, model: Any, at_least: int) -> Structure:
    """Returns all the data as a structure of tensors, as a step has its examples.

    Args:
        name: Argument's name, for messages.
        data: In one of the forms of `data_forms`.
        model: A `TwoPlayerModel`: says what has to fit what.
        at_least: Smallest number of examples.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If the data are in another form or shape, labels are missing or too
            few, values not finite, or examples too few.

    Warns:
        UserWarning: If values lie where the generator's last activation cannot reach.
    """
    parts = list(data_forms.elements_of(model, name, data))
    flat = [tf.nest.flatten(part) for part in parts]
    number = sum(len(leaves[0]) for leaves in flat)
    if number < at_least:
        raise ValueError(
            f"`{name}` must hold at least one batch of {at_least} examples. "
            f"Received: {number}. Pass more data, or a smaller batch_size."
        )
    arrays = [np.concatenate(leaves) for leaves in zip(*flat, strict=True)]
    for array in arrays:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite. Received: NaN or infinite values. Drop them."
            )
    reachable = model._data_form.reachable_range
    if reachable is not None:
        data_checks.warn_of_range((arrays[0].min(), arrays[0].max()), reachable)
    return model._data_form.stored(tf.nest.pack_sequence_as(parts[0], arrays))


def collect_pair(
    model: Any, finding_data: Any, scoring_data: Any, at_least: int
) -> list[Structure]:
    """Returns the examples of both sets, known to fit the model and to be disjoint.

    Args:
        model: A `TwoPlayerModel`.
        finding_data: As in `kgg.duality_gap`.
        scoring_data: As in `kgg.duality_gap`.
        at_least: Smallest number of examples of each.

    Raises:
        ValueError: As `collect`, and if they overlap or have another shape.
    """
    check_disjoint(finding_data, scoring_data)
    pair = [
        collect(name, data, model, at_least)
        for name, data in (
            ("finding_data", finding_data),
            ("scoring_data", scoring_data),
        )
    ]
    overlap.check_no_shared_rows(*(first(data).numpy() for data in pair))
    return pair


def first(examples: Structure) -> Any:
    """Returns the first tensor of a structure of examples: a GAN's real data."""
    return next(leaf for leaf in tf.nest.flatten(examples) if leaf is not None)


def as_batch(examples: Structure, stream: tf.Tensor) -> Batch:
    """Returns a batch of these examples, on one replica."""
    size = tf.shape(first(examples))[0]
    return batches.Batch(
        examples=examples,
        stream=stream,
        share=replicas.Share(size, 0, size),
        num_replicas=1,
    )


def batch(
    model: Any, examples: Structure, size: int, start: Any, stream: tf.Tensor
) -> Batch:
    """Returns ``size`` examples from ``start`` on, going round and round.

    Args:
        model: A `TwoPlayerModel`.
        examples: From `collect`.
        size: Examples, an int.
        start: Index of the first one, an int or an int32 scalar.
        stream: Random stream of what is drawn, and of the networks.
    """
    rows = (start + tf.range(size)) % tf.shape(first(examples))[0]
    share = replicas.Share(size, 0, size)
    gathered = batches.present(lambda leaf: tf.gather(leaf, rows), examples)
    return batches.Batch(
        examples=model._data_form.drawn(gathered, stream, share),
        stream=stream,
        share=share,
        num_replicas=1,
    )


def _array(data: Any) -> Any:
    if isinstance(data, (tuple, list)) and len(data) == 2:
        data = data[0]
    return data if isinstance(data, np.ndarray) else None
