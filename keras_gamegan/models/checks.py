"""Checks of networks and data, before a step is traced or a weight is made."""

import math
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import activations, labelling, validation
from keras_gamegan.models import augmentation, pairing, shapes, two_networks
from keras_gamegan.models.step import structured_data

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
    of_discriminator, of_generator = pairing.label_indices(discriminator, generator)
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
    if not shapes.compatible(made, judged):
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
    augmentation.warn(discriminator, stacklevel=3)


def _check_order(discriminator: Any, generator: Any) -> None:
    """Raises if the two would fit the other way round, and do not as they are."""

    def fits(maker: Any, judge: Any) -> bool:
        made = maker.outputs[0].shape
        return any(shapes.compatible(made, each.shape) for each in judge.inputs)

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


def check_dataset(dataset: tf.data.Dataset, real: Any, labels: Any, model: Any) -> None:
    """Raises on a data set that cannot be trained on, where its specification tells.

    Args:
        dataset: A `tf.data.Dataset`.
        real: Specification of the data in its elements.
        labels: Specification of the labels, or None.
        model: The `GAN` that is to train on it.

    Raises:
        ValueError: If it is empty, or its elements do not fit the networks.
    """
    structured_data.check_not_empty(dataset)
    structured_data.check_dense(real)
    shapes.check(real.shape, model)
    _check_present(model, labels is not None)
    if model.conditional and isinstance(labels, tf.TensorSpec):
        _check_label_spec(model, labels)


def check_array(array: np.ndarray, labels: Any, model: Any) -> None:
    """Raises on arrays that cannot be trained on.

    Args:
        array: Data (n, ...).
        labels: Labels (n, ...) or None.
        model: The `GAN` that is to train on them.

    Raises:
        ValueError: On empty, non-finite or misshapen data; on labels that are missing,
            too many, misshapen or out of range.
    """
    if array.shape[:1] == (0,):
        raise ValueError(
            "The data must have at least one example. Received: an array of shape "
            f"{array.shape}. Check the slice or filter that made it."
        )
    shapes.check(tf.TensorShape(array.shape), model)
    _check_present(model, labels is not None)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ValueError(
            "The data must be finite. Received: an array with "
            f"{bad} NaN or infinite value(s) of {array.size}. Drop or replace "
            "them, for instance with np.nan_to_num."
        )
    if model.conditional:
        check_labels(labels, len(array), model)


def check_batch(real: Any, labels: Any, model: Any) -> None:
    """Raises if one batch, seen while tracing, does not fit the networks.

    Args:
        real: Tensor of real data.
        labels: Tensor of labels, or None.
        model: The `GAN` whose networks are meant.

    Raises:
        ValueError: On a shape that does not fit, or labels that are missing.
    """
    structured_data.check_dense(real)
    shapes.check(real.shape, model)
    _check_present(model, labels is not None)
    if labels is not None and model.conditional:
        _check_label_spec(model, labels)


def check_labels(labels: Any, number: Any, model: Any) -> None:
    """Raises unless labels that are known up front fit a model's networks.

    Args:
        labels: Array or tensor (n, ...).
        number: Number of examples they belong to.
        model: A class-conditional `GAN`.

    Raises:
        ValueError: If they are misshapen, too many or too few, no numbers, or out of
            the range of classes that the networks know.
    """
    labels = np.asarray(labels)
    networks = model.discriminator_network, model.generator_network
    for network in networks:
        labelling.check_shape(labels.shape, tuple(network.label_input.shape))
    dtype = model.generator_network.label_input.dtype
    labelling.check_values(labels, number, model.num_classes, dtype)


def _check_present(model: Any, present: bool) -> None:
    if model.conditional and not present:
        raise ValueError(
            "Class-conditional networks need elements (data, labels). Received: data "
            "without labels. Zip the labels in: tf.data.Dataset.from_tensor_slices("
            "(images, labels)), or fit(images, labels)."
        )


def _check_label_spec(model: Any, labels: Any) -> None:
    """Raises unless labels of which only shape and dtype are known can fit."""
    for network in (model.discriminator_network, model.generator_network):
        if labels.shape.rank is not None:
            expected = tuple(network.label_input.shape)
            labelling.check_shape(tuple(labels.shape), expected)
    if not (
        labels.dtype.is_floating or labels.dtype.is_integer or labels.dtype.is_bool
    ):
        raise ValueError(
            "Labels must be numbers. Received: labels of dtype "
            f"{labels.dtype.name}. Number the classes from 0, for instance with "
            "keras.layers.StringLookup(num_oov_indices=0)."
        )


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
