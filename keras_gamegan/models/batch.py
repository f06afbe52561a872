"""What one draw of a train step hands to a game of networks."""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan.games import randomness
from keras_gamegan.models import dealing
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
        size = dealing.divisible(
            self.share.local_size,
            number,
            f'mixture="sliced" splits each batch over History(slices={number}) '
            "members, so the batch size of every replica must be a multiple of "
            f"{number}. Use one that is, with drop_remainder=True, or other slices, or "
            'mixture="sampled".',
        )
        dealt = present(lambda leaf: dealing.deal(leaf, size, number), self.examples)
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
