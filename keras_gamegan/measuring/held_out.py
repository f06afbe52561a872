"""Held-out data for measurements, gathered into memory once."""

import sys
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import activations
from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.measuring import data_forms, overlap
from keras_gamegan.models import adversarial_game, guard


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


def collect(name, data, gan, at_least):
    """Returns `HeldOut` tensors of all the data.

    Args:
        name: Argument's name, for messages.
        data: In one of the forms of `data_forms`.
        gan: A `GAN`: says whether labels are needed, and of which shapes and dtype.
        at_least: Smallest number of examples.

    Raises:
        ValueError: If the data are in another form or shape, labels are missing or too
            few, values not finite, or examples too few.

    Warns:
        UserWarning: If values lie where the generator's last activation cannot reach.
    """
    inputs = gan.discriminator_network.inputs
    parts = list(data_forms.batches(name, data, inputs, sys.maxsize))
    number = sum(len(part) for part, _ in parts)
    if number < at_least:
        raise ValueError(
            f"`{name}` must hold at least one batch of {at_least} examples. "
            f"Received: {number}. Pass more data, or a smaller batch_size."
        )
    real = np.concatenate([part for part, _ in parts])
    if not np.isfinite(real).all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinite values. Drop them."
        )
    reachable = activations.reachable_range(gan.generator)
    if reachable is not None:
        guard.warn_of_range((real.min(), real.max()), reachable)
    labels = None
    if gan.conditional:
        labels = tf.constant(np.concatenate([labels for _, labels in parts]))
    return HeldOut(tf.constant(real, gan.generator_network.dtype), labels)


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
        collect(name, data, gan, at_least)
        for name, data in (
            ("finding_data", finding_data),
            ("scoring_data", scoring_data),
        )
    ]
    overlap.check_no_shared_rows(*(data.real.numpy() for data in pair))
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
    if isinstance(data, (tuple, list)) and len(data) == 2:
        data = data[0]
    return data if isinstance(data, np.ndarray) else None
