"""What Keras knows and does not say in public, each behind one function."""

import keras


def variables_of(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the variables a built Keras optimizer was built for, in their order.

    An optimizer's own variables are public, those it moves are not. By them its slots
    are told apart, and an optimizer of other variables is refused. Keras' own name, see
    tests/distribution/test_keras_private.py.

    Args:
        optimizer: A `LossScaleOptimizer` stands for the one within.

    Returns:
        The variables; none if the optimizer is not built.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner._trainable_variables)


def adapted_weights(model: keras.Model) -> list[keras.Variable]:
    """Returns the weights of layers with low-rank adaptation (LoRA).

    Keras writes such a layer's kernel into a file with the adaptation added to it.

    Args:
        model: A built Keras model.
    """
    return [
        variable
        for layer in model._flatten_layers()
        if getattr(layer, "lora_enabled", False)
        for variable in layer.weights
    ]


def trainable_by_nature(model: keras.Model) -> list[keras.Variable]:
    """Returns the weights that are trainable once nothing is frozen.

    A frozen layer says of none of its weights that it is trainable, so its kernel
    cannot be told from its moving averages. Keras knows, but privately.

    Args:
        model: A built Keras model.

    Returns:
        The variables in the order of `model.weights`.

    Example:
        >>> import keras
        >>> from keras_gamegan.distribution import keras_private
        >>> layers = [keras.Input((2,)), keras.layers.BatchNormalization()]
        >>> model = keras.Sequential(layers)
        >>> model.trainable = False
        >>> [variable.name for variable in keras_private.trainable_by_nature(model)]
        ['gamma', 'beta']
    """
    found = {
        id(variable)
        for layer in model._flatten_layers()
        for variable in layer._trainable_variables
    }
    return [variable for variable in model.weights if id(variable) in found]
