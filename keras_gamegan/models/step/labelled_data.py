"""What a GAN takes from a data set: real data, and labels if its networks take any."""

import functools
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import activations
from keras_gamegan.datasets import arrays
from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.models import checks
from keras_gamegan.models.step import adversarial_game, batch_source, elements, guard
from keras_gamegan.models.step.structured_data import StructuredData
from keras_gamegan.typing import Structure


class LabelledData(StructuredData):
    """Real data and labels, to which every draw adds latents.

    Latents are a function of (stream of the draw, index of the example in the global
    batch).

    Args:
        model: The `GAN` whose networks they have to fit.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model.generator_network.dtype)
        self._model = model

    @property
    def reachable_range(self) -> tuple[float, float] | None:
        """Lowest and highest value that the generator can make, or None."""
        return activations.reachable_range(self._model.generator)

    def checked(self, data: Structure, watch: guard.StepGuard) -> Structure:
        """Returns a step's `Examples`, seen while it is traced."""
        real, labels = self._unpacked(data, watch)
        watch.check_data([real])
        data_range = self._model._trackers.data_range
        watch.run(lambda: data_range.update_state(real))
        return adversarial_game.Examples(real, labels)

    def evaluated(self, data: Structure, watch: guard.StepGuard) -> Structure:
        """Returns the `Examples` of a step of `evaluate`."""
        real, labels = self._unpacked(data, watch)
        return adversarial_game.Examples(watch.checked(real), labels)

    def drawn(self, examples: Structure, stream: tf.Tensor, share: Any) -> Structure:
        """Returns the examples with latents of this draw."""
        return _with_latents(self._model.latent_shape, examples, stream, share)

    def stored(self, arrays: Structure) -> Structure:
        """Returns the `Examples` of (data,) or (data, labels), known to fit."""
        real, *labels = arrays
        return adversarial_game.Examples(
            tf.constant(real, self.dtype), *map(tf.constant, labels)
        )

    def of_arrays(self, what: str, x: Structure, y: Any) -> tuple:
        """Returns arrays (data,) or (data, labels), checked."""
        network = self._model.discriminator_network
        element = (x,) if y is None else (x, y)
        data, labels = elements.data_and_labels(element, network)
        data = arrays.as_array(what, data)
        if labels is None and y is not None:
            warnings.warn(
                "The networks take no labels: `y` is left unused. Leave it out, or "
                "build networks with inputs [data, labels] and [latents, labels].",
                UserWarning,
                stacklevel=2,
            )
        if labels is not None:
            labels = arrays.plain(np.asarray(labels))
        checks.check_array(data, labels, self._model)
        return (data,) if labels is None else (data, network.as_labels(labels))

    def check_dataset(self, dataset: tf.data.Dataset) -> None:
        """Raises on a data set that cannot be trained on, where that can be seen."""
        network = self._model.discriminator_network
        real, labels = elements.data_and_labels(dataset.element_spec, network)
        checks.check_dataset(dataset, real, labels, self._model)

    def _unpacked(self, data: Structure, watch: guard.StepGuard) -> tuple[Any, Any]:
        """Returns (real data, labels or None) as tensors that fit the networks."""
        model, network = self._model, self._model.discriminator_network
        real, labels = elements.data_and_labels(data, network)
        real = tf.convert_to_tensor(real)
        if labels is not None:
            labels = tf.convert_to_tensor(labels)
        checks.check_batch(real, labels, model)
        if labels is not None:
            labels = network.as_labels(labels)
            if labels.dtype == tf.bool:
                labels = tf.cast(labels, network.label_input.dtype)
            labels = watch.labels(labels, model.num_classes)
        return tf.cast(real, self.dtype), labels


def source_of(
    real: tf.Tensor,
    labels: Any,
    stream: tf.Tensor,
    latent_shape: tuple,
    deal: int = 1,
) -> batch_source.BatchSource:
    """Returns the batches of one step of a GAN.

    Args:
        real: Real data (b, ...), this replica's part of the global batch.
        labels: Labels (b, ...) or None.
        stream: Random stream of this step, int64 (2,).
        latent_shape: Shape of one latent.
        deal: As in `batch_source.BatchSource`.
    """
    examples = adversarial_game.Examples(real, labels)
    complete = functools.partial(_with_latents, latent_shape)
    return batch_source.BatchSource(examples, stream, complete, deal)


def _with_latents(
    latent_shape: tuple, examples: Structure, stream: tf.Tensor, share: Any
) -> Structure:
    shape = list(latent_shape)
    latents = randomness.normal(
        randomness.fold(stream, randomness.Purpose.LATENTS),
        [share.size, *shape],
        examples.real.dtype,
    )
    if replicas.num_replicas() > 1:
        begin = [share.offset] + [0] * len(shape)
        latents = tf.slice(latents, begin, [share.local_size, *shape])
    return examples._replace(latents=latents)
