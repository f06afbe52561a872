"""Checks of networks, before a weight is made."""

import math
import warnings
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import activations, labelling, validation
from keras_gamegan.models import augmenting_layers, label_inputs, two_networks

_SQUASHING = ("sigmoid", "softmax", "hard_sigmoid", "tanh")


def check_networks(discriminator: Any, generator: Any) -> None:
    """Raises unless the two networks can play against each other.

    Args:
        discriminator: Keras model, data [, labels] -> one logit.
        generator: Keras model, latents [, labels] -> data.

    Raises:
        TypeError: If one is not a Keras model.
        ValueError: If they share layers, shapes do not fit, or the discriminator ends
            neither in one logit nor in one per patch.
    """
    for name, network in (("discriminator", discriminator), ("generator", generator)):
        _check_network(name, network)
    two_networks.check_not_shared(discriminator, generator)
    if len(discriminator.inputs) != len(generator.inputs):
        raise ValueError(
            "Both networks must be unconditional (one input) or both class-conditional "
            "(data or latents, then labels). "
            f"Received: a discriminator with {len(discriminator.inputs)} input(s) and "
            f"a generator with {len(generator.inputs)}. Give labels to both or to none."
        )
    _check_order(discriminator, generator)
    _check_open_batch(discriminator)
    logit_shape = tuple(discriminator.outputs[0].shape)
    patches = len(logit_shape) >= 4 and logit_shape[-1] == 1
    if logit_shape not in ((None,), (None, 1)) and not patches:
        raise ValueError(
            "The discriminator must end in one logit per example, of shape (None, 1), "
            "or in one per patch of an image, (None, height, width, 1). "
            f"Received: a discriminator whose output has shape {logit_shape}. End it "
            "with keras.layers.Dense(1), after Flatten or global pooling."
        )
    of_discriminator, of_generator = label_inputs.label_indices(
        discriminator, generator
    )
    _check_dtypes(
        {
            "latents of the generator": generator.inputs[1 - of_generator],
            "data that the generator makes": generator.outputs[0],
            "data that the discriminator takes": discriminator.inputs[
                1 - of_discriminator
            ],
            "logits of the discriminator": discriminator.outputs[0],
        }
    )
    judged = discriminator.inputs[1 - of_discriminator].shape
    made = generator.outputs[0].shape
    if not tf.TensorShape(made).is_compatible_with(judged):
        raise ValueError(
            "The generator's output must fit the discriminator's input. "
            f"Received: a generator that returns shape {tuple(made)} and a "
            f"discriminator that takes {tuple(judged)}. Change one of the two."
        )
    if len(generator.inputs) == 2:
        _check_same_labels(
            discriminator.inputs[of_discriminator], generator.inputs[of_generator]
        )
    activation = activations.last_activation(discriminator)
    if activation in _SQUASHING:
        warnings.warn(
            "The discriminator should return a logit, since every loss here works on "
            f"logits. Received: a last activation of {activation!r}. Remove it: "
            "keras.layers.Dense(1). Binary cross-entropy too is taken on logits here, "
            "whatever its from_logits= says.",
            UserWarning,
            stacklevel=3,
        )
    augmenting_layers.warn(discriminator, stacklevel=3)


def _check_order(discriminator: Any, generator: Any) -> None:
    """Raises if the two would fit the other way round, and do not as they are."""

    def fits(maker: Any, judge: Any) -> bool:
        made = tf.TensorShape(maker.outputs[0].shape)
        return any(made.is_compatible_with(each.shape) for each in judge.inputs)

    one_number = tuple(generator.outputs[0].shape) in ((None,), (None, 1))
    if one_number and fits(discriminator, generator):
        if fits(generator, discriminator):
            return
        raise ValueError(
            "The discriminator comes first, then the generator. Received: first a "
            f"network that returns shape {tuple(discriminator.outputs[0].shape)}, then "
            "one that takes that and returns one number. Swap them."
        )


def latent_shape(latents: Any, latent_dim: int | None) -> tuple[int, ...]:
    """Returns the shape of one latent, checked against ``latent_dim``.

    Args:
        latents: The generator's input for latents.
        latent_dim: As in `GAN`.
    """
    shape = tuple(latents.shape[1:])
    if any(size is None for size in shape):
        raise ValueError(
            "The generator's latent input must have a static shape. "
            f"Received: shape {(None, *shape)}. Give keras.Input its full shape."
        )
    if latent_dim is None:
        return shape
    hint = "What follows the networks has a name: best_response=, history=, updates=."
    if validation.check_integer("latent_dim", latent_dim, 1, hint) != math.prod(shape):
        raise ValueError(
            "`latent_dim` must be the size of the generator's latent input. "
            f"Received: latent_dim={latent_dim!r}, but the generator takes latents of "
            f"shape {shape}. Leave latent_dim out: it is inferred."
        )
    return shape


def _check_network(name: str, network: Any) -> None:
    two_networks.check_model(name, network)
    if len(network.inputs) not in (1, 2) or len(network.outputs) != 1:
        hint = "Concatenate inputs that belong together."
        if len(network.outputs) != 1:
            hint = (
                "There is no auxiliary classifier (ACGAN) here: give the labels to "
                "both networks, as kgg.networks.residual_pair(num_classes=10) does."
            )
        raise ValueError(
            f"`{name}` must have one input, or two if class-conditional, and one "
            f"output. Received: {len(network.inputs)} inputs and "
            f"{len(network.outputs)} outputs. {hint}"
        )


def _check_open_batch(discriminator: Any) -> None:
    """Raises if a discriminator takes batches of one size: real and fake make one."""
    for tensor in discriminator.inputs:
        if tensor.shape[0] is not None:
            raise ValueError(
                "The discriminator must take batches of any size: real and generated "
                f"data make one batch. Received: an input {tensor.name!r} of shape "
                f"{tuple(tensor.shape)}, whose batch size is fixed, by batch_size= "
                "or by a first call. Begin with keras.Input(shape), without batch_size."
            )


def _check_dtypes(tensors: dict[str, Any]) -> None:
    """Raises unless a gradient can pass from the logits back to the latents."""
    for what, tensor in tensors.items():
        if not keras.backend.is_float_dtype(tensor.dtype):
            raise ValueError(
                f"The {what} must be floating numbers: gradients pass through them. "
                f"Received: {tensor.name!r} of dtype {tensor.dtype}. Leave out its "
                "dtype, or the cast; images of integers are scaled in the data set."
            )


def _check_same_labels(judged: Any, made: Any) -> None:
    """Raises if labels are not the same to both networks."""
    try:
        labelling.check_shape(tuple(made.shape), tuple(judged.shape))
    except ValueError:
        raise ValueError(
            "Both networks get the same labels. Received: a generator that takes "
            f"labels of shape {tuple(made.shape)} and a discriminator that takes "
            f"{tuple(judged.shape)}. Give both the same label input."
        ) from None
