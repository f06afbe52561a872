"""Drawing samples: pure functions of (weights, seed, index of the sample)."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_gamegan.games import randomness

# Samples that are made at a time: in memory, and with one draw of a random layer.
CHUNK = 1024


def latents(
    seed: int | tf.Tensor,
    num_samples: int | tf.Tensor,
    latent_shape: Sequence[int],
    dtype: Any,
) -> tf.Tensor:
    """Returns latents (n, *latent_shape); row i depends on (seed, i) alone."""
    stream = randomness.fold(randomness.root(seed), randomness.Purpose.LATENTS)
    shape = tf.concat([[num_samples], list(latent_shape)], axis=0)
    drawn = randomness.normal(stream, shape, dtype)
    return tf.ensure_shape(drawn, [None, *latent_shape])


def choose_members(
    seed: int | tf.Tensor, num_samples: int | tf.Tensor, probabilities: tf.Tensor
) -> tf.Tensor:
    """Returns the slot of the mixture that each sample comes from: int64 (n,)."""
    stream = randomness.fold(randomness.root(seed), randomness.Purpose.MIXTURE)
    numbers = randomness.uniform(stream, tf.stack([num_samples]), probabilities.dtype)
    return randomness.categorical(numbers, probabilities)


def noise(seed: int | tf.Tensor, chunk: int = 0) -> tf.Tensor:
    """Returns the stream of what random layers draw for a chunk of `CHUNK` samples."""
    return randomness.fold(randomness.root(seed), randomness.Purpose.NETWORK, chunk)


def generate(
    network: Any,
    player: Any,
    points: tf.Tensor,
    labels: tf.Tensor | None,
    stream: tf.Tensor,
) -> tf.Tensor:
    """Returns data (n, ...) of one generator in inference mode.

    Args:
        network: `StatelessNetwork` of the generator.
        player: `Player` with its weights.
        points: Latents (n, ...).
        labels: Labels (n, ...) or None.
        stream: Random stream of the layers that draw in inference mode too.
    """
    inputs = points if labels is None else [points, labels]
    return network.apply(player, inputs, False, stream)[0]


def generate_from_members(
    network: Any,
    members: Sequence[Any],
    choice: tf.Tensor,
    points: tf.Tensor,
    labels: tf.Tensor | None,
    stream: tf.Tensor,
    slots: Sequence[int] | None = None,
) -> tf.Tensor:
    """Returns data (n, ...), sample i made by generator ``members[choice[i]]``.

    Each generator runs once, on its own samples only: the cost is that of one
    generator, whatever the size of the mixture.

    Args:
        network: `StatelessNetwork` of the generator.
        members: List of `Player`.
        choice: int64 (n,), index into ``members``.
        points: Latents (n, ...).
        labels: Labels (n, ...) or None.
        stream: As in `generate`; each member's draws are its own.
        slots: Number of each member, for its draws. Default: None, its index.
    """
    # Each member makes one sample more, dropped after: of no examples TensorFlow's
    # Conv2D makes a wrong shape on processors.
    spare = tf.shape(choice, tf.int64)
    points = _with_spare(points)
    labels = None if labels is None else _with_spare(labels)
    parts = []
    for index, player in enumerate(members):
        mine = tf.reshape(tf.where(tf.equal(choice, index)), [-1])
        mine = tf.concat([mine, spare], axis=0)
        part_labels = None if labels is None else tf.gather(labels, mine)
        draws = randomness.fold(stream, index if slots is None else slots[index])
        part = generate(network, player, tf.gather(points, mine), part_labels, draws)
        parts.append(part[:-1])
    # The parts stand in the order of a stable sort. `tf.dynamic_stitch` would undo it
    # too, but XLA, with which a server may cluster the graph, cannot compile that.
    order = tf.argsort(choice, stable=True)
    return tf.gather(tf.concat(parts, axis=0), tf.argsort(order))


def _with_spare(rows: tf.Tensor) -> tf.Tensor:
    zero = tf.zeros(tf.concat([[1], tf.shape(rows)[1:]], axis=0), rows.dtype)
    return tf.concat([rows, zero], axis=0)
