"""Fully connected networks, for points."""

from collections.abc import Callable

import keras
from keras import layers

from keras_gamegan.networks import building


def mlp_pair(
    data_dim: int = 2,
    latent_dim: int = 16,
    *,
    width: int = 128,
    depth: int = 2,
    activation: str | Callable[..., keras.KerasTensor] = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> tuple[keras.Model, keras.Model]:
    """Builds fully connected networks for points such as those of `gaussian_ring`.

    Args:
        data_dim: Number of coordinates of a point.
        latent_dim: Length of a latent vector.
        width: Number of units of a hidden layer.
        depth: Number of hidden layers.
        activation: Activation of the hidden layers, a name or function of Keras.
        num_classes: None; or the number of classes, for networks that also take labels.
        seed: Non-negative integer that fixes all initial weights; None for weights that
            follow `keras.utils.set_random_seed`.

    Returns:
        A tuple of two Keras functional models. The discriminator takes points of shape
        (batch, data_dim) to logits of shape (batch, 1); the generator takes latents of
        shape (batch, latent_dim) to points, of any range. With classes their inputs are
        [points, labels] and [latents, labels], the labels int32 of shape (batch,).

    Raises:
        ValueError: If a number is out of range or the activation is unknown.
        TypeError: If a number is no integer.

    Example:
        >>> import keras_gamegan as kgg
        >>> discriminator, generator = kgg.networks.mlp_pair(seed=0)
        >>> discriminator.output_shape, generator.output_shape
        ((None, 1), (None, 2))
    """
    widths = (("data_dim", data_dim), ("width", width), ("depth", depth))
    building.check_pair(latent_dim, num_classes, *widths)
    try:
        keras.activations.get(activation)
    except ValueError as error:
        raise ValueError(
            "`activation` must be an activation of Keras. "
            f"Received: activation={activation!r}. Pass 'relu', 'tanh' or a function."
        ) from error

    def hidden(x: keras.KerasTensor, seeds: building.Seeds) -> keras.KerasTensor:
        for _ in range(depth):
            initializer = keras.initializers.GlorotUniform(seed=seeds())
            x = layers.Dense(width, activation, kernel_initializer=initializer)(x)
        return x

    seeds = building.Seeds(seed, "discriminator")
    points = keras.Input((data_dim,), name="data")
    inputs, x = points, points
    if num_classes is not None:
        labels = keras.Input((), dtype="int32", name="labels")
        classes = building.embedding(num_classes, latent_dim, seeds())(labels)
        inputs, x = [points, labels], layers.Concatenate()([points, classes])
    logits = building.logit(hidden(x, seeds), None, seeds)
    discriminator = keras.Model(inputs, logits, name="discriminator")

    seeds = building.Seeds(seed, "generator")
    inputs, x = building.latent_inputs(latent_dim, num_classes, seeds)
    x = hidden(x, seeds)
    initializer = keras.initializers.GlorotUniform(seed=seeds())
    # No tanh: points are not confined to [-1, 1] as images are.
    outputs = layers.Dense(data_dim, kernel_initializer=initializer, dtype="float32")(x)
    return discriminator, keras.Model(inputs, outputs, name="generator")
