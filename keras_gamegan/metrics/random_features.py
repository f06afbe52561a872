"""Features of images that need no training: a convolutional network at random."""

import keras

from keras_gamegan import validation


def random_features(
    image_shape: tuple[int, int, int], num_filters: int = 16, seed: int = 0
) -> keras.Model:
    r"""Makes an extractor for data that no pretrained network knows.

    Four convolutions of stride 2 (fewer for small images) with random filters,
    orthogonal ones, each followed by a leaky ReLU; the features are the means and the
    standard deviations of every channel at every level. Distances in them are not
    those of papers, which use Inception; they compare models of the same images, with
    the same seed. Naeem et al. find random features to be the better ones where images
    are far from photographs.

    Args:
        image_shape: (height, width, channels) of images in [-1, 1].
        num_filters: Filters of the first convolution, doubled at each level, >= 1.
            Default: 16.
        seed: Of the filters. Default: 0.

    Returns:
        A Keras model from images to features (batch, d), frozen.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> extractor = kgg.metrics.random_features((32, 32, 3))
        >>> distance = kgg.metrics.FrechetDistance(extractor, name="random_distance")
        >>> extractor.output.shape
        (None, 480)

    References:
        M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo. Reliable Fidelity and Diversity
        Metrics for Generative Models. 2020.
    """
    validation.check_integer("num_filters", num_filters)
    validation.check_seed("seed", seed)
    seeds = keras.random.SeedGenerator(seed)
    image = keras.Input(image_shape, name="image")
    flow: keras.KerasTensor = image
    found: list[keras.KerasTensor] = []
    filters, side = num_filters, min(image_shape[:2])
    for _ in range(4):
        if found and side < 4:
            break
        flow = keras.layers.Conv2D(
            filters,
            3,
            2,
            padding="same",
            kernel_initializer=keras.initializers.Orthogonal(1.4, seed=seeds),
        )(flow)
        flow = keras.layers.LeakyReLU(0.2)(flow)
        mean = keras.layers.GlobalAveragePooling2D()(flow)
        square = keras.layers.GlobalAveragePooling2D()(keras.ops.square(flow))
        variance = keras.ops.maximum(square - keras.ops.square(mean), 0.0)
        found += [mean, keras.ops.sqrt(variance + 1e-6)]
        filters, side = 2 * filters, (side + 1) // 2
    model = keras.Model(
        image, keras.ops.concatenate(found, axis=-1), name="random_features"
    )
    model.trainable = False
    return model
