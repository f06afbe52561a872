"""Networks that take labels, of networks that take one-hot vectors in their data."""

import math

import keras
from keras import layers

from keras_gamegan import validation


def conditional(network: keras.Model, num_classes: int) -> keras.Model:
    """Makes a network of (x, label) of one whose input holds a one-hot label.

    Guides write class-conditional networks with one input, in which the label stands
    beside the data: a generator of [latent, one-hot], a discriminator of images with
    one more channel for each class, all 1 in that of the label. This adapter takes the
    label as an integer and does the rest:

        network'(x, k) = network(concat(x, planes of e_k)),    0 <= k < num_classes,

    with e_k the k-th unit vector, repeated over all axes but the last. The weights are
    those of the given network. Only layers of Keras are added, so a model that is saved
    needs nothing of this library. Networks that take labels as a second input need no
    adapter, be it integers or one-hot vectors.

    Args:
        network: Functional or Sequential Keras model of one input (b, ..., c +
            num_classes), of known size.
        num_classes: Number of classes, >= 1.

    Returns:
        A functional model of the inputs [x, labels], x of shape (b, ..., c) and labels
        int32 of shape (b,).

    Raises:
        TypeError: If the network is no Keras model or the number no integer.
        ValueError: If the network has no known input, or not one, or no room for
            data beside the classes.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> generator = keras.Sequential([keras.Input((128 + 10,)),
        ...     keras.layers.Dense(784, "tanh"), keras.layers.Reshape((28, 28, 1))])
        >>> kgg.networks.conditional(generator, 10).input_shape
        [(None, 128), (None,)]

    References:
        Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014.
    """
    if not isinstance(network, keras.Model):
        raise TypeError(
            "`network` must be a keras.Model. Received: an object of type "
            f"{type(network).__name__}. Pass the discriminator, then the generator."
        )
    num_classes = validation.check_integer("num_classes", num_classes)
    inputs = getattr(network, "inputs", None) or []
    if len(inputs) != 1:
        raise ValueError(
            "`network` must be a functional or Sequential model of one input. Received:"
            f" {network.name!r} with {len(inputs)} known inputs. A model of [x, labels]"
            " needs no adapter; a subclassed one is wrapped: inputs = "
            "keras.Input(shape); keras.Model(inputs, model(inputs))."
        )
    *sides, channels = inputs[0].shape[1:]
    if None in sides or channels is None or channels <= num_classes:
        raise ValueError(
            "The last axis of the network's input must hold data, then a place for each"
            f" class, and all axes be of known size. Received: num_classes="
            f"{num_classes} and an input of shape {tuple(inputs[0].shape)}. Build the "
            f"network with keras.Input((..., size + {num_classes}))."
        )
    data = keras.Input(
        (*sides, channels - num_classes), name="data", dtype=inputs[0].dtype
    )
    labels = keras.Input((), dtype="int32", name="labels")
    planes = layers.CategoryEncoding(num_tokens=num_classes, output_mode="one_hot")(
        layers.Reshape((1,))(labels)
    )
    if sides:
        planes = layers.RepeatVector(math.prod(sides))(planes)
        planes = layers.Reshape((*sides, num_classes))(planes)
    outputs = network(layers.Concatenate()([data, planes]))
    return keras.Model([data, labels], outputs, name=f"conditional_{network.name}")
