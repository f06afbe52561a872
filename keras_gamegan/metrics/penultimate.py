"""A classifier's penultimate layer, as features for the distances."""

import keras


def penultimate_features(classifier: keras.Model) -> keras.Model:
    """Returns a classifier up to the input of its last layer that has weights.

    Those are the features that the classes are told apart by, as Inception's last
    pooling is. So one classifier of your own data, which needs no download, serves both
    as `ClassifierScore(classifier)` and, by this function, as an extractor.

    Args:
        classifier: A functional or `Sequential` Keras model with one input and one
            output whose last layer with weights is a `Dense` layer of logits or
            probabilities; layers without weights (Softmax, Dropout) may follow.

    Returns:
        A `keras.Model` from the same input to (batch, features), called
        `<classifier>_features`. It shares the classifier's layers and weights, and is
        called in inference mode by the metrics.

    Raises:
        TypeError: If it is not a Keras model.
        ValueError: If it is not built, or does not end in a `Dense` layer.

    Example:
        >>> classifier = keras.Sequential([
        ...     keras.Input((28, 28, 1)),
        ...     keras.layers.Flatten(),
        ...     keras.layers.Dense(16, activation="relu"),
        ...     keras.layers.Dense(10),
        ... ], name="digits")
        >>> extractor = kgg.metrics.penultimate_features(classifier)
        >>> extractor.name, extractor.output_shape
        ('digits_features', (None, 16))
        >>> metric = kgg.metrics.FrechetDistance(extractor)
    """
    if not isinstance(classifier, keras.Model):
        raise TypeError(
            "`classifier` must be a functional or Sequential Keras model. Received: "
            f"{classifier!r} (of type {type(classifier).__name__})."
        )
    if len(getattr(classifier, "inputs", None) or ()) != 1:
        raise ValueError(
            "`classifier` must be a built functional or Sequential model with one "
            f"input. Received: {classifier.name!r}, whose inputs are "
            f"{getattr(classifier, 'inputs', None)}. Give a Sequential model a "
            "keras.Input as its first layer; of a subclassed model pass a function "
            "that returns the features as the extractor."
        )
    weighted = [layer for layer in classifier.layers if layer.weights]
    last = weighted[-1] if weighted else None
    if not isinstance(last, keras.layers.Dense) or len(last.input.shape) != 2:
        described = "no weights"
        if last is not None:
            described = f"{type(last).__name__} {last.name!r}"
        raise ValueError(
            "`classifier` must end in a Dense layer of classes. Received: "
            f"{classifier.name!r}, which ends in {described}. Make the extractor by "
            "hand: keras.Model(classifier.input, classifier.get_layer(...).output)."
        )
    return keras.Model(
        classifier.inputs[0], last.input, name=f"{classifier.name}_features"
    )
