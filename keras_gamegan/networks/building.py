"""What the networks share: seeds, shapes, labels and normalization."""

import random
from collections.abc import Sequence
from typing import TypeAlias

import keras
from keras import layers

from keras_gamegan import validation
from keras_gamegan.networks import spectral

GENERATOR_NORMALIZATIONS = ("batch", None)
DISCRIMINATOR_NORMALIZATIONS = (None, "spectral", "layer")

# Images are (height, width, channels) here, whatever `keras.config.image_data_format`
# says: every layer that would ask it is told.
CHANNELS_LAST = "channels_last"

# An image is halved until a side is this short.
_SMALLEST_SIDES = (4, 5, 6, 7)


# One input, or several.
Inputs: TypeAlias = keras.KerasTensor | list[keras.KerasTensor]


class Seeds:
    """Gives every layer a seed of its own, and each network its own sequence of them.

    Args:
        seed: Non-negative integer, or None: Keras then draws from its global generator,
            which `keras.utils.set_random_seed` sets.
        stream: Name of the sequence.
    """

    def __init__(self, seed: int | None, stream: str) -> None:
        """See the class."""
        if seed is None:
            self._random = None
            return
        seed = validation.check_seed("seed", seed)
        # Seeded by text: Python hashes it in the same way in every process.
        self._random = random.Random(f"{stream} {seed}")

    def __call__(self) -> int | None:
        """Returns the next seed, or None."""
        return None if self._random is None else self._random.randrange(2**31)


def check_pair(
    latent_dim: int, num_classes: int | None, *widths: tuple[str, int]
) -> None:
    """Checks the arguments that every pair takes."""
    validation.check_integer("latent_dim", latent_dim)
    if num_classes is not None:
        hint = "Pass None for networks that take no labels."
        validation.check_integer("num_classes", num_classes, hint=hint)
    for name, value in widths:
        validation.check_integer(name, value)


def check_option(name: str, value: object, options: Sequence[str | None]) -> None:
    """Checks an option one of whose values is None."""
    if value is None:
        return
    names = [option for option in options if option is not None]
    validation.check_choice(name, value, names, hint="None is valid too.")


