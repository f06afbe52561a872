"""Residual networks without normalisation, for relativistic losses and penalties."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gamegan import validation
from keras_gamegan.networks import building, grouped

_SLOPE = 0.2
# Of the variance of a layer before a leaky ReLU (He et al. 2015).
_GAIN = 2.0 / (1.0 + _SLOPE**2)
_EXPANSION = 2
_GROUP_SIZE = 16


def modern_pair(
    image_shape: Sequence[int] = (32, 32, 3),
    latent_dim: int = 64,
    *,
    base_filters: int = 16,
    num_blocks: int = 1,
    num_classes: int | None = None,
    seed: int | None = None,
) -> tuple[keras.Model, keras.Model]:
    r"""Builds the networks of R3GAN, which need no normalisation.

    Both are stacks of residual blocks

    $$ x + C_3\, a(C_2\, a(C_1 x)),\quad a(x) = \mathrm{leaky\_relu}(x + b), $$

    a convolution of one pixel to twice the channels, one of 3 x 3 in groups of 16, and
    one of one pixel back. The last begins at zero and the others are scaled by the
    number L of blocks, to the variance 2 / (1.04 fan_in sqrt(L)), so that a network
    begins as its skeleton: resampling and convolutions of one pixel. The generator
    begins from a small learned image whose channels the latents weigh, and doubles it
    bilinearly; the discriminator halves by averaging. Made for
    `loss="relativistic", penalty=["r1", "r2"]` and Adam without momentum. The defaults
    are small: on a CPU a step at 28 x 28 pixels took 6 times as long as one of
    `dcgan_pair`, and 16 times with two blocks at each size. At this width learning
    rates about 1e-3 did well in short runs, 2e-4 learned slowly.

    Unlike there, the generator ends in a tanh, since images are in [-1, 1] here, and
    classes enter the discriminator as a projection, as in `residual_pair`.

    Args:
        image_shape: (height, width, channels); the shorter side must be 4 to 7 times a
            power of two, such as 28, 32, 64 or 128.
        latent_dim: Length of a latent vector.
        base_filters: Number of filters at the image's size; they double with each
            halving, up to 8 times as many.
        num_blocks: Residual blocks at each size; the paper has two.
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
        >>> pair = kgg.networks.modern_pair((28, 28, 1), base_filters=8, seed=0)
        >>> gan = kgg.GAN(*pair, seed=0)
        >>> gan.compile(loss="relativistic", penalty=["r1", "r2"])
        >>> gan.sample(3, seed=0).shape
        (3, 28, 28, 1)

    References:
        Y. Huang, A. Gokaslan, V. Kuleshov, J. Tompkin: The GAN is dead; long live the
        GAN! A Modern GAN Baseline. 2024.
        H. Zhang, Y. N. Dauphin, T. Ma: Fixup initialization: residual learning without
        normalization. 2019.
    """
    count, smallest = building.halvings(image_shape)
    building.check_pair(latent_dim, num_classes, ("base_filters", base_filters))
    validation.check_integer("num_blocks", num_blocks)
    filters = building.filters(base_filters, count + 1)
    discriminator = _discriminator(
        tuple(image_shape), smallest, filters, num_blocks, num_classes, seed
    )
    generator = _generator(
        smallest, image_shape[-1], latent_dim, filters, num_blocks, num_classes, seed
    )
    return discriminator, generator


class _Parts:
    """Makes the layers of one network, each with a seed of its own.

    Args:
        seeds: `building.Seeds` of the network.
        num_blocks: Residual blocks of the whole network, the L of the formula.
    """

    def __init__(self, seeds: building.Seeds, num_blocks: int) -> None:
        self._seeds = seeds
        self._scale = _GAIN / math.sqrt(num_blocks)

    def pointwise(
        self, x: keras.KerasTensor, width: int, scale: float = 1.0, bias: bool = False
    ) -> keras.KerasTensor:
        """Applies a convolution of one pixel; from 0 on with scale 0."""
        initializer = _scaled(scale, self._seeds()) if scale else "zeros"
        return layers.Conv2D(
            width,
            1,
            use_bias=bias,
            data_format=building.CHANNELS_LAST,
            kernel_initializer=initializer,
        )(x)

    def block(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Applies a residual block."""
        width = x.shape[-1]
        inner = _EXPANSION * width
        y = self.pointwise(x, inner, self._scale, bias=True)
        y = layers.LeakyReLU(negative_slope=_SLOPE)(y)
        y = grouped.GroupedConvolution(
            inner,
            math.gcd(inner, _GROUP_SIZE),
            3,
            kernel_initializer=_scaled(self._scale, self._seeds()),
        )(y)
        y = layers.LeakyReLU(negative_slope=_SLOPE)(y)
        return layers.Add()([x, self.pointwise(y, width, 0.0)])

    def widened(self, x: keras.KerasTensor, width: int) -> keras.KerasTensor:
        """Returns x with so many channels."""
        return x if x.shape[-1] == width else self.pointwise(x, width)


def _discriminator(
    image_shape: Sequence[int],
    smallest: tuple[int, int],
    filters: list[int],
    num_blocks: int,
    num_classes: int | None,
    seed: int | None,
) -> keras.Model:
    seeds = building.Seeds(seed, "discriminator")
    parts = _Parts(seeds, num_blocks * len(filters))
    images = keras.Input(image_shape, name="data")
    x = parts.pointwise(images, filters[0])
    for level, width in enumerate(filters):
        if level:
            # Bilinear halving is this average.
            x = layers.AveragePooling2D(2, data_format=building.CHANNELS_LAST)(x)
            x = parts.widened(x, width)
        for _ in range(num_blocks):
            x = parts.block(x)
    x = layers.DepthwiseConv2D(
        smallest,
        use_bias=False,
        data_format=building.CHANNELS_LAST,
        depthwise_initializer=keras.initializers.RandomNormal(
            stddev=1.0 / math.sqrt(math.prod(smallest)), seed=seeds()
        ),
    )(x)
    features = layers.Flatten(data_format=building.CHANNELS_LAST, dtype="float32")(x)
    return building.judge(images, features, None, num_classes, seeds)


def _generator(
    smallest: tuple[int, int],
    channels: int,
    latent_dim: int,
    filters: list[int],
    num_blocks: int,
    num_classes: int | None,
    seed: int | None,
) -> keras.Model:
    seeds = building.Seeds(seed, "generator")
    parts = _Parts(seeds, num_blocks * len(filters))
    inputs, x = building.latent_inputs(latent_dim, num_classes, seeds)
    x = layers.Dense(
        filters[-1], use_bias=False, kernel_initializer=_scaled(1.0, seeds())
    )(x)
    # The learned image, weighed by channel.
    x = layers.EinsumDense(
        "bc,hwc->bhwc",
        (*smallest, filters[-1]),
        kernel_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seeds()),
    )(x)
    for level, width in enumerate(reversed(filters)):
        if level:
            x = parts.widened(x, width)
            x = layers.UpSampling2D(
                2, data_format=building.CHANNELS_LAST, interpolation="bilinear"
            )(x)
        for _ in range(num_blocks):
            x = parts.block(x)
    x = parts.pointwise(x, channels)
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, images, name="generator")


def _scaled(scale: float, seed: int | None) -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(
        scale, "fan_in", "untruncated_normal", seed=seed
    )
