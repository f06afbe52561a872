"""The two optimizers of a GAN, and the one face Keras' callbacks see of them."""

import keras
import tensorflow as tf


class OptimizerPair:
    """What callbacks find as `model.optimizer`: one learning rate that moves both.

    Reading `learning_rate` gives the generator's. Setting it sets the generator's and
    scales the discriminator's by the same factor, so that a ratio between the two
    (two time-scale updates) survives `LearningRateScheduler` and `ReduceLROnPlateau`,
    also a warm-up that begins at 0.

    Args:
        g_optimizer: Keras optimizer of the generator.
        d_optimizer: Keras optimizer of the discriminator.
    """

    built = True

    def __init__(self, g_optimizer, d_optimizer):
        self._g_optimizer = g_optimizer
        self._d_optimizer = d_optimizer
        self._ratio = 1.0

    @property
    def iterations(self):
        """Updates of the generator so far."""
        return self._g_optimizer.iterations

    @property
    def variables(self):
        """Variables of both optimizers, which `summary` counts."""
        return [*self._g_optimizer.variables, *self._d_optimizer.variables]

    @property
    def learning_rate(self):
        """The generator's learning rate."""
        return self._g_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        old = float(tf.convert_to_tensor(self._g_optimizer.learning_rate).numpy())
        other = float(tf.convert_to_tensor(self._d_optimizer.learning_rate).numpy())
        new = float(tf.convert_to_tensor(value).numpy())
        # A rate of 0 says nothing of the ratio: then the last one known holds.
        if old > 0:
            self._ratio = other / old
        self._g_optimizer.learning_rate = new
        self._d_optimizer.learning_rate = new * self._ratio


def _has_float16_layers(network):
    return any(
        _has_float16_layers(layer)
        if isinstance(layer, keras.Model)
        else layer.compute_dtype == "float16"
        for layer in network.layers
    )


def prepare(d_optimizer, g_optimizer, discriminator, generator, auto_scale_loss):
    """Returns both optimizers, wrapped for mixed precision and built.

    Args:
        d_optimizer: Name, configuration or Keras optimizer.
        g_optimizer: Likewise.
        discriminator: Keras model whose trainable variables it updates.
        generator: Likewise.
        auto_scale_loss: Whether float16 networks get a `LossScaleOptimizer`.

    Returns:
        A pair (discriminator's, generator's).

    Raises:
        ValueError: If both are one object, or one belongs to other variables.
    """
    pair = []
    if d_optimizer is g_optimizer and not isinstance(d_optimizer, (str, dict)):
        raise ValueError(
            "`d_optimizer` and `g_optimizer` must be two optimizers: each keeps the "
            "state of its own network. Received: the same object twice. Create two."
        )
    for name, optimizer, network in (
        ("d_optimizer", d_optimizer, discriminator),
        ("g_optimizer", g_optimizer, generator),
    ):
        try:
            found = keras.optimizers.get(optimizer)
        except (ValueError, TypeError):
            found = None
        if found is None:
            raise ValueError(
                f"`{name}` must be a Keras optimizer or its name, such as 'adam'. "
                f"Received: {name}={optimizer!r}. Pass, for instance, "
                "keras.optimizers.Adam(2e-4, beta_1=0.5)."
            )
        optimizer = found
        half = _has_float16_layers(network)
        scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if auto_scale_loss and half and not scaling:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        if not optimizer.built:
            optimizer.build(network.trainable_variables)
        pair.append(optimizer)
    return tuple(pair)
