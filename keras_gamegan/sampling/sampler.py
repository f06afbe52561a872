"""Samples a model's generators: the live one, their average, or their mixture."""

import math

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import randomness
from keras_gamegan.sampling import exporting, generation

SOURCES = ("current", "average", "mixture")


class Sampler:
    """Draws samples from a model.

    Args:
        model: A `GAN`.
    """

    def __init__(self, model):
        self._model = model
        self._functions = {}

    def sample(self, num_samples, seed=None, source="current", labels=None):
        """Returns NumPy samples; see `GAN.sample`."""
        model = self._model
        num_samples = self._check_size(num_samples)
        seed = randomness.new_seed() if seed is None else seed
        seed = validation.check_seed("seed", seed)
        self.check_source(source)
        labels = self._check_labels(labels, num_samples)
        points = generation.latents(
            seed, num_samples, model.latent_shape, model.generator_network.dtype
        )
        choice = self._choice(source, seed, num_samples)
        function = self._function(source)
        chunks = []
        size = generation.CHUNK
        for chunk in range(max(-(-num_samples // size), 1)):
            part = slice(chunk * size, (chunk + 1) * size)
            given = [points[part], choice[part], generation.noise(seed, chunk)]
            if labels is not None:
                given.append(labels[part])
            chunks.append(function(*given).numpy())
        return np.concatenate(chunks)

    def forget(self):
        """Forgets the compiled functions: the networks may have got other weights."""
        self._functions = {}

    def export(self, path, source="current", **options):
        """Writes a sampler; see `GAN.export`."""
        self.check_source(source)
        exporting.export(self._model, path, source, **options)

    def check_source(self, source):
        """Raises unless the model keeps this source."""
        validation.check_choice("source", source, SOURCES)
        if source == "average" and self._model.generator_average is None:
            raise ValueError(
                'source="average" needs a moving average of the generator. Received: a '
                "model with average_decay=None. Build it with average_decay=0.999."
            )
        if source == "mixture" and self._model.generator_bank is None:
            raise ValueError(
                'source="mixture" needs a history of generators. Received: a '
                f"{type(self._model).__name__} that keeps none. Use FictitiousGAN with "
                'History(side="both") or History(side="generator").'
            )

    def _check_size(self, num_samples):
        """Returns the number of samples; raises before memory for too many is taken."""
        model, hint = (
            self._model,
            "A large number is asked for in parts, each with another seed.",
        )
        size = math.prod(model.latent_shape)
        # What is drawn at once is numbered by int32.
        most = (2**31 - generation.CHUNK) // max(size, 1)
        number = validation.check_integer("num_samples", num_samples, 0, hint, most)
        network = model.generator_network
        size += math.prod(side for side in network.output.shape[1:] if side)
        validation.check_memory(
            f"num_samples={number}",
            number * size * tf.as_dtype(network.dtype).size,
            hint,
        )
        return number

    def _check_labels(self, labels, num_samples):
        if not self._model.conditional:
            if labels is not None:
                raise ValueError(
                    "`labels` are for class-conditional networks. Received: labels for "
                    "an unconditional generator. Leave them out."
                )
            return None
        if labels is None:
            raise ValueError(
                "A class-conditional generator needs `labels`, one for each sample. "
                f"Received: labels=None. Pass an array of {num_samples} labels, for "
                "instance np.arange(num_samples) % num_classes."
            )
        network = self._model.generator_network
        labels = _exact(labels, network.label_input.dtype)
        if labels.ndim == 0:
            labels = np.full((num_samples,), labels)
        if labels.shape[:1] != (num_samples,):
            raise ValueError(
                "`labels` must have one entry for each sample. Received: "
                f"num_samples={num_samples} and labels of shape {labels.shape}."
            )
        labels = network.as_labels(labels)
        classes = self._model.generator_network.num_classes
        if classes is not None and num_samples:
            low, high = labels.min(), labels.max()
            if low < 0 or high >= classes:
                raise ValueError(
                    f"`labels` must be from 0 to {classes - 1}, the classes that the "
                    f"generator's Embedding knows. Received: labels from {low} to "
                    f"{high}. Count classes from 0."
                )
        return tf.convert_to_tensor(labels)

    def _choice(self, source, seed, num_samples):
        if source != "mixture":
            return tf.zeros([num_samples], tf.int64)
        share = self._model.generator_bank.probabilities()
        return generation.choose_members(seed, num_samples, share)

    def _function(self, source):
        """Returns the compiled function of a source, which reads live variables."""
        if source in self._functions:
            return self._functions[source]
        model = self._model
        network = model.generator_network

        # A signature of its own: one trace for every number of samples.
        signature = [
            tf.TensorSpec([None, *model.latent_shape], network.dtype),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([2], tf.int64),
        ]
        if model.conditional:
            labels = network.label_input
            signature.append(tf.TensorSpec(labels.shape, labels.dtype))

        @tf.function(input_signature=signature)
        def generate(points, choice, stream, labels=None):
            if source == "mixture":
                members = mixture_members(model)
                return generation.generate_from_members(
                    network, members, choice, points, labels, stream
                )
            player = (
                network.player()
                if source == "current"
                else model.generator_average.player()
            )
            return generation.generate(network, player, points, labels, stream)

        # Concrete: TensorFlow would count the functions of many models as retraces.
        self._functions[source] = generate.get_concrete_function()
        return self._functions[source]


def _exact(labels, dtype):
    """Returns labels as an array of that dtype; whole numbers stay what they are."""
    given = np.asarray(labels)
    if given.dtype.kind not in "biuf" and given.size:
        raise TypeError(
            f"`labels` must be numbers. Received: labels of dtype {given.dtype}."
        )
    with np.errstate(invalid="ignore"):  # What does not fit is told below.
        array = given.astype(tf.as_dtype(dtype).as_numpy_dtype)
    if array.dtype.kind in "iu" and not np.array_equal(array, given):
        raise ValueError(
            f"`labels` must be whole numbers that {dtype} holds. Received: labels from "
            f"{given.min()} to {given.max()} of dtype {given.dtype}. Give the index of "
            "the class."
        )
    return array


def mixture_members(model):
    """Returns the generators of a model's bank, one `Player` for each slot."""
    bank = model.generator_bank
    return [bank.member(slot) for slot in range(bank.capacity)]
