"""Whether data can be trained on, before a step is traced, and what is wrong if not."""

import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import labelling


def check_not_empty(dataset: tf.data.Dataset) -> None:
    """Raises if a data set is known to have no batch."""
    if int(dataset.cardinality()) == 0:
        raise ValueError(
            "The data set must have at least one batch. Received: a "
            "tf.data.Dataset of cardinality 0. If drop_remainder=True, the batch "
            "size may exceed the number of examples."
        )


def check_dense(data: Any) -> None:
    """Raises unless a tensor, an array or the specification of one can hold data.

    Raises:
        TypeError: If it is sparse, ragged, or holds no numbers.
    """
    dense = isinstance(data, (tf.TensorSpec, np.ndarray)) or tf.is_tensor(data)
    if not dense or isinstance(data, (tf.SparseTensor, tf.RaggedTensor)):
        raise TypeError(
            "A data set must yield dense tensors. Received: elements of type "
            f"{type(data).__name__}. Convert them: dataset.map(tf.sparse.to_dense), or "
            ".to_tensor() of ragged ones."
        )
    dtype = tf.as_dtype(data.dtype)
    if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
        raise TypeError(
            "A data set must yield real numbers. Received: elements of dtype "
            f"{dtype.name}. Decode them in dataset.map(...), for instance images "
            "with tf.io.decode_image."
        )


