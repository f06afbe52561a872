"""What Keras knows and does not say in public, each behind one function."""


def variables_of(optimizer):
    """Returns the variables a built Keras optimizer was built for, in their order.

    An optimizer's own variables are public, those it moves are not. By them its slots
    are told apart, and an optimizer of other variables is refused. Keras' own name, see
    tests/distribution/test_keras_private.py.

    Args:
        optimizer: Keras optimizer; a `LossScaleOptimizer` stands for the one within.

    Returns:
        List of Keras variables; empty if the optimizer is not built.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner._trainable_variables)
