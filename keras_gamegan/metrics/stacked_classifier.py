"""A classifier of images whose channels are images: Stacked MNIST's judge."""

import keras

from keras_gamegan import validation


def stacked_classifier(classifier: keras.Model, num_channels: int = 3) -> keras.Model:
    r"""Makes a classifier of stacked images from one of their channels.

    With K classes of a channel the stack has $K^n$, and class $(c_1, \ldots, c_n)$ has
    the number $\sum_i c_i K^{n-i}$, as the modes of `kgg.datasets.stacked_mnist`. Its
    logit is the sum of the channels' logits,

    $$ \ell_{c_1 \ldots c_n}(x) = \sum_{i=1}^{n} \ell_{c_i}(x_i), $$

    so the probabilities of the stack are products of those of its channels.

    Args:
        classifier: A functional or `Sequential` Keras model from images (batch, height,
            width, 1) to logits (batch, K).
        num_channels: Channels n of the stack, >= 1. Default: 3.

    Returns:
        A `keras.Model` from images (batch, height, width, n) to logits (batch, K^n),
        called `stacked_<classifier>`, for `ClassCoverage` and `ClassifierScore`. It
        shares the classifier's weights.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the classifier is not built, or takes or returns other shapes.

    Example:
        >>> digits = keras.Sequential([
        ...     keras.Input((28, 28, 1)),
        ...     keras.layers.Flatten(),
        ...     keras.layers.Dense(10),
        ... ], name="digits")
        >>> classifier = kgg.metrics.stacked_classifier(digits)
        >>> classifier.name, classifier.input_shape, classifier.output_shape
        ('stacked_digits', (None, 28, 28, 3), (None, 1000))
        >>> metric = kgg.metrics.ClassCoverage(classifier)
    """
    validation.check_integer("num_channels", num_channels)
    if not isinstance(classifier, keras.Model):
        raise TypeError(
            "`classifier` must be a functional or Sequential Keras model. Received: "
            f"{classifier!r} (of type {type(classifier).__name__})."
        )
    taken = [tuple(each.shape) for each in getattr(classifier, "inputs", None) or ()]
    given = [tuple(each.shape) for each in getattr(classifier, "outputs", None) or ()]
    fits = [len(shape) for shape in taken + given] == [4, 2] and taken[0][-1] == 1
    if not fits or given[0][-1] is None:
        raise ValueError(
            "`classifier` must be built, and take images (batch, height, width, 1) to "
            f"logits (batch, classes). Received: {classifier.name!r}, which takes "
            f"{taken} to {given}. Give a Sequential model a keras.Input as its first "
            "layer."
        )
    num_classes = given[0][-1]
    images = keras.Input((*taken[0][1:3], num_channels), name="images")
    logits = None
    for channel in keras.ops.split(images, num_channels, axis=-1):
        own = classifier(channel)
        if logits is None:
            logits = own
            continue
        pairs = keras.ops.expand_dims(logits, -1) + keras.ops.expand_dims(own, 1)
        logits = keras.ops.reshape(pairs, (-1, logits.shape[-1] * num_classes))
    return keras.Model(images, logits, name=f"stacked_{classifier.name}")
