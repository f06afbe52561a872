"""What one draw of a train step hands to a game of networks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan.games import randomness
from keras_gamegan.models.step import guard
from keras_gamegan.typing import Structure


class Batch(NamedTuple):
    """One draw: examples, and what is needed to take means over all replicas.

    Attributes:
        examples: Structure of tensors (b, ...), this replica's part; None stands for
            what the examples lack.
        stream: Random stream of this draw.
        share: `distribution.replicas.Share` of the global batch.
        num_replicas: Python int.
        replica: Number of this replica, an int or an int32 scalar. Default: 0.
    """

    examples: Structure
    stream: Any
    share: Any
    num_replicas: int
    replica: Any = 0

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """Returns this replica's part of the mean over the global batch.

        The parts of all replicas sum to the mean, as the optimizers sum gradients.
        """
        # A replica's own search may find its share empty: nothing to learn there.
        size = tf.cast(tf.maximum(self.share.size, 1), values.dtype)
        return tf.reduce_sum(values) / size

    def part(self, number: tf.Tensor) -> tf.Tensor:
        """Returns this replica's part of a number that belongs to no example."""
        if self.num_replicas == 1:
            return number
        # By the size of the shares: an empty one's gradient does not count.
        return tf.cast(self.share.local_size / self.share.size, number.dtype) * number

    def slices(self, number: int) -> list["Batch"]:
        """Returns a list of batches, the i-th of the examples i modulo ``number``.

        Raises:
            ValueError: If the number does not divide this replica's part.
        """
        size = divisible(
            self.share.local_size,
            number,
            f'mixture="sliced" splits each batch over History(slices={number}) '
            "members, so the batch size of every replica must be a multiple of "
            f"{number}. Use one that is, with drop_remainder=True, or other slices, or "
            'mixture="sampled".',
        )
        dealt = present(lambda leaf: deal(leaf, size, number), self.examples)
        return [
            self._replace(examples=present(lambda leaf, i=index: leaf[:, i], dealt))
            for index in range(number)
        ]

    def network_stream(self, network: int) -> tf.Tensor:
        """Returns the stream of a network's Dropout; each replica has masks apart."""
        stream = randomness.fold(self.stream, randomness.Purpose.NETWORK, network)
        if self.num_replicas == 1:
            return stream
        return randomness.fold(stream, self.replica)


def present(function: Any, structure: Structure) -> Structure:
    """Returns a structure whose leaves but None went through a function."""
    return tf.nest.map_structure(
        lambda leaf: None if leaf is None else function(leaf), structure
    )


def divisible(size: Any, number: int, message: str) -> Any:
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


def deal(tensor: tf.Tensor, size: Any, number: int) -> tf.Tensor:
    """Returns a tensor (size, ...) as (size / number, number, ...).

    Share i, the i-th of the second axis, holds the examples whose index is i modulo
    ``number``: in the global batch too, if every replica's size is a multiple.
    """
    shape = tf.concat([[size // number, number], tf.shape(tensor)[1:]], axis=0)
    dealt = tf.reshape(tensor, shape)
    dealt.set_shape([None, number, *tensor.shape[1:]])
    return dealt


def join(shares: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the tensor (size, ...) of which these tensors are the shares, in order.

    Example:
        >>> import tensorflow as tf
        >>> from keras_gamegan.models.step import batch
        >>> dealt = batch.deal(tf.range(6), 6, 2)
        >>> dealt[:, 1].numpy().tolist()
        [1, 3, 5]
        >>> batch.join([dealt[:, 0], dealt[:, 1]]).numpy().tolist()
        [0, 1, 2, 3, 4, 5]
    """
    stacked = tf.stack(shares, axis=1)
    shape = tf.concat([[-1], tf.shape(stacked)[2:]], axis=0)
    joined = tf.reshape(stacked, shape)
    joined.set_shape([None, *stacked.shape[2:]])
    return joined
