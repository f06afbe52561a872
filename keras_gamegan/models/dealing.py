"""Dealing a batch out in equal shares by the index of the example."""

import tensorflow as tf

from keras_gamegan.models import guard


def divisible(size, number, message):
    """Returns a batch size, once it is known to be a multiple of ``number``.

    Args:
        size: Examples on this replica: an int, or an int tensor that is checked when
            the step runs.
        number: Number of shares, an int.
        message: What was expected and how to mend it.

    Raises:
        ValueError: If an int is not a multiple.
    """
    message = f"{message} Received: a batch of size"
    if not isinstance(size, int):
        return guard.require(tf.equal(size % number, 0), message, size)
    if size % number:
        raise ValueError(f"{message} {size}.")
    return size


def deal(tensor, size, number):
    """Returns a tensor (size, ...) as (size / number, number, ...).

    Share i, the i-th of the second axis, holds the examples whose index is i modulo
    ``number``: in the global batch too, if every replica's size is a multiple.
    """
    shape = tf.concat([[size // number, number], tf.shape(tensor)[1:]], axis=0)
    dealt = tf.reshape(tensor, shape)
    dealt.set_shape([None, number, *tensor.shape[1:]])
    return dealt


def join(shares):
    """Returns the tensor (size, ...) of which these tensors are the shares, in order.

    Example:
        >>> import tensorflow as tf
        >>> from keras_gamegan.models import dealing
        >>> dealt = dealing.deal(tf.range(6), 6, 2)
        >>> dealt[:, 1].numpy().tolist()
        [1, 3, 5]
        >>> dealing.join([dealt[:, 0], dealt[:, 1]]).numpy().tolist()
        [0, 1, 2, 3, 4, 5]
    """
    stacked = tf.stack(shares, axis=1)
    shape = tf.concat([[-1], tf.shape(stacked)[2:]], axis=0)
    joined = tf.reshape(stacked, shape)
    joined.set_shape([None, *stacked.shape[2:]])
    return joined
