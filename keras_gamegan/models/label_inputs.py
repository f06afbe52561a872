"""Which input of a class-conditional network takes the labels."""

from collections.abc import Callable

import keras
import tensorflow as tf


def label_indices(
    discriminator: keras.Model, generator: keras.Model
) -> tuple[int, int]:
    """Returns the position of the labels in both networks' `inputs`.

    The discriminator's data are what the generator makes; the generator's labels are
    what looks like the discriminator's. Where shapes and dtypes leave a choice, the
    name that both networks have tells, and then the order of a list: labels last.

    Args:
        discriminator: Keras model of one or two inputs.
        generator: Keras model of as many.

    Returns:
        A pair (of the discriminator, of the generator); 1 where there is one input.

    Raises:
        ValueError: If nothing tells the inputs of a dictionary apart.

    Example:
        >>> import keras
        >>> from keras_gamegan.models import label_inputs
        >>> def network(width, first):
        ...     data, labels = keras.Input((width,)), keras.Input((), dtype="int32")
        ...     out = keras.layers.Dense(3)(data)
        ...     inputs = [labels, data] if first else [data, labels]
        ...     return keras.Model(inputs, out)
        >>> label_inputs.label_indices(network(3, False), network(8, True))
        (1, 0)
    """
    if len(discriminator.inputs) != 2 or len(generator.inputs) != 2:
        return 1, 1
    made = tf.TensorShape(generator.outputs[0].shape)
    names = {tensor.name for tensor in generator.inputs}
    of_discriminator = _the_one(
        discriminator,
        [
            lambda tensor: not made.is_compatible_with(tensor.shape),
            lambda tensor: "int" in tensor.dtype,
            lambda tensor: tensor.name in names,
        ],
    )
    labels = discriminator.inputs[of_discriminator]
    of_generator = _the_one(
        generator,
        [
            lambda tensor: (tensor.shape, tensor.dtype) == (labels.shape, labels.dtype),
            lambda tensor: "int" in tensor.dtype,
            lambda tensor: tensor.name == labels.name,
        ],
    )
    return of_discriminator, of_generator


def _the_one(network: keras.Model, tests: list[Callable]) -> int:
    """Returns the input that is the only one to pass one of the tests."""
    for test in tests:
        passed = [index for index, tensor in enumerate(network.inputs) if test(tensor)]
        if len(passed) == 1:
            return passed[0]
    if isinstance(network.input, dict):
        named = ", ".join(repr(tensor.name) for tensor in network.inputs)
        raise ValueError(
            "Two inputs in a dictionary must be told apart, which are data or latents "
            f"and which are labels. Received: the inputs {named} of {network.name!r}, "
            "of one shape and dtype. Give the labels' input the same name in both "
            "networks, or pass lists: [data, labels] and [latents, labels]."
        )
    return 1
