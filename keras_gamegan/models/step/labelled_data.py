"""What a GAN takes from a data set: real data, and labels if its networks take any."""

import functools
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import activations
from keras_gamegan.datasets import arrays
from keras_gamegan.distribution import replicas
from keras_gamegan.games import randomness
from keras_gamegan.labelled_network import LabelledNetwork
from keras_gamegan.models.step import adversarial_game, data_checks, guard
from keras_gamegan.models.step.batch import BatchSource
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

    def drawn(
        self, examples: Structure, stream: tf.Tensor, share: replicas.Share
    ) -> Structure:
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
        data, labels = data_and_labels(element, network)
        data = arrays.as_array(what, data)
        if labels is None and y is not None:
            warnings.warn(
                "The networks take no labels: `y` is left unused. Leave it out, or "
                "build networks with inputs [data, labels] and [latents, labels].",
                UserWarning,
                stacklevel=2,
            )
        if labels is not None:
            arrays.check_unmasked("Labels", labels)
            labels = arrays.plain(np.asarray(labels))
        data_checks.check_array(data, labels, self._model)
        return (data,) if labels is None else (data, network.as_labels(labels))

    def check_dataset(self, dataset: tf.data.Dataset) -> None:
        """Raises on a data set that cannot be trained on, where that can be seen."""
        network = self._model.discriminator_network
        real, labels = data_and_labels(dataset.element_spec, network)
        data_checks.check_dataset(dataset, real, labels, self._model)

    def _unpacked(self, data: Structure, watch: guard.StepGuard) -> tuple[Any, Any]:
        """Returns (real data, labels or None) as tensors that fit the networks."""
        model, network = self._model, self._model.discriminator_network
        real, labels = data_and_labels(data, network)
        real = tf.convert_to_tensor(real)
        if labels is not None:
            labels = tf.convert_to_tensor(labels)
        data_checks.check_batch(real, labels, model)
        if labels is not None:
            labels = network.as_labels(labels)
            if labels.dtype == tf.bool:
                labels = tf.cast(labels, network.label_input.dtype)
            labels = watch.labels(labels, model.num_classes)
        return tf.cast(real, self.dtype), labels


def data_and_labels(element: Any, network: LabelledNetwork) -> tuple[Any, Any]:
    """Returns (data, labels or None) of what a data set yields, or of what `fit` got.

    Data alone; (data,); (data, labels); [data, labels]; or a dictionary by the names of
    the discriminator's inputs, whose further entries are passed over. Labels for an
    unconditional network are passed over too.

    Args:
        element: Nested structure of arrays, tensors or their specifications.
        network: `LabelledNetwork` of the discriminator.

    Raises:
        ValueError: If it is another structure, or has sample weights.
    """
    x, labels, weights = keras.utils.unpack_x_y_sample_weight(element)
    if weights is not None:
        raise ValueError(
            "A GAN takes no sample weights. Received: elements (data, labels, "
            "sample_weight). Drop the third, or resample the data set."
        )
    if isinstance(x, dict):
        x, found = _by_name(x, network)
        labels = found if labels is None else labels
    elif isinstance(x, (list, tuple)):
        x, labels = _of_list(x, labels, network)
    if network.label_input is None:
        labels = None
    return x, labels


def _by_name(element: dict, network: LabelledNetwork) -> tuple[Any, Any]:
    names = [network.main_input.name]
    if network.label_input is not None:
        names.append(network.label_input.name)
    missing = [name for name in names[:1] if name not in element]
    if missing:
        keys = ", ".join(map(repr, element))
        told = " and ".join(map(repr, names))
        pair = ", ".join(f"element[{key!r}]" for key in list(element)[: len(names)])
        raise ValueError(
            "A dictionary must have the names of the discriminator's inputs, "
            f"{told}. Received: a dictionary of {keys}. Map it to "
            f"{'(data, labels)' if len(names) > 1 else 'data'}: "
            f"dataset.map(lambda element: ({pair})), images scaled to what the "
            "generator makes."
        )
    return element[names[0]], element.get(names[-1]) if len(names) > 1 else None


def _of_list(x: Any, labels: Any, network: LabelledNetwork) -> tuple:
    if len(x) == 1:
        return x[0], labels
    if len(x) == 2 and network.label_input is not None and labels is None:
        return x[0], x[1]
    rank = len(network.main_input.shape)
    if len(x) == 2 and labels is None and len(getattr(x[0], "shape", ())) == rank:
        raise ValueError(
            "These networks take no labels: the discriminator has one input. Received: "
            f"a {type(x).__name__} of two arrays, which may be data and labels. Pass "
            "the data alone, or build class-conditional networks (num_classes=...)."
        )
    raise ValueError(
        "A list is several inputs to Keras, and the discriminator takes "
        f"{'data and labels' if network.label_input is not None else 'one'}. Received: "
        f"a {type(x).__name__} of {len(x)} entries. Make one array of a list of "
        "examples: np.stack(examples)."
    )


def source_of(
    real: tf.Tensor,
    labels: Any,
    stream: tf.Tensor,
    latent_shape: tuple,
    slices: int = 1,
) -> BatchSource:
    """Returns the batches of one step of a GAN.

    Args:
        real: Real data (b, ...), this replica's part of the global batch.
        labels: Labels (b, ...) or None.
        stream: Random stream of this step, int64 (2,).
        latent_shape: Shape of one latent.
        slices: As in `batch.BatchSource`.
    """
    examples = adversarial_game.Examples(real, labels)
    complete = functools.partial(_with_latents, latent_shape)
    return BatchSource(examples, stream, complete, slices)


def _with_latents(
    latent_shape: tuple, examples: Structure, stream: tf.Tensor, share: replicas.Share
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
