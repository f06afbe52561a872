"""Strided convolutions, the workhorse for small images."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gamegan.networks import building


def dcgan_pair(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 64,
    *,
    base_filters: int = 32,
    generator_normalization: str | None = "batch",
    discriminator_normalization: str | None = None,
    num_classes: int | None = None,
    seed: int | None = None,
) -> tuple[keras.Model, keras.Model]:
    """Builds the networks of DCGAN, sized for the images.

    The discriminator halves the image with strided convolutions until its shorter side
    is 4 to 7 pixels, doubling the filters each time; the generator goes the other way
    with transposed convolutions. Classes enter the discriminator as one more channel,
    and the generator beside the latents.

    Args:
        image_shape: (height, width, channels); the shorter side must be 4 to 7 times a
            power of two, such as 28, 32 or 64.
        latent_dim: Length of a latent vector.
        base_filters: Number of filters at half the image's size; the depth doubles with
            each further halving, up to 8 times as many.
        generator_normalization: "batch", or None.
        discriminator_normalization: None; "spectral", a bound on the Lipschitz
            constant; or "layer", which leaves examples independent as gradient
            penalties need.
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
        >>> discriminator, generator = kgg.networks.dcgan_pair((28, 28, 1), seed=0)
        >>> discriminator.output_shape, generator.output_shape
        ((None, 1), (None, 28, 28, 1))

    References:
        A. Radford, L. Metz, S. Chintala: Unsupervised representation learning with deep
        convolutional generative adversarial networks. 2016.
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
    filters = building.filters(base_filters, count)
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
    images = keras.Input(image_shape, name="data")
    inputs, x = images, images
    if num_classes is not None:
        labels = keras.Input((), dtype="int32", name="labels")
        plane = building.embedding(num_classes, math.prod(image_shape[:2]), seeds())
        plane = layers.Reshape((*image_shape[:2], 1))(plane(labels))
        inputs, x = [images, labels], layers.Concatenate()([images, plane])
    for level, width in enumerate(filters):
        convolution = layers.Conv2D(
            width,
            4,
            strides=2,
            padding="same",
            data_format=building.CHANNELS_LAST,
            kernel_initializer=_small(seeds),
        )
        x = building.weighted(convolution, normalization, seeds)(x)
        if level:  # The first layer sees the pixels as they are, as in DCGAN.
            x = building.normalize_discriminator(x, normalization)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    features = layers.Flatten(data_format=building.CHANNELS_LAST)(x)
    logits = building.logit(features, normalization, seeds)
    return keras.Model(inputs, logits, name="discriminator")


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
    inputs, x = building.latent_inputs(latent_dim, num_classes, seeds)
    # Normalization has a shift of its own, which makes a bias idle; without it, small
    # weights would let the signal fade from layer to layer.
    bias = normalization is None
    initializer = _preserving if bias else _small
    x = layers.Dense(
        math.prod(smallest) * filters[-1],
        use_bias=bias,
        kernel_initializer=initializer(seeds),
    )(x)
    x = layers.Reshape((*smallest, filters[-1]))(x)
    x = layers.ReLU()(building.normalize_generator(x, normalization))
    for width in reversed(filters[:-1]):
        x = _upsample(width, initializer(seeds), use_bias=bias)(x)
        x = layers.ReLU()(building.normalize_generator(x, normalization))
    x = _upsample(channels, initializer(seeds))(x)
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, images, name="generator")


def _upsample(
    width: int, initializer: keras.Initializer, use_bias: bool = True
) -> keras.Layer:
    # A kernel of twice the stride covers all pixels equally often: no checkerboard.
    return layers.Conv2DTranspose(
        width,
        4,
        strides=2,
        padding="same",
        data_format=building.CHANNELS_LAST,
        use_bias=use_bias,
        kernel_initializer=initializer,
    )


def _small(seeds: building.Seeds) -> keras.Initializer:
    # The initial weights of the DCGAN paper. They matter: on Fashion-MNIST garments
    # show after two epochs, while after three that began with He's they did not.
    return keras.initializers.RandomNormal(stddev=0.02, seed=seeds())


def _preserving(seeds: building.Seeds) -> keras.Initializer:
    return keras.initializers.GlorotUniform(seed=seeds())
