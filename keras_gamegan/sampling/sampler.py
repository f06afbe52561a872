"""Samples a model's generators: the live one, their average, or their mixture."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import activations, validation
from keras_gamegan.datasets import arrays
from keras_gamegan.games import randomness
from keras_gamegan.sampling import (
    exporting,
    generation,
    interpolation,
    keras_model,
    showing,
)
from keras_gamegan.typing import PathLike, TensorLike

SOURCES = ("current", "average", "mixture")


class Sampler:
    """Draws samples from a model.

    Args:
        model: A `GAN`.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._functions: dict[str, Callable[..., tf.Tensor]] = {}

    def sample(
        self,
        num_samples: int | None = None,
        seed: int | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
        latents: TensorLike | None = None,
    ) -> np.ndarray:
        """Returns NumPy samples; see `GAN.sample`."""
        arrays.check_unmasked("`latents`", latents)
        num_samples = _number(num_samples, labels, latents)
        num_samples = self._check_size(num_samples)
        seed = randomness.new_seed() if seed is None else seed
        seed = validation.check_seed("seed", seed)
        self.check_source(source)
        labels = self._check_labels(labels, num_samples)
        if latents is None:
            points = self._latents(seed, num_samples)
        else:
            points = self._check_latents(latents, num_samples)
        choice = self._choice(source, seed, num_samples)
        return self._generate(source, points, choice, labels, seed)

    def interpolate(
        self,
        num_steps: int,
        seed: Sequence[int] | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
    ) -> np.ndarray:
        """Returns NumPy samples on a path; see `GAN.interpolate`."""
        num_steps = self._check_size(num_steps, "num_steps", 2)
        if seed is None:
            seed = randomness.new_seed(), randomness.new_seed()
        if not isinstance(seed, (tuple, list)) or len(seed) < 2:
            raise ValueError(
                "`seed` must be the seeds of at least two latents, the ends of the "
                f"path. Received: seed={seed!r}. Pass a pair: seed=(0, 1)."
            )
        seeds = [validation.check_seed("seed", each) for each in seed]
        self.check_source(source)
        labels = self._check_labels(labels, num_steps)
        ends = np.concatenate([self._latents(each, 1).numpy() for each in seeds])
        points = tf.convert_to_tensor(interpolation.path(ends, num_steps))
        # One member for the whole path, which would jump from one to the next.
        choice = tf.repeat(self._choice(source, seeds[0], 1), num_steps)
        return self._generate(source, points, choice, labels, seeds[0])

    def make_generator(
        self, source: str = "current", member: int | None = None
    ) -> keras.Model:
        """Returns a plain Keras model; see `GAN.make_generator`."""
        self.check_source(source)
        return keras_model.make(self._model, source, member)

    def show(
        self,
        num_samples: int = 16,
        seed: int | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
    ) -> Any:
        """Shows samples; see `GAN.show`."""
        model = self._model
        number = validation.check_integer("num_samples", num_samples)
        if model.conditional and labels is None and model.num_classes is not None:
            labels = np.arange(number) % model.num_classes
        samples = self.sample(number, seed, source, labels)
        return showing.show(samples, activations.finite_range(model.generator))

    def _latents(self, seed: int, num_samples: int) -> tf.Tensor:
        model = self._model
        return generation.latents(
            seed, num_samples, model.latent_shape, model.generator_network.dtype
        )

    def _generate(
        self,
        source: str,
        points: tf.Tensor,
        choice: tf.Tensor,
        labels: tf.Tensor | None,
        seed: int,
    ) -> np.ndarray:
        """Returns NumPy samples of latents, a chunk at a time."""
        num_samples = len(points)
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

    def forget(self) -> None:
        """Forgets the compiled functions: the networks may have got other weights."""
        self._functions = {}

    def export(self, path: PathLike, source: str = "current", **options: Any) -> None:
        """Writes a sampler; see `GAN.export`."""
        self.check_source(source)
        exporting.export(self._model, path, source, **options)

    def check_source(self, source: str) -> None:
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

    def _check_latents(self, latents: TensorLike, num_samples: int) -> tf.Tensor:
        """Returns given latents as a tensor of the network's dtype."""
        shape = self._model.latent_shape
        given = np.asarray(latents)
        if given.dtype.kind not in "biuf":
            raise TypeError(
                f"`latents` must be numbers. Received: latents of dtype {given.dtype}."
            )
        if given.shape != (num_samples, *shape):
            raise ValueError(
                f"`latents` must be of shape (num_samples, *{shape}), one row for each "
                f"sample. Received: num_samples={num_samples} and latents of shape "
                f"{given.shape}. Leave num_samples out; one latent is latents[None]."
            )
        if not np.isfinite(given).all():
            raise ValueError(
                "`latents` must be finite. Received: latents with NaN or infinite "
                "values. Draw them anew, for instance np.random.normal(size=...)."
            )
        return tf.cast(given, self._model.generator_network.dtype)

    def _check_size(
        self, num_samples: int, name: str = "num_samples", minimum: int = 0
    ) -> int:
        """Returns the number of samples; raises before memory for too many is taken."""
        model, hint = (
            self._model,
            "More than fit into memory are asked for in parts, each with another seed.",
        )
        size = math.prod(model.latent_shape)
        # What is drawn at once is numbered by int32.
        most = (2**31 - generation.CHUNK) // max(size, 1)
        number = validation.check_integer(name, num_samples, minimum, hint, most)
        network = model.generator_network
        size += math.prod(side for side in network.output.shape[1:] if side)
        validation.check_memory(
            f"{name}={number}",
            number * size * tf.as_dtype(network.dtype).size,
            hint,
        )
        return number

    def _check_labels(
        self, labels: TensorLike | None, num_samples: int
    ) -> tf.Tensor | None:
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
        given = _exact(labels, network.label_input.dtype)
        if given.ndim == 0:
            given = np.full((num_samples,), given)
        if given.shape[:1] != (num_samples,):
            raise ValueError(
                "`labels` must have one entry for each sample. Received: "
                f"num_samples={num_samples} and labels of shape {given.shape}."
            )
        given = network.as_labels(given)
        classes = self._model.generator_network.num_classes
        if classes is not None and num_samples:
            low, high = given.min(), given.max()
            if low < 0 or high >= classes:
                raise ValueError(
                    f"`labels` must be from 0 to {classes - 1}, the classes that the "
                    f"generator knows. Received: labels from {low} to {high}. Count "
                    "classes from 0."
                )
        return tf.convert_to_tensor(given)

    def _choice(self, source: str, seed: int, num_samples: int) -> tf.Tensor:
        if source != "mixture":
            return tf.zeros([num_samples], tf.int64)
        probabilities = self._model.generator_bank.probabilities()
        return generation.choose_members(seed, num_samples, probabilities)

    def _function(self, source: str) -> Callable[..., tf.Tensor]:
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
        def generate(
            points: tf.Tensor,
            choice: tf.Tensor,
            stream: tf.Tensor,
            labels: tf.Tensor | None = None,
        ) -> tf.Tensor:
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


def _number(num_samples: int | None, labels: Any, latents: Any) -> int:
    """Returns the number of samples, given or that of the latents or labels."""
    if num_samples is not None:
        return num_samples
    for given in (latents, labels):
        if given is not None and np.ndim(given):
            return len(given)
    raise ValueError(
        "The number of samples must be known. Received: num_samples=None, and neither "
        "latents nor labels for each sample. Pass it: sample(16)."
    )


def _exact(labels: TensorLike, dtype: Any) -> np.ndarray:
    """Returns labels as an array of that dtype; whole numbers stay what they are."""
    arrays.check_unmasked("`labels`", labels)
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


def mixture_members(model: keras.Model) -> list[Any]:
    """Returns the generators of a model's bank, one `Player` for each slot."""
    bank = model.generator_bank
    return [bank.member(slot) for slot in range(bank.capacity)]
