"""Networks whose inputs Keras does not know yet, as networks whose inputs it knows."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation


def with_inputs(
    discriminator: Any, generator: Any, latent_dim: Any, data_shape: Any
) -> tuple[Any, Any]:
    """Returns both networks with known inputs: subclassed ones wrapped and built.

    A subclassed model, called before or not, becomes the one layer of a functional
    model of the same name; a Sequential model without an input is built in place. What
    is no Keras model, or has inputs, is returned as it is.

    Args:
        discriminator: As in `GAN`.
        generator: As in `GAN`.
        latent_dim: As in `GAN`; a generator that is wrapped needs it.
        data_shape: Shape of one example, or None: that of what the generator makes.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is missing or out of range, the generator makes data of
            another shape, or a network cannot be called on one input.
    """
    if data_shape is not None:
        data_shape = _check_shape(data_shape)
    if _is_open(generator):
        if latent_dim is None:
            raise ValueError(
                f"{_expected('generator', generator)}, without latent_dim=. Pass the "
                "size of its latents: latent_dim=64, for example."
            )
        size = validation.check_integer("latent_dim", latent_dim)
        generator = _wrapped("generator", generator, (size,), "latents")
    if not isinstance(generator, keras.Model) or len(generator.outputs) != 1:
        return discriminator, generator
    made = tuple(generator.outputs[0].shape[1:])
    if data_shape is not None and not tf.TensorShape(made).is_compatible_with(
        data_shape
    ):
        raise ValueError(
            "`data_shape` must be the shape of what the generator makes. Received: "
            f"data_shape={data_shape}, but the generator makes {made}. Leave it out, "
            "or change the generator."
        )
    if _is_open(discriminator):
        data_shape = made if data_shape is None else data_shape
        discriminator = _wrapped("discriminator", discriminator, data_shape, "data")
    return discriminator, generator


def _is_open(network: Any) -> bool:
    return isinstance(network, keras.Model) and not getattr(network, "inputs", None)


def _expected(name: str, network: keras.Model) -> str:
    kind = "Sequential" if isinstance(network, keras.Sequential) else "subclassed"
    return (
        f"The inputs of `{name}` must be known. Received: {name}={network.name!r}, a "
        f"{kind} model whose inputs Keras does not know"
    )


def _wrapped(name: str, network: keras.Model, shape: tuple, what: str) -> keras.Model:
    inputs = keras.Input(shape, name=what)
    try:
        outputs = network(inputs)
    except Exception as error:
        raise ValueError(
            f"{_expected(name, network)}, and which failed when called on {what} of "
            f"shape {(None, *shape)}. If it takes labels too, wrap it: inputs = "
            f"[keras.Input({shape}), keras.Input((), dtype='int32')]; "
            f"keras.Model(inputs, model(inputs)). It said: {error}"
        ) from error
    if isinstance(network, keras.Sequential):
        return network
    return keras.Model(inputs, outputs, name=network.name)


def _check_shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, (tuple, list)):
        raise TypeError(
            "`data_shape` must be the shape of one example, a tuple. Received: "
            f"data_shape={shape!r}. Pass (28, 28, 1), for example."
        )
    return tuple(validation.check_integer("data_shape", side) for side in shape)
