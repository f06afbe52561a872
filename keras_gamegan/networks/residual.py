"""Residual networks with a projection discriminator."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gamegan.networks import building


def residual_pair(
    image_shape: Sequence[int] = (32, 32, 3),
    latent_dim: int = 128,
    *,
    base_filters: int = 64,
    generator_normalization: str | None = "batch",
    discriminator_normalization: str | None = None,
    num_classes: int | None = None,
    seed: int | None = None,
) -> tuple[keras.Model, keras.Model]:
    r"""Builds residual networks, for colour images and larger ones.

    The generator doubles the size in every block by repeating pixels, the discriminator
    halves it by averaging them. Classes enter the discriminator as a projection: with
    $\phi(x)$ the features of an image and $e_y$ a learned vector of its class,

    $$ D(x, y) = w^\top \phi(x) + b + e_y^\top \phi(x). $$

    Args:
        image_shape: (height, width, channels); the shorter side must be 4 to 7 times a
            power of two, such as 28, 32 or 64.
        latent_dim: Length of a latent vector.
        base_filters: Number of filters at the image's size; the depth doubles with each
            halving, up to 8 times as many.
        generator_normalization: "batch", or None.
        discriminator_normalization: None; "spectral", the usual choice with a "hinge"
            loss; or "layer", which leaves examples independent as gradient penalties
            need.
        num_classes: None; or the number of classes, for networks that also take labels.
        seed: Non-negative integer that fixes all initial weights; None for weights that
            follow `keras.utils.set_random_seed`.

    Returns:
        A tuple of two Keras functional models. The discriminator takes images of shape
        (batch, *image_shape) to logits of shape (batch, 1); the generator takes latents
        of shape (batch, latent_dim) to images in [-1, 1]. With classes their inputs are
        [images, labels] and [latents, labels], the labels int32 of shape (batch,).

    Raises:
        ValueError: If the image cannot be halved so, or an argument is out of range.
        TypeError: If a number is no integer.

    Example:
        >>> import keras_gamegan as kgg
        >>> pair = kgg.networks.residual_pair(base_filters=8, seed=0)
        >>> pair[0].output_shape, pair[1].output_shape
        ((None, 1), (None, 32, 32, 3))

    References:
        T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: Spectral normalization for
        generative adversarial networks. 2018.
        T. Miyato, M. Koyama: cGANs with projection discriminator. 2018.
    """
    count, smallest = building.halvings(image_shape)
    building.check_pair(latent_dim, num_classes, ("base_filters", base_filters))
    building.check_option(
        "generator_normalization",
        generator_normalization,
        building.GENERATOR_NORMALIZATIONS,
    )
    building.check_option(
        "discriminator_normalization",
        discriminator_normalization,
        building.DISCRIMINATOR_NORMALIZATIONS,
    )
    filters = building.filters(base_filters, count + 1)
    discriminator = _discriminator(
        tuple(image_shape), filters, discriminator_normalization, num_classes, seed
    )
    generator = _generator(
        smallest,
        image_shape[-1],
        latent_dim,
        filters,
        generator_normalization,
        num_classes,
        seed,
    )
    return discriminator, generator


def _discriminator(
    image_shape: Sequence[int],
    filters: list[int],
    normalization: str | None,
    num_classes: int | None,
    seed: int | None,
) -> keras.Model:
    seeds = building.Seeds(seed, "discriminator")

    def convolution(
        x: keras.KerasTensor, width: int, kernel_size: int
    ) -> keras.KerasTensor:
        layer = _convolution(width, kernel_size, seeds)
        return building.weighted(layer, normalization, seeds)(x)

    def activation(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU()(building.normalize_discriminator(x, normalization))

    images = keras.Input(image_shape, name="data")
    x = convolution(images, filters[0], 3)
    for width in filters[1:]:
        main = convolution(activation(x), width, 3)
        main = convolution(activation(main), width, 3)
        # Averaging commutes with a convolution of one pixel, and first it is cheaper.
        skip = convolution(_halved(x), width, 1)
        x = layers.Add()([_halved(main), skip])
    features = layers.GlobalAveragePooling2D(
        data_format=building.CHANNELS_LAST, dtype="float32"
    )(activation(x))
    return building.judge(images, features, normalization, num_classes, seeds)


def _generator(
    smallest: tuple[int, int],
    channels: int,
    latent_dim: int,
    filters: list[int],
    normalization: str | None,
    num_classes: int | None,
    seed: int | None,
) -> keras.Model:
    seeds = building.Seeds(seed, "generator")

    def activation(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU()(building.normalize_generator(x, normalization))

    inputs, x = building.latent_inputs(latent_dim, num_classes, seeds)
    initializer = keras.initializers.GlorotUniform(seed=seeds())
    x = layers.Dense(math.prod(smallest) * filters[-1], kernel_initializer=initializer)(
        x
    )
    x = layers.Reshape((*smallest, filters[-1]))(x)
    for width in reversed(filters[:-1]):
        main = _doubled(activation(x))
        main = _convolution(width, 3, seeds)(main)
        main = _convolution(width, 3, seeds)(activation(main))
        skip = _doubled(_convolution(width, 1, seeds)(x))
        x = layers.Add()([main, skip])
    x = _convolution(channels, 3, seeds)(activation(x))
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, images, name="generator")


def _convolution(width: int, kernel_size: int, seeds: building.Seeds) -> keras.Layer:
    initializer = keras.initializers.GlorotUniform(seed=seeds())
    return layers.Conv2D(
        width,
        kernel_size,
        padding="same",
        data_format=building.CHANNELS_LAST,
        kernel_initializer=initializer,
    )


def _halved(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.AveragePooling2D(2, data_format=building.CHANNELS_LAST)(x)


def _doubled(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.UpSampling2D(2, data_format=building.CHANNELS_LAST)(x)
