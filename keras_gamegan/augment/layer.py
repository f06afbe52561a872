"""A Keras layer as an augmentation."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import stateless_network
from keras_gamegan.augment import augmentation
from keras_gamegan.games import randomness


@keras.saving.register_keras_serializable(package="keras_gamegan")
class LayerAugmentation(augmentation.Augmentation):
    """Any Keras layer as an augmentation, called with `training=True`.

    `GAN(..., augment=layer)` makes it. Real and generated data get draws of their own,
    new ones at every step, a function of (seed, step, replica) as Dropout's are: equal
    in a resumed run, and not across numbers of replicas. The generator learns through
    the layer, which must be differentiable.

    Args:
        layer: Maps a batch of data to one of the same shape.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> pair = kgg.networks.mlp_pair(2, 3, width=4)
        >>> gan = kgg.GAN(*pair, augment=keras.layers.GaussianNoise(0.1))
        >>> gan.augment.layer.stddev
        0.1
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(
                "`layer` must be a Keras layer. Received: "
                f"layer={layer!r} (of type {type(layer).__name__})."
            )
        self.layer = layer
        self._network: Any = None

    def check(self, shape: tuple) -> None:
        """Builds the layer; raises unless it keeps the data's shape."""
        data = keras.Input(shape)
        made = self.layer(data, training=True)
        if getattr(made, "shape", None) != data.shape:
            raise ValueError(
                "`augment` must keep the shape of the data. Received: a layer "
                f"{self.layer.name!r} that makes {getattr(made, 'shape', made)} of "
                f"{data.shape}."
            )
        if self.layer.trainable_variables:
            raise ValueError(
                "`augment` belongs to neither player, so it cannot be trained. "
                f"Received: a layer {self.layer.name!r} with trainable weights. Freeze "
                "it: layer.trainable = False."
            )
        self._network = stateless_network.StatelessNetwork(keras.Model(data, made))

    def apply(self, images: tf.Tensor, stream: Any, batch: Any) -> tf.Tensor:
        """Returns the data of a batch, changed by the layer."""
        if batch.num_replicas > 1:
            stream = randomness.fold(stream, batch.replica)
        network = self._network
        return network.apply(network.player(), images, True, stream)[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LayerAugmentation":
        """Returns the layer that `get_config` described."""
        config = dict(config)
        layer = keras.saving.deserialize_keras_object(config.pop("layer"))
        return cls(layer, **config)
