"""The batches of one train step: the examples of the user, and what is drawn."""

from collections.abc import Callable

import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.models.step import batch
from keras_gamegan.typing import Structure


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
        deal: Number of equal shares the examples are dealt out in; draw i gets those
            whose index is i modulo `deal`. 1: every draw gets all.
    """

    def __init__(
        self,
        examples: Structure,
        stream: tf.Tensor,
        complete: Callable[..., Structure] | None = None,
        deal: int = 1,
    ) -> None:
        self._stream = stream
        self._complete = complete
        self._deal = deal
        first = next(leaf for leaf in tf.nest.flatten(examples) if leaf is not None)
        self._share = replicas.share_of_batch(first)
        self._examples = examples
        if deal > 1:
            size = batch.divisible(
                self._share.local_size,
                deal,
                'BestResponse(batches="fresh") deals each batch out in num_steps + 1 = '
                f"{deal} equal shares, so the batch size must be a multiple of {deal}. "
                'Use one that is, with drop_remainder=True, or batches="shared".',
            )
            self._examples = batch.present(
                lambda leaf: batch.deal(leaf, size, deal), examples
            )
            share = self._share._replace(local_size=size)
            self._share = replicas.Share(*(number // deal for number in share))

    def __call__(self, index: int | tf.Tensor) -> batch.Batch:
        """Returns the batch of this draw; ``index`` is an int or an int tensor."""
        stream = randomness.fold(self._stream, index)
        examples = self._examples
        if self._deal > 1:
            examples = batch.present(
                lambda leaf: tf.gather(leaf, index, axis=1), examples
            )
        if self._complete is not None:
            examples = self._complete(examples, stream, self._share)
        return batch.Batch(
            examples=examples,
            stream=stream,
            share=self._share,
            num_replicas=replicas.num_replicas(),
            replica=replicas.place()[0],
        )

    def local(self, index: int | tf.Tensor) -> batch.Batch:
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
