"""The batches of one train step: what a draw hands to a game, and how it is drawn."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.models.step import guard
from keras_gamegan.typing import Structure


class Batch(NamedTuple):
    """One draw: examples, and what is needed to take means over all replicas.

    Attributes:
        examples: Structure of tensors (b, ...), this replica's part; None stands for
            what the examples lack.
        stream: Random stream of this draw.
        share: This replica's `distribution.replicas.Share` of the global batch.
        num_replicas: Python int.
        replica: Number of this replica, an int or an int32 scalar. Default: 0.
    """

    examples: Structure
    stream: tf.Tensor
    share: replicas.Share
    num_replicas: int
    replica: int | tf.Tensor = 0

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

    def dealt_to(self, opponents: Mixture) -> list["Batch"]:
        """Returns what each member of a mixture answers: all of this, or its slice."""
        number = len(opponents.members)
        return self.slices(number) if opponents.sliced else [self] * number

    def network_stream(self, network: int) -> tf.Tensor:
        """Returns the stream of a network's Dropout; each replica has masks apart."""
        stream = randomness.fold(self.stream, randomness.Purpose.NETWORK, network)
        if self.num_replicas == 1:
            return stream
        return randomness.fold(stream, self.replica)


class BatchSource:
    """Draws the batches of one step, as a function of the index of the draw.

    What is drawn at random is a function of (stream of the step, index of the draw,
    index of the example in the global batch); so it does not depend on how many
    replicas share it.

    Args:
        examples: Structure of tensors (b, ...), this replica's part of the global
            batch; None stands for what there is none of.
        stream: Random stream of this step, int64 (2,).
        complete: Function (examples, stream, share) -> examples that adds what is
            drawn, such as latents. Default: None, nothing is.
        slices: Number of equal slices the examples are dealt out in; draw i gets those
            whose index is i modulo `slices`. 1: every draw gets all.
    """

    def __init__(
        self,
        examples: Structure,
        stream: tf.Tensor,
        complete: Callable[..., Structure] | None = None,
        slices: int = 1,
    ) -> None:
        self._stream = stream
        self._complete = complete
        self._slices = slices
        first = next(leaf for leaf in tf.nest.flatten(examples) if leaf is not None)
        self._share = replicas.share_of_batch(first)
        self._examples = examples
        if slices > 1:
            size = divisible(
                self._share.local_size,
                slices,
                'BestResponse(batches="fresh") deals each batch out in num_steps + 1 = '
                f"{slices} equal slices, so the batch size must be a multiple of "
                f"{slices}. Use one that is, with drop_remainder=True, or "
                'batches="shared".',
            )
            self._examples = present(lambda leaf: deal(leaf, size, slices), examples)
            share = self._share._replace(local_size=size)
            self._share = replicas.Share(*(number // slices for number in share))

    def __call__(self, index: int | tf.Tensor) -> Batch:
        """Returns the batch of this draw; ``index`` is an int or an int tensor."""
        stream = randomness.fold(self._stream, index)
        examples = self._examples
        if self._slices > 1:
            examples = present(lambda leaf: tf.gather(leaf, index, axis=1), examples)
        if self._complete is not None:
            examples = self._complete(examples, stream, self._share)
        return Batch(
            examples=examples,
            stream=stream,
            share=self._share,
            num_replicas=replicas.num_replicas(),
            replica=replicas.place()[0],
        )

    def local(self, index: int | tf.Tensor) -> Batch:
        """Returns the draw as this replica's own batch, as if there were no others."""
        drawn = self(index)
        if drawn.num_replicas == 1:
            return drawn
        size = drawn.share.local_size
        return drawn._replace(
            stream=randomness.fold(drawn.stream, drawn.replica),
            share=replicas.Share(size, 0, size),
            num_replicas=1,
        )

    @property
    def share(self) -> replicas.Share:
        """The `Share` of every draw."""
        return self._share


def answers(
    opponents: Mixture, batch: Batch, answer: Callable[[Player, Batch], tf.Tensor]
) -> tuple[list[tf.Tensor], tf.Tensor | None]:
    """Returns what the members of a mixture make of a batch, and their probabilities.

    A sliced mixture makes one answer, each member its own examples of it: the slices
    have equal chances of every member, so its mean is unbiased.

    Args:
        opponents: A `Mixture`.
        batch: The `Batch` that all of them answer, or a slice each.
        answer: Function (player, batch) -> tensor with an entry for each example.
    """
    found = [
        answer(player, part)
        for player, part in zip(
            opponents.members, batch.dealt_to(opponents), strict=True
        )
    ]
    if opponents.sliced:
        return [join(found)], None
    return found, opponents.probabilities


def present(function: Callable[..., Any], structure: Structure) -> Structure:
    """Returns a structure whose leaves but None went through a function."""
    return tf.nest.map_structure(
        lambda leaf: None if leaf is None else function(leaf), structure
    )


def divisible(size: int | tf.Tensor, number: int, message: str) -> int | tf.Tensor:
    """Returns a batch size, once it is known to be a multiple of ``number``.

    Args:
        size: Examples on this replica: an int, or an int tensor that is checked when
            the step runs.
        number: Number of slices, an int.
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


def deal(tensor: tf.Tensor, size: int | tf.Tensor, number: int) -> tf.Tensor:
    """Returns a tensor (size, ...) as (size / number, number, ...).

    Slice i, the i-th of the second axis, holds the examples whose index is i modulo
    ``number``: in the global batch too, if every replica's size is a multiple.
    """
    shape = tf.concat([[size // number, number], tf.shape(tensor)[1:]], axis=0)
    dealt = tf.reshape(tensor, shape)
    dealt.set_shape([None, number, *tensor.shape[1:]])
    return dealt


def join(slices: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the tensor (size, ...) of which these tensors are the slices, in order.

    Example:
        >>> import tensorflow as tf
        >>> from keras_gamegan.models.step import batch
        >>> dealt = batch.deal(tf.range(6), 6, 2)
        >>> dealt[:, 1].numpy().tolist()
        [1, 3, 5]
        >>> batch.join([dealt[:, 0], dealt[:, 1]]).numpy().tolist()
        [0, 1, 2, 3, 4, 5]
    """
    stacked = tf.stack(slices, axis=1)
    shape = tf.concat([[-1], tf.shape(stacked)[2:]], axis=0)
    joined = tf.reshape(stacked, shape)
    joined.set_shape([None, *stacked.shape[2:]])
    return joined
