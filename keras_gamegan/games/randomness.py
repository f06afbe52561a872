"""Random numbers as a pure function of (seed, step, purpose, index).

Nothing here has a state. The Philox generator gives the same numbers eagerly, in
graphs and under XLA, and a longer draw begins with the shorter one; so the i-th row of
a draw depends on the seed and on i alone, whatever the number of rows or replicas.
"""

import enum
import random
from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan.games import structures

ALGORITHM = "philox"
_PHILOX = 1
# With which TensorFlow makes a key and a counter of a seed.
_SCRAMBLING_KEY = 0x02461E293EC8F720

# Bits of the significand: as many as a number in [1/2, 1) has.
_PRECISION = {tf.float16: 11, tf.bfloat16: 8, tf.float32: 24, tf.float64: 53}

# A multiple of every processor's vector width.
_VECTOR = 64

Shape: TypeAlias = Sequence[Any] | tf.Tensor


class Purpose(enum.IntEnum):
    """What a stream of random numbers is for; two purposes never share numbers."""

    LATENTS = 0
    NETWORK = 1
    PENALTY = 2
    OPPONENT = 3
    RETENTION = 4
    PERTURBATION = 5
    EVALUATION = 6
    MIXTURE = 7
    LABEL_NOISE = 9
    AUGMENTATION = 10
    PACE = 11


def root(seed: int | tf.Tensor) -> tf.Tensor:
    """Returns the stream that belongs to an integer seed: an int64 tensor (2,)."""
    return tf.stack([structures.number(seed, tf.int64), tf.zeros((), tf.int64)])


def fold(stream: tf.Tensor, *data: int | tf.Tensor) -> tf.Tensor:
    """Returns the stream at these coordinates of ``stream``.

    Args:
        stream: int64 tensor (2,).
        *data: Integers or integer tensors: a purpose, a step, an index, ...

    Returns:
        An int64 tensor (2,); different data give independent streams.
    """
    for item in data:
        item = int(item) if isinstance(item, enum.IntEnum) else item
        stream = tf.stack(
            [_bits(stream, (), tf.int64), structures.number(item, tf.int64)]
        )
    return stream


def normal(stream: tf.Tensor, shape: Shape, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Returns standard normal numbers of that shape."""
    dtype = tf.as_dtype(dtype)
    wide = dtype if dtype in (tf.float32, tf.float64) else tf.float32
    # Odd multiples of 2^-p: uniform on (-1, 1), symmetric and exact, never the ends.
    precision = _PRECISION[wide] - 1
    size = tf.reduce_prod(tf.cast(tf.convert_to_tensor(shape), tf.int32))
    # The vectorised erfinv and the one for what is left over round differently: with
    # whole vectors only, a number does not depend on how many are drawn.
    padded = (size + _VECTOR - 1) // _VECTOR * _VECTOR
    numbers = _whole_numbers(stream, (padded,), wide, precision)
    symmetric = numbers * 2.0 ** (1 - precision) + (2.0**-precision - 1)
    flat = 2.0**0.5 * tf.math.erfinv(symmetric)
    return tf.cast(tf.reshape(flat[:size], shape), dtype)


def uniform(
    stream: tf.Tensor, shape: Shape = (), dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Returns numbers uniform on [0, 1) of that shape."""
    dtype = tf.as_dtype(dtype)
    precision = _PRECISION[dtype]
    return _whole_numbers(stream, shape, dtype, precision) * tf.cast(
        2.0**-precision, dtype
    )


def _whole_numbers(
    stream: tf.Tensor, shape: Shape, dtype: tf.DType, precision: int
) -> tf.Tensor:
    """Returns whole numbers uniform on {0, ..., 2^precision - 1}, as floats.

    TensorFlow's kernels and XLA draw the same bits but make different floats of them,
    so the floats are made here.
    """
    source = tf.uint64 if dtype == tf.float64 else tf.uint32
    shift = tf.constant(source.size * 8 - precision, source)
    bits = tf.bitwise.right_shift(_bits(stream, shape, source), shift)
    return tf.cast(bits, dtype)


def _bits(stream: tf.Tensor, shape: Shape, dtype: tf.DType) -> tf.Tensor:
    """Returns integers of all bits: `tf.random.stateless_uniform`'s, in fewer steps.

    That function scrambles the seed with a dozen small operations, more than the rest
    of a small network's step.
    """
    mixed = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[2],
        key=tf.constant([_SCRAMBLING_KEY], tf.uint64),
        counter=tf.bitcast(stream, tf.uint64),
        dtype=tf.uint64,
        alg=_PHILOX,
    )
    key, counter = tf.split(mixed, 2)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape,
        key=key,
        counter=tf.pad(counter, [[1, 0]]),
        dtype=dtype,
        alg=_PHILOX,
    )


def integers(stream: tf.Tensor, shape: Shape, maximum: int | tf.Tensor) -> tf.Tensor:
    """Returns int64 numbers uniform on {0, ..., maximum - 1} of that shape."""
    return tf.random.stateless_uniform(
        shape,
        stream,
        minval=0,
        maxval=structures.number(maximum, tf.int64),
        dtype=tf.int64,
        alg=ALGORITHM,
    )


def categorical(uniform_number: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """Returns the index that a uniform number picks from ``probabilities``.

    Args:
        uniform_number: Tensor of any shape, on [0, 1).
        probabilities: Tensor (n,), non-negative, sums to 1.

    Returns:
        int64 tensor of the shape of ``uniform_number``; never an index of
        probability 0.
    """
    edges = tf.cumsum(probabilities)
    # Rounding may leave the last edge off 1: scale by the true total.
    target = tf.expand_dims(uniform_number * edges[-1], -1)
    index = tf.reduce_sum(tf.cast(edges <= target, tf.int64), axis=-1)
    positions = tf.range(tf.size(probabilities, tf.int64))
    last = tf.reduce_max(tf.where(probabilities > 0, positions, 0))
    return tf.minimum(index, last)


def new_seed() -> int:
    """Returns a fresh integer seed in [0, 2^31).

    From Python's generator, as Keras' own default seeds: `keras.utils.set_random_seed`
    fixes it.
    """
    return random.randrange(2**31)
