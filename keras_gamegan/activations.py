"""A network's last activation, and with it the range of what the network returns."""

import math

import keras
import tensorflow as tf

_RANGES = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "softmax": (0.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, math.inf),
}
# TensorFlow's operations that are activations, and those that leave values as they are.
_OPERATIONS = {
    name.title(): name for name in ("tanh", "sigmoid", "softsign", "softmax", "relu")
} | {"Relu6": "relu6", "Softplus": "softplus"}
_TRANSPARENT = ("Identity", "Reshape", "Cast")


def last_activation(network: keras.Model) -> str | None:
    """Returns the name of a network's last activation, or None if it has none.

    Of a functional or Sequential model the layers tell; of one that ends in a
    subclassed model, whose layers have no order, the traced graph.

    Args:
        network: Functional or Sequential Keras model.
    """
    for layer in reversed(network.layers):
        if isinstance(layer, (keras.layers.Reshape, keras.layers.Flatten)):
            continue
        if isinstance(layer, keras.Model):
            known = getattr(layer, "inputs", None)
            return last_activation(layer) if known else _last_operation(network)
        if isinstance(layer, keras.layers.Wrapper):
            layer = layer.layer
        activation = getattr(layer, "activation", None)
        if activation is None:
            kind = type(layer).__name__.lower()
            return kind if kind in ("relu", "softmax") else None
        name = getattr(activation, "__name__", None)
        return None if name == "linear" else name
    return None


def reachable_range(generator: keras.Model) -> tuple[float, float] | None:
    """Returns (lowest, highest) value of a network's last activation, or None.

    Args:
        generator: Functional or Sequential Keras model.
    """
    name = last_activation(generator)
    return None if name is None else _RANGES.get(name)


def finite_range(generator: keras.Model) -> tuple[float, float] | None:
    """Returns the reachable range if both ends are finite, else None.

    Args:
        generator: Functional or Sequential Keras model.
    """
    found = reachable_range(generator)
    return found if found is not None and math.isfinite(found[1] - found[0]) else None


def _last_operation(network: keras.Model) -> str | None:
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in network.inputs]

    def run(*inputs: tf.Tensor) -> tf.Tensor:
        inputs = keras.tree.pack_sequence_as(network.input, list(inputs))
        return network(inputs, training=False)

    traced = tf.function(run, input_signature=specs).get_concrete_function()
    operation = traced.outputs[0].op
    while operation.type in _TRANSPARENT:
        operation = operation.inputs[0].op
    return _OPERATIONS.get(operation.type)
