"""The batches of one train step: real data from the user, latents from the seed."""

import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.models import adversarial_game, dealing


class BatchSource:
    """Draws the batches of one step, as a function of the index of the draw.

    Latents are a function of (stream of the step, index of the draw, index of the
    example in the global batch); so they do not depend on how many replicas share it.

    Args:
        real: Real data (b, ...), this replica's part of the global batch.
        labels: Labels (b, ...) or None.
        stream: Random stream of this step, int64 (2,).
        latent_shape: Shape of one latent.
        deal: Number of equal shares the real data is dealt out in; draw i gets the
            examples whose index is i modulo `deal`. 1: every draw gets all.
    """

    def __init__(self, real, labels, stream, latent_shape, deal=1):
        self._stream = stream
        self._latent_shape = list(latent_shape)
        self._share = replicas.share_of_batch(real)
        self._deal = deal
        if deal > 1:
            size = dealing.divisible(
                self._share.local_size,
                deal,
                'BestResponse(batches="fresh") deals each batch out in num_steps + 1 = '
                f"{deal} equal shares, so the batch size must be a multiple of {deal}. "
                'Use one that is, with drop_remainder=True, or batches="shared".',
            )
            share = self._share._replace(local_size=size)
            self._share = replicas.Share(*(number // deal for number in share))
        self._real = self._dealt(real)
        self._labels = None if labels is None else self._dealt(labels)

    def __call__(self, index):
        """Returns the `Batch` of this draw; ``index`` is an int or an int tensor."""
        stream = randomness.fold(self._stream, index)
        return adversarial_game.Batch(
            real=self._part(self._real, index),
            labels=self._part(self._labels, index),
            latents=self._latents(stream),
            stream=stream,
            share=self._share,
            num_replicas=replicas.num_replicas(),
            replica=replicas.place()[0],
        )

    def local(self, index):
        """Returns the draw as this replica's own batch, as if there were no others."""
        batch = self(index)
        if batch.num_replicas == 1:
            return batch
        size = batch.share.local_size
        return batch._replace(
            stream=randomness.fold(batch.stream, batch.replica),
            share=replicas.Share(size, 0, size),
            num_replicas=1,
        )

    @property
    def share(self):
        """The `Share` of every draw."""
        return self._share

    def _latents(self, stream):
        share = self._share
        latents = randomness.normal(
            randomness.fold(stream, randomness.Purpose.LATENTS),
            [share.size, *self._latent_shape],
            self._dtype,
        )
        if replicas.num_replicas() == 1:
            return latents
        begin = [share.offset] + [0] * len(self._latent_shape)
        return tf.slice(latents, begin, [share.local_size, *self._latent_shape])

    @property
    def _dtype(self):
        return self._real.dtype

    def _dealt(self, tensor):
        if self._deal == 1:
            return tensor
        return dealing.deal(tensor, self._share.local_size * self._deal, self._deal)

    def _part(self, tensor, index):
        if tensor is None or self._deal == 1:
            return tensor
        return tf.gather(tensor, index, axis=1)