def check_finite(what: str, array: np.ndarray) -> None:
    """Raises if an array holds numbers that are not finite.

    Args:
        what: What the data are, for the message.
        array: Array of any dtype.

    Raises:
        ValueError: If so.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ValueError(
            f"{what} must be finite. Received: an array with {bad} NaN or "
            f"infinite value(s) of {array.size}. Drop or replace them, for "
            "instance with np.nan_to_num."
        )


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
    check_not_empty(dataset)
    check_dense(real)
    check_shape(real.shape, model)
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
    check_shape(tf.TensorShape(array.shape), model)
    _check_present(model, labels is not None)
    check_finite("The data", array)
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
    check_dense(real)
    check_shape(real.shape, model)
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


def check_shape(shape: tf.TensorShape, model: Any) -> None:
    """Raises unless batches of a shape can be trained on.

    Args:
        shape: `tf.TensorShape` of the real data, with the batch's axis.
        model: A `GAN`.

    Raises:
        ValueError: If the shape does not fit, with the hint that fits the difference.
    """
    expected = data_shape(model)
    if _fit(shape, expected):
        return
    whose = "the discriminator takes it"
    if _fit(shape, model.discriminator_network.main_input.shape):
        whose = "the generator makes it (the discriminator takes any size)"
    raise ValueError(
        f"The data must come in batches of shape {expected}, as {whose}. "
        f"Received: shape {tuple(shape)}. {hint(tuple(shape), expected)}"
    )


def data_shape(model: Any) -> tuple[int | None, ...]:
    """Returns the shape of the data both networks agree on, None where it is open.

    A discriminator of open size takes any image; but real ones are concatenated with
    generated ones, so what the generator makes holds for both.

    Args:
        model: A `GAN`.
    """
    judged = model.discriminator_network.main_input.shape
    made = model.generator_network.output.shape
    sizes = zip(judged[1:], made[1:], strict=True)
    return (None, *(b if a is None else a for a, b in sizes))


def hint(shape: Sequence[int | None], expected: Sequence[int | None]) -> str:
    """Returns how to mend data of one shape for networks of another.

    Args:
        shape: Shape of the data, with the batch's axis.
        expected: Shape that is wanted, likewise.
    """
    missing = len(expected) - len(shape)
    if missing == 1:
        found = _one_axis_less(shape, expected[1:])
    elif missing == 0:
        found = _other_sizes(shape[1:], expected[1:])
    elif missing == -1:
        found = _one_axis_more(shape, expected[1:])
    else:
        found = None
    return (
        found
        or _flattened(shape[1:], expected[1:])
        or "Give the data that shape, or build the networks for this one."
    )


def _one_axis_less(
    shape: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if _fit(shape, wanted):
        return "Batch the data set: dataset.batch(32). One array: array[None]."
    if len(wanted) > 1 and _fit(shape[1:], wanted[:-1]):
        if wanted[-1] == 1:
            return "Add a channel axis to grey images: images[..., None]."
        return (
            "The images are grey and have no channel axis: "
            f"np.repeat(images[..., None], {wanted[-1]}, axis=-1), or build the "
            "networks for one channel."
        )
    return None


def _one_axis_more(
    shape: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if shape[-1] == 1 and _fit(shape[1:-1], wanted):
        return "Drop the last axis: np.squeeze(data, axis=-1)."
    if shape[1] == 1 and _fit(shape[2:], wanted):
        return "Drop the second axis: np.squeeze(data, axis=1)."
    if _fit(shape[2:], wanted):
        return "The data seems to be batched twice: leave out one `.batch(...)`."
    return None


def _other_sizes(
    given: Sequence[int | None], wanted: Sequence[int | None]
) -> str | None:
    if len(wanted) == 1:
        return (
            f"The data has {given[0]} coordinates: build the networks for them, for "
            f"instance kgg.networks.mlp_pair(data_dim={given[0]})."
        )
    if _fit((*given[1:], given[0]), wanted):
        return "The channels come first: np.moveaxis(images, 1, -1)."
    if _fit((given[-1], *given[:-1]), wanted):
        return "The networks take the channels first: np.moveaxis(images, -1, 1)."
    if not _fit(given[:-1], wanted[:-1]):
        return (
            "The images have another size: resize them, for instance with "
            f"keras.ops.image.resize(images, {tuple(wanted[:-1])}), or build the "
            "networks for this one."
        )
    return _CHANNELS.get((given[-1], wanted[-1]))


# (Channels of the data, channels wanted) -> what to do.
_CHANNELS: dict[tuple[int | None, int | None], str] = {
    (4, 3): "Images of 4 channels are RGBA as a rule: drop alpha, images[..., :3].",
    (1, 3): (
        "The images are grey: np.repeat(images, 3, axis=-1), or build the networks for "
        "1 channel."
    ),
    (3, 1): (
        "The images are in colour: images.mean(axis=-1, keepdims=True), or build the "
        "networks for 3 channels."
    ),
    (4, 1): "The images are RGBA: images[..., :3].mean(axis=-1, keepdims=True).",
    (2, 1): "The images are grey with alpha: drop that, images[..., :1].",
}


def _flattened(given: Sequence[Any], wanted: Sequence[Any]) -> str | None:
    if None in given or None in wanted or math.prod(given) != math.prod(wanted):
        return None
    return f"The sizes agree: data.reshape({(-1, *wanted)})."


def _fit(shape: Any, expected: Any) -> bool:
    """Whether two shapes may be the same, None being any size."""
    return tf.TensorShape(shape).is_compatible_with(expected)


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


def warn_of_range(found: Iterable[float], reachable: tuple[float, float]) -> None:
    """Warns once if real data lie outside what the generator can produce."""
    lowest, highest = (float(number) for number in found)
    low, high = reachable
    slack = 1e-3 * (high - low) if math.isfinite(high - low) else 1e-3
    if lowest < low - slack or highest > high + slack:
        warnings.warn(
            f"The real data range over [{lowest:g}, {highest:g}], but the generator's "
            f"last activation only reaches [{low:g}, {high:g}]: the discriminator can "
            "tell them apart by that alone. Rescale the data (images: x / 127.5 - 1 "
            "for tanh), or change the activation.",
            UserWarning,
            stacklevel=2,
        )
    elif low == -1.0 and high == 1.0 and 0.0 <= lowest < highest:
        warnings.warn(
            f"The real data range over [{lowest:g}, {highest:g}], half of the [-1, 1] "
            "that the generator's last activation reaches. Scale the data to all of it "
            "(images: x / 127.5 - 1), or let the generator end in a sigmoid.",
            UserWarning,
            stacklevel=2,
        )
