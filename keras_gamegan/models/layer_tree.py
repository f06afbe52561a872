"""The layers of a network, and of the networks within it."""

from collections.abc import Iterator

import keras


def layers_of(network: keras.Model) -> Iterator[keras.Layer]:
    """Yields the layers that a network calls, in the mode it is itself called in.

    Models, Sequential models, pipelines and wrappers hand their mode on to what they
    hold, and are looked into. What another layer does with layers of its own is its
    affair.

    Args:
        network: Keras model.
    """
    for layer in network.layers:
        yield layer
        yield from _within(layer)


def _within(layer: keras.Layer) -> Iterator[keras.Layer]:
    if isinstance(layer, (keras.Model, keras.layers.Pipeline)):
        yield from layers_of(layer)
    elif isinstance(layer, keras.layers.Wrapper):
        yield layer.layer
        yield from _within(layer.layer)