def halvings(image_shape: Sequence[int]) -> tuple[int, tuple[int, int]]:
    """Returns how often an image is halved, and the shape that is left.

    Args:
        image_shape: (height, width, channels).

    Returns:
        The number n of halvings, and (height / 2^n, width / 2^n).

    Raises:
        TypeError: If the shape holds anything but integers.
        ValueError: If the shorter side is not s * 2^n with s in 4..7 and n of at least
            1, or the longer one is no multiple of 2^n.
    """
    # A tf.TensorShape, as a data set's element_spec has it, is a sequence too.
    if isinstance(image_shape, (str, int)) or len(image_shape) != 3:
        raise ValueError(
            "`image_shape` must be (height, width, channels). "
            f"Received: image_shape={image_shape!r}. Pass (28, 28, 1), for example."
        )
    for side in image_shape:
        validation.check_integer("image_shape", side)
    height, width, _ = image_shape
    shorter = min(height, width)
    count = 0
    while shorter % 2 == 0 and shorter not in _SMALLEST_SIDES:
        shorter //= 2
        count += 1
    fits = height % 2**count == 0 and width % 2**count == 0
    if shorter not in _SMALLEST_SIDES or not count or not fits:
        first, *others = image_shape
        if first in (1, 3) and min(others) > first:
            raise ValueError(
                "`image_shape` must be (height, width, channels). Received: "
                f"image_shape={image_shape!r}, with the channels first. Pass "
                f"{(*others, first)}, and transpose the images: "
                "np.moveaxis(images, 1, -1)."
            )
        nearest = " or ".join(map(str, fitting_sides(min(height, width))))
        raise ValueError(
            "`image_shape` must have a shorter side of 4, 5, 6 or 7 times a power of "
            "two, such as 28, 32, 40, 48 or 64, and a longer side that can be halved "
            f"as often. Received: image_shape={image_shape!r}. Resize the images to "
            f"{nearest}, for example with `load_images(..., image_size=...)`."
        )
    return count, (height // 2**count, width // 2**count)


def fitting_sides(side: int) -> list[int]:
    """Returns the sides that can be halved next to this one: one, or two."""
    # Doubled until one is large enough.
    doublings = range(1, max(side, 1).bit_length() + 1)
    known = sorted(smallest * 2**n for smallest in _SMALLEST_SIDES for n in doublings)
    below = [each for each in known if each <= side][-1:]
    above = [each for each in known if each >= side][:1]
    return list(dict.fromkeys(below + above))


def filters(base_filters: int, count: int) -> list[int]:
    """Returns the filters of each level, from the finest on: doubled, up to 8 times."""
    return [base_filters * min(2**level, 8) for level in range(count)]


def embedding(num_classes: int, dim: int, seed: int | None) -> keras.Layer:
    """A learned vector for each class."""
    initializer = keras.initializers.RandomNormal(stddev=0.05, seed=seed)
    return layers.Embedding(num_classes, dim, embeddings_initializer=initializer)


def latent_inputs(
    latent_dim: int, num_classes: int | None, seeds: Seeds
) -> tuple[Inputs, keras.KerasTensor]:
    """The inputs of a generator, and what its first layer sees.

    Args:
        latent_dim: Length of a latent vector.
        num_classes: Number of classes, or None.
        seeds: A `Seeds`.

    Returns:
        The input, or the list of [latents, labels], and a tensor: the latents, joined
        with a vector for the class.
    """
    latents = keras.Input((latent_dim,), name="latents")
    if num_classes is None:
        return latents, latents
    labels = keras.Input((), dtype="int32", name="labels")
    classes = embedding(num_classes, latent_dim, seeds())(labels)
    return [latents, labels], layers.Concatenate()([latents, classes])


def normalize_generator(
    x: keras.KerasTensor, normalization: str | None
) -> keras.KerasTensor:
    """Applies the normalization of a generator."""
    if normalization is None:
        return x
    # Momentum 0.9, not 0.99: a generator that is held fixed runs in inference mode, so
    # its statistics must keep up with weights that move in every step.
    return layers.BatchNormalization(axis=-1, momentum=0.9)(x)


def weighted(
    layer: keras.Layer, normalization: str | None, seeds: Seeds
) -> keras.Layer:
    """Wraps a layer of a discriminator if its kernel is to be normalized."""
    if normalization != "spectral":
        return layer
    return spectral.SpectralNormalization(layer, seed=seeds())


def normalize_discriminator(
    x: keras.KerasTensor, normalization: str | None
) -> keras.KerasTensor:
    """Applies layer normalization in a discriminator, where that is asked for."""
    if normalization != "layer":
        return x
    # One group is layer normalization over height, width and channels, with a scale a
    # channel. Batch normalization would couple the examples, which penalties forbid.
    return layers.GroupNormalization(groups=1, axis=-1)(x)


def logit(
    x: keras.KerasTensor, normalization: str | None, seeds: Seeds
) -> keras.KerasTensor:
    """One number an example, in float32 under any policy: losses need its precision."""
    initializer = keras.initializers.GlorotUniform(seed=seeds())
    layer = layers.Dense(1, kernel_initializer=initializer, dtype="float32")
    if normalization == "spectral":
        layer = spectral.SpectralNormalization(layer, seed=seeds(), dtype="float32")
    return layer(x)


def judge(
    images: keras.KerasTensor,
    features: keras.KerasTensor,
    normalization: str | None,
    num_classes: int | None,
    seeds: Seeds,
) -> keras.Model:
    """Returns a discriminator of its features; classes enter as a projection.

    Args:
        images: Its input.
        features: Float32 features (batch, n) of them.
        normalization: Of the layer that makes the logit.
        num_classes: Number of classes, or None.
        seeds: A `Seeds`.
    """
    logits = logit(features, normalization, seeds)
    if num_classes is None:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    classes = embedding(num_classes, features.shape[-1], seeds())(labels)
    projection = layers.Dot(axes=-1, dtype="float32")([classes, features])
    logits = layers.Add(dtype="float32")([logits, projection])
    return keras.Model([images, labels], logits, name="discriminator")
