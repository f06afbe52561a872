"""How a bank stores numbers: in which dtype, and what may be stored."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

# Numbers that are written to a bank at a time, where they are not one row anyway.
_BLOCK = 2**20


def storage_dtype(dtype: str | tf.DType, asked: str | None) -> str:
    """Returns the dtype in which a variable's history is stored.

    Args:
        dtype: The variable's own dtype.
        asked: Dtype asked for, which counts for floating variables; or None.

    Returns:
        Name of a dtype.
    """
    own = tf.as_dtype(dtype)
    return own.name if asked is None or not own.is_floating else asked


def stored(value: tf.Tensor, dtype: str | tf.DType) -> tf.Tensor:
    """Returns a tensor in the dtype of its store.

    Floating numbers are rounded to the nearest; those that are too large for the store
    become the largest finite one of their sign, not infinity.

    Example:
        >>> import tensorflow as tf
        >>> from keras_gamegan.history import storage
        >>> storage.stored(tf.constant([0.1, -1e9]), "float16").numpy().tolist()
        [0.0999755859375, -65504.0]
    """
    target = tf.as_dtype(dtype)
    if value.dtype == target:
        return value
    largest = float(target.max)
    if largest < float(value.dtype.max):
        value = tf.clip_by_value(value, -largest, largest)
    return tf.cast(value, target)


def fill(stack: keras.Variable, value: tf.Tensor) -> None:
    """Writes one value to all rows of a stack, without a second stack in memory.

    Args:
        stack: Variable (n, ...).
        value: Tensor (...).
    """
    value = stored(value, stack.dtype)
    number = max(1, _BLOCK // max(1, value.shape.num_elements()))
    for begin in range(0, stack.shape[0], number):
        rows = tf.range(begin, min(begin + number, stack.shape[0]))
        block = tf.repeat(value[tf.newaxis], tf.size(rows), axis=0)
        stack.value.scatter_update(tf.IndexedSlices(block, rows))


def check_probabilities(probabilities: ArrayLike, number: int) -> np.ndarray:
    """Returns probabilities as a float64 array that sums to 1.

    Args:
        probabilities: What the caller passed.
        number: How many there must be.

    Raises:
        ValueError: If there are not that many, one is negative or not finite, or they
            do not sum to 1 up to 1e-6.
    """
    found = np.asarray(probabilities, np.float64)
    if (
        found.shape != (number,)
        or not np.all(found >= 0)
        or not abs(found.sum() - 1) <= 1e-6
    ):
        raise ValueError(
            f"`probabilities` must be {number} numbers >= 0 that sum to 1, one for "
            "each member, oldest first. Received: an array of shape "
            f"{found.shape} with sum {found.sum():g}: {probabilities!r}. Divide by "
            "the sum, and read bank.size anew after each push."
        )
    return found / found.sum()
