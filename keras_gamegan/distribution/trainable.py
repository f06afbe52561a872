"""Which weights of a model are trainable by nature, whatever is frozen now."""

import keras


def trainable_by_nature(model: keras.Model) -> list[keras.Variable]:
    """Returns the weights that are trainable once nothing is frozen.

    A frozen layer says of none of its weights that it is trainable, so its kernel
    cannot be told from its moving averages. Keras knows, but privately: see
    tests/distribution/test_trainable.py.

    Args:
        model: A built Keras model.

    Returns:
        The variables in the order of `model.weights`.

    Example:
        >>> import keras
        >>> from keras_gamegan.distribution import trainable
        >>> layers = [keras.Input((2,)), keras.layers.BatchNormalization()]
        >>> model = keras.Sequential(layers)
        >>> model.trainable = False
        >>> [variable.name for variable in trainable.trainable_by_nature(model)]
        ['gamma', 'beta']
    """
    found = {
        id(variable)
        for layer in model._flatten_layers()
        for variable in layer._trainable_variables
    }
    return [variable for variable in model.weights if id(variable) in found]
