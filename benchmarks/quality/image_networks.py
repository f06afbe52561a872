"""Small networks for images: a player's, and a classifier's that judges samples."""

import keras

layers = keras.layers


def _initial(seeds):
    return {"kernel_initializer": keras.initializers.HeNormal(seed=seeds)}


def _slope():
    return layers.LeakyReLU(negative_slope=0.2)


def discriminator(image_shape, width, seed, spectral=False):
    """Returns a DCGAN's discriminator: strides of 2 down to 4 pixels, no normalisation.

    Args:
        image_shape: (height, width, channels), square.
        width: Filters of the first convolution; doubled by each further one.
        seed: Of the weights; those of the last layer follow Keras' global seed.
        spectral: Whether its layers are spectrally normalised.
    """
    seeds = keras.random.SeedGenerator(seed)
    wrapped = layers.SpectralNormalization if spectral else lambda layer: layer
    flow = image = keras.Input(image_shape)
    while flow.shape[1] > 4:
        flow = wrapped(layers.Conv2D(width, 4, 2, "same", **_initial(seeds)))(flow)
        flow, width = _slope()(flow), 2 * width
    return keras.Model(image, wrapped(layers.Dense(1))(layers.Flatten()(flow)))


def generator(image_shape, latents, width, seed):
    """Returns a DCGAN's generator without normalisation, from 4 to 7 pixels up.

    Args:
        image_shape: (height, width, channels), square, the side such a number times a
            power of two.
        latents: Length of a latent vector.
        width: Filters at half the image's size; doubled by each further halving.
        seed: Of the weights; those of the last layer follow Keras' global seed.
    """
    seeds = keras.random.SeedGenerator(seed)
    side, *_, channels = image_shape
    filters = []
    while side > 7:
        side = side // 2
        filters.insert(0, width * 2 ** len(filters))
    latent = keras.Input((latents,))
    flow = layers.Dense(side * side * filters[0], **_initial(seeds))(latent)
    flow = layers.Reshape((side, side, filters[0]))(flow)
    for number in filters:
        flow = layers.Conv2DTranspose(number, 4, 2, "same", **_initial(seeds))(
            _slope()(flow)
        )
    image = layers.Conv2D(channels, 3, 1, "same", activation="tanh")(_slope()(flow))
    return keras.Model(latent, image)


def classifier(image_shape, seed, name):
    """Returns a classifier of ten classes, images in [-1, 1] to logits.

    Its features, the input of the last layer, have 64 numbers.
    """
    seeds = keras.random.SeedGenerator(seed)
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(16, 3, padding="same", use_bias=False, **_initial(seeds)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", use_bias=False, **_initial(seeds)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu", **_initial(seeds)),
            layers.Dense(10),
        ],
        name=name,
    )
