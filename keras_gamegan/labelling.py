"""Labels of class-conditional networks: what they take, and what does not fit them.

Labels of shape (n,) and (n, 1) are the same ones: data sets come with either, and
networks take either. Which of the two is given is not an error, here or elsewhere.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

# Layers that move labels about without changing them.
_TRANSPARENT = (keras.layers.Reshape, keras.layers.Flatten)
# Layers that know the number of classes, and what they call it.
_SIZES = {
    keras.layers.Embedding: "input_dim",
    keras.layers.CategoryEncoding: "num_tokens",
}
_KNOWN: tuple[type[keras.Layer], ...] = (*_SIZES, *_TRANSPARENT)


def num_classes(network: keras.Model, label_index: int = 1) -> int | None:
    """Returns the number of classes a network knows, or None if it cannot be told.

    It is known where the label input feeds a Keras `Embedding` or `CategoryEncoding`,
    directly or reshaped.

    Args:
        network: Functional Keras model; its second input, if any, are labels.
        label_index: Position of the labels, if they come first. Default: 1.
    """
    if len(network.inputs) < 2:
        return None
    labels, sizes = [network.inputs[label_index]], []
    for layer in network.layers:
        if not isinstance(layer, _KNOWN):
            continue
        if not any(layer.input is tensor for tensor in labels):
            continue
        sizes += [getattr(layer, _SIZES[t]) for t in _SIZES if isinstance(layer, t)]
        if isinstance(layer, _TRANSPARENT):
            labels.append(layer.output)
    return min(sizes, default=None)


def check_shape(shape: Sequence[int | None], expected: Sequence[int | None]) -> None:
    """Raises unless labels of a shape can be given to a network.

    Args:
        shape: Shape of the labels with the batch's axis, None where unknown.
        expected: Shape of the network's label input, likewise.

    Raises:
        ValueError: If they have another rank or size, with what is probably meant.
    """
    given, taken = _without_ones(shape[1:]), _without_ones(expected[1:])
    if len(shape) and (None in given or _fit(given, taken)):
        return
    received = f"Received: labels of shape {tuple(shape)}."
    if not taken and len(given) == 1:
        raise ValueError(
            "The networks take labels as integers, one for each example: of shape "
            f"{tuple(expected)}. {received} If they are one-hot, pass the index of the "
            "class: labels.argmax(axis=-1)."
        )
    if len(taken) == 1 and len(shape) and not given:
        raise ValueError(
            f"The networks take one-hot labels, of shape {tuple(expected)}. {received} "
            f"Pass keras.utils.to_categorical(labels, {taken[0]})."
        )
    raise ValueError(
        f"The networks take labels of shape {tuple(expected)}. {received} Reshape the "
        "labels, or change the networks' label input."
    )


def check_values(labels: Any, number: int, classes: int | None, dtype: Any) -> None:
    """Raises unless labels that are known up front can be given to the networks.

    Args:
        labels: Array (n, ...).
        number: Number of examples they belong to.
        classes: Number of classes the networks know, or None: no range is checked.
        dtype: Dtype of the networks' label input.

    Raises:
        ValueError: If they are too many or too few, no numbers, not whole where classes
            are counted, or out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim and labels.shape[0] != number:
        raise ValueError(
            "There must be one label for each example. Received: "
            f"{number} examples and {labels.shape[0]} labels. Take the labels from the "
            "same part of the data."
        )
    if labels.dtype.kind not in "biuf":
        raise ValueError(
            f"Labels must be numbers, as the networks take them ({dtype}). Received: "
            f"labels of dtype {labels.dtype}. Number the classes from 0: "
            "np.unique(labels, return_inverse=True)[1]."
        )
    if classes is None or not labels.size:
        return
    if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
        raise ValueError(
            f"Labels must be whole numbers from 0 to {classes - 1}. Received: labels "
            f"such as {labels[labels != np.floor(labels)][0]}. Give the index of the "
            "class."
        )
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        more = (
            f", or build the networks for {int(high) + 1} of them" if low >= 0 else ""
        )
        raise ValueError(
            f"Labels must be from 0 to {classes - 1}, the classes that the networks "
            f"know. Received: labels from {low:g} to {high:g}. Count classes from "
            f"0{more}."
        )


def _without_ones(shape: Sequence[int | None]) -> list[int | None]:
    return [size for size in shape if size != 1]


def _fit(given: Sequence[int | None], taken: Sequence[int | None]) -> bool:
    return len(given) == len(taken) and all(
        b is None or a == b for a, b in zip(given, taken, strict=True)
    )
