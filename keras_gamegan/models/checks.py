"""Checks of networks and data, before a step is traced or a weight is made."""

import math
import warnings

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.models import pairing

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
_SQUASHING = ("sigmoid", "softmax", "hard_sigmoid", "tanh")


def check_networks(discriminator, generator):
    """Raises unless the two networks can play against each other.

    Args:
        discriminator: Keras model, data [, labels] -> one logit.
        generator: Keras model, latents [, labels] -> data.

    Raises:
        TypeError: If one is not a Keras model.
        ValueError: If one is not built, they share layers, shapes do not fit, or the
            discriminator does not end in one logit.
    """
    for name, network in (("discriminator", discriminator), ("generator", generator)):
        _check_network(name, network)
    _check_not_shared(discriminator, generator)
    if len(discriminator.inputs) != len(generator.inputs):
        raise ValueError(
            "Both networks must be unconditional (one input) or both class-conditional "
            "(data or latents, then labels). "
            f"Received: a discriminator with {len(discriminator.inputs)} input(s) and "
            f"a generator with {len(generator.inputs)}. Give labels to both or to none."
        )
    logit_shape = tuple(discriminator.outputs[0].shape)
    if logit_shape not in ((None,), (None, 1)):
        raise ValueError(
            "The discriminator must end in one logit per example, of shape (None, 1). "
            f"Received: a discriminator whose output has shape {logit_shape}. End it "
            "with keras.layers.Dense(1), after Flatten or global pooling."
        )
    labels, _ = pairing.label_indices(discriminator, generator)
    judged = discriminator.inputs[1 - labels].shape
    made = generator.outputs[0].shape
    if not _compatible(made, judged):
        raise ValueError(
            "The generator's output must fit the discriminator's input. "
            f"Received: a generator that returns shape {tuple(made)} and a "
            f"discriminator that takes {tuple(judged)}. Change one of the two."
        )
    activation = last_activation(discriminator)
    if activation in _SQUASHING:
        warnings.warn(
            "The discriminator should return a logit, since every loss here works on "
            f"logits. Received: a last activation of {activation!r}. Remove it: "
            "keras.layers.Dense(1).",
            UserWarning,
            stacklevel=4,
        )


def check_updates(updates, discriminator_steps, generator_steps):
    """Raises if simultaneous updates are asked to take several steps of one player."""
    if updates == "simultaneous" and (discriminator_steps, generator_steps) != (1, 1):
        raise ValueError(
            'updates="simultaneous" takes one step of each player at one point. '
            f"Received: discriminator_steps={discriminator_steps}, "
            f"generator_steps={generator_steps}. Use 1 and 1, or "
            'updates="alternating".'
        )


def latent_shape(latents, latent_dim):
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
    if validation.check_integer("latent_dim", latent_dim) != math.prod(shape):
        raise ValueError(
            "`latent_dim` must be the size of the generator's latent input. "
            f"Received: latent_dim={latent_dim!r}, but the generator takes latents of "
            f"shape {shape}. Leave latent_dim out: it is inferred."
        )
    return shape


def last_activation(network):
    """Returns the name of a network's last activation, or None if it has none."""
    if not network.layers:
        return None
    for layer in reversed(network.layers):
        if isinstance(layer, (keras.layers.Reshape, keras.layers.Flatten)):
            continue
        if isinstance(layer, keras.Model):
            return last_activation(layer)
        if isinstance(layer, keras.layers.Wrapper):
            layer = layer.layer
        activation = getattr(layer, "activation", None)
        if activation is None:
            name = type(layer).__name__.lower()
            return {"relu": "relu", "softmax": "softmax"}.get(name)
        name = getattr(activation, "__name__", None)
        return None if name == "linear" else name
    return None


def reachable_range(generator):
    """Returns (lowest, highest) value of the generator's last activation, or None."""
    return _RANGES.get(last_activation(generator))


def check_data(x, networks_input, conditional, y=None):
    """Raises on data that cannot be trained on, where that can be seen in advance.

    Args:
        x: What `fit` got: array, tensor, tf.data.Dataset, generator, ...
        networks_input: The discriminator's data input (a KerasTensor).
        conditional: Whether the networks take labels.
        y: Labels given apart, or None.

    Raises:
        ValueError: On empty, non-finite or misshapen data, or missing labels.
    """
    if isinstance(x, tf.data.Dataset):
        if int(x.cardinality()) == 0:
            raise ValueError(
                "The data set must have at least one batch. Received: a "
                "tf.data.Dataset of cardinality 0. If drop_remainder=True, the batch "
                "size may exceed the number of examples."
            )
        spec = x.element_spec
        parts = spec if isinstance(spec, (tuple, list)) else (spec,)
        if isinstance(parts[0], tf.TensorSpec):
            _check_shape(parts[0].shape, networks_input.shape)
        _check_labels(conditional, len(parts) > 1)
    elif isinstance(x, np.ndarray) or tf.is_tensor(x):
        if x.shape[0] == 0:
            raise ValueError(
                "The data must have at least one example. Received: an array of shape "
                f"{tuple(x.shape)}. Check the slice or filter that made it."
            )
        _check_shape(tf.TensorShape(x.shape), networks_input.shape)
        _check_labels(conditional, y is not None)
        array = np.asarray(x)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = int(array.size - np.isfinite(array).sum())
            raise ValueError(
                "The data must be finite. Received: an array with "
                f"{bad} NaN or infinite value(s) of {array.size}. Drop or replace "
                "them, for instance with np.nan_to_num."
            )


def check_batch(real, labels, networks_input, conditional):
    """Raises if one batch, seen while tracing, does not fit the networks."""
    _check_shape(real.shape, networks_input.shape)
    _check_labels(conditional, labels is not None)


def _check_labels(conditional, present):
    if conditional and not present:
        raise ValueError(
            "Class-conditional networks need elements (data, labels). Received: data "
            "without labels. Zip the labels in: tf.data.Dataset.from_tensor_slices("
            "(images, labels)), or fit(images, labels)."
        )


def _check_shape(shape, expected):
    expected = tuple(expected)
    if not _compatible(tuple(shape) if shape.rank is not None else expected, expected):
        raise ValueError(
            f"The data must come in batches of shape {expected}, as the discriminator "
            f"takes it. Received: shape {tuple(shape)}. Batch the data set, and add a "
            "channel axis to grey images: images[..., None]."
        )


def _check_network(name, network):
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"`{name}` must be a keras.Model (functional or Sequential). "
            f"Received: {name}={network!r} (of type {type(network).__name__})."
        )
    if not network.built or not getattr(network, "inputs", None):
        raise ValueError(
            f"`{name}` must be a functional or Sequential model with known input "
            f"shapes. Received: {name}={network.name!r}, which is not built. Give a "
            "Sequential model a keras.Input as its first layer."
        )
    if len(network.inputs) not in (1, 2) or len(network.outputs) != 1:
        raise ValueError(
            f"`{name}` must have one input, or two if class-conditional, and one "
            f"output. Received: {len(network.inputs)} inputs and "
            f"{len(network.outputs)} outputs."
        )


def _check_not_shared(discriminator, generator):
    owned = {id(variable) for variable in discriminator.variables}
    shared = [v.path for v in generator.variables if id(v) in owned]
    if shared or discriminator is generator:
        raise ValueError(
            "The networks must not share layers: each player owns its weights. "
            f"Received: networks that share {shared or 'everything'}. Build two."
        )


def _compatible(shape, expected):
    return len(shape) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(shape, expected, strict=True)
    )
