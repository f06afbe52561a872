"""Arithmetic on nested structures of tensors, and the player they make up.

A player is anything `tf.nest` can flatten: one scalar in a closed-form game, the list
of weights of a network in a GAN. These few functions are all the linear algebra the
game mathematics needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from keras_gamegan.typing import Structure, TensorLike


class Player(NamedTuple):
    """One player: what it optimises, and what merely travels with it.

    Attributes:
        weights: Nested structure of float tensors; gradients are taken with respect
            to these.
        state: Nested structure of tensors that a forward pass may move (BatchNorm
            statistics, the vectors of spectral normalisation); never differentiated.
    """

    weights: Structure
    state: Structure = ()


class Mixture(NamedTuple):
    """A mixed strategy with finite support: its members and their probabilities.

    Attributes:
        members: Tuple of `Player`, strategies of one and the same player.
        probabilities: Tensor of shape (len(members),) that sums to 1, or None for a
            single member.
        sliced: Whether each member answers a slice of the batch only, the i-th the
            examples whose index in the global batch is i modulo len(members); the
            probabilities are then equal. A game without batches answers all of them.
    """

    members: tuple[Player, ...]
    probabilities: tf.Tensor | None = None
    sliced: bool = False


def pure(player: Player) -> Mixture:
    """Returns the mixture that plays ``player`` with probability one."""
    return Mixture((player,), None)


def as_player(structure: Structure) -> Player:
    """Returns a `Player` whose weights are ``structure`` as tensors."""
    if isinstance(structure, Player):
        return structure
    return Player(tf.nest.map_structure(tf.convert_to_tensor, structure))


def number(value: TensorLike, dtype: tf.DType) -> tf.Tensor:
    """Returns ``value`` in that dtype; a Python float never passes through float32."""
    if tf.is_tensor(value):
        return tf.cast(value, dtype)
    return tf.constant(value, dtype)


def add_scaled(
    structure: Structure, scale: TensorLike, direction: Structure
) -> Structure:
    """Returns ``structure + scale * direction``, leaf by leaf, in the leaves' dtype."""
    return tf.nest.map_structure(
        lambda x, d: x + number(scale, x.dtype) * d, structure, direction
    )


def add(structure: Structure, other: Structure) -> Structure:
    """Returns the sum of two structures, leaf by leaf."""
    return tf.nest.map_structure(tf.add, structure, other)


def scale(structure: Structure, factor: TensorLike) -> Structure:
    """Returns ``factor * structure``, leaf by leaf, in the leaves' dtype."""
    return tf.nest.map_structure(lambda x: number(factor, x.dtype) * x, structure)


def zeros_like(structure: Structure) -> Structure:
    """Returns a structure of zeros of the same shapes and dtypes."""
    return tf.nest.map_structure(tf.zeros_like, structure)


def stop_gradient(structure: Structure) -> Structure:
    """Returns the same values, through which no gradient passes."""
    return tf.nest.map_structure(tf.stop_gradient, structure)


def squared_norm(structure: Structure) -> tf.Tensor:
    """Returns the sum of the squares of all entries, a scalar."""
    return tf.add_n([tf.reduce_sum(tf.square(x)) for x in tf.nest.flatten(structure)])


def weighted_mean(
    values: Sequence[tf.Tensor], probabilities: tf.Tensor | None
) -> tf.Tensor:
    """Returns ``sum_i probabilities[i] * values[i]``; the one value if there is one.

    Args:
        values: List of tensors of equal shape.
        probabilities: Tensor (len(values),), or None if there is a single value.

    Returns:
        A tensor of the values' shape.
    """
    if probabilities is None:
        (value,) = values
        return value
    stacked = tf.stack(values)
    return tf.tensordot(tf.cast(probabilities, stacked.dtype), stacked, axes=1)
