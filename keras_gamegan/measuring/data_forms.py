"""The forms in which real data may be handed over to be measured on."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan.datasets import arrays, stream
from keras_gamegan.models.step import labelled_data, structured_data
from keras_gamegan.typing import Structure

FORMS = (
    "an array, a pair (array, labels), or batches of them: a tf.data.Dataset, a "
    "keras.utils.PyDataset, a kgg.datasets.ShuffledStream or a generator"
)


def batches(
    name: str, data: Any, inputs: list, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yields data in any form as batches (data, labels or None) of NumPy arrays.

    Elements may be data, (data,), (data, labels), (data, labels, weights) of which the
    weights are of no use here, or dictionaries by the names of the network's inputs.
    Labels of shape (n, 1) or (n,) get the shape that the network takes. A data set that
    can be entered anywhere is read from its beginning, and does not move by that.

    Args:
        name: The argument's name, for messages.
        data: Array, pair, `tf.data.Dataset`, `keras.utils.PyDataset`, `ShuffledStream`,
            dictionary of arrays, or generator of batches that ends.
        inputs: Inputs of the discriminator: data [, labels].
        size: Examples in a batch that is cut from arrays.

    Raises:
        ValueError: If the data are in no such form, do not end, or do not fit the
            inputs.
    """
    elements = _elements(name, data, lambda: _of_arrays(name, data, inputs, size))
    for element in elements:
        part, labels = _split(name, element, inputs)
        part = _array(name, part)
        _check_shape(name, part, inputs[0])
        if len(inputs) == 1:
            yield part, None
            continue
        if labels is None:
            raise ValueError(
                f"`{name}` must come with labels for a class-conditional model. "
                "Received: data alone. Pass a pair (data, labels), or batches of such."
            )
        yield part, _fit_labels(name, np.asarray(labels), len(part), inputs[1])


def elements_of(model: Any, name: str, data: Any) -> Iterator[Structure]:
    """Yields data in any form as the examples of a model: structures of arrays.

    Args:
        model: A `TwoPlayerModel`.
        name: The argument's name, for messages.
        data: As in `batches`; of a model that is no GAN in the structure that its game
            takes, arrays or batches.
    """
    if isinstance(model._data_form, labelled_data.LabelledData):
        inputs = model.discriminator_network.inputs
        for part, labels in batches(name, data, inputs, sys.maxsize):
            yield (part,) if labels is None else (part, labels)
        return
    for element in _elements(name, data, lambda: iter([data])):
        if element is data and isinstance(data, list):
            element = tuple(data)
        (checked,) = model._data_form.of_arrays(f"`{name}`", element, None)
        yield structured_data.as_element(checked)


def _elements(name: str, data: Any, of_arrays: Callable[[], Iterator]) -> Iterator:
    """Yields the batches of a form, each still as the form has it."""
    if isinstance(data, stream.ShuffledStream):
        return (data.batch(step) for step in range(data.steps_per_epoch))
    if isinstance(data, tf.data.Dataset):
        return _of_dataset(name, data)
    if isinstance(data, keras.utils.PyDataset):
        number = data.num_batches
        if number is None:
            raise ValueError(
                f"`{name}` must be finite. Received: an endless PyDataset. Set its "
                "`num_batches`."
            )
        return (data[index] for index in range(number))
    if isinstance(data, Iterator):
        return _of_iterator(name, data)
    if isinstance(data, (str, bytes)) or data is None:
        raise ValueError(
            f"`{name}` must be {FORMS}. Received: {name}={data!r}. Load the data first."
        )
    return of_arrays()


def _of_dataset(name: str, dataset: tf.data.Dataset) -> Iterator:
    # A seekable data set would go on where it was left, here and in `fit`.
    beginning = getattr(dataset, "starting_at", None)
    dataset = dataset if beginning is None else beginning(0)
    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"`{name}` must be finite. Received: an endless tf.data.Dataset. Use "
            "dataset.take(number_of_batches)."
        )
    return dataset.as_numpy_iterator()


def _of_iterator(name: str, iterator: Iterator) -> Iterator:
    found = False
    for element in iterator:
        found = True
        yield element
    if not found:
        raise ValueError(
            f"`{name}` must have at least one example. Received: a generator without "
            "batches, or one that was read before. Pass a new one, or a data set that "
            "can be read again."
        )


def _of_arrays(name: str, data: Any, inputs: Any, size: Any) -> Iterator:
    """Cuts arrays into batches."""
    examples = isinstance(data, (tuple, list)) and _are_examples(data, inputs[0])
    if examples and hasattr(data[0], "shape"):
        raise ValueError(
            f"`{name}` must be {FORMS}. Received: a {type(data).__name__} of "
            f"{len(data)} single examples. Make it one array: np.stack({name})."
        )
    data = np.asarray(data) if examples else data
    data, labels = _split(name, data, inputs)
    data = _array(name, data)
    arrays.check_unmasked(f"Labels of `{name}`", labels)
    labels = None if labels is None else np.asarray(labels)
    if labels is not None and len(labels) != len(data):
        _raise_count(name, len(data), len(labels))
    for begin in range(0, len(data), size):
        part = slice(begin, begin + size)
        yield data[part], None if labels is None else labels[part]


def _are_examples(parts: Any, expected: Any) -> bool:
    """Whether all parts have the shape of one example."""
    shape = tuple(expected.shape)[1:]
    return len(parts) > 0 and all(
        tf.TensorShape(np.shape(part)).is_compatible_with(shape) for part in parts
    )


def _split(name: str, element: Any, inputs: Any) -> tuple:
    """Returns (data, labels or None) of a batch."""
    if isinstance(element, Mapping):
        names = [each.name for each in inputs]
        if not set(names) <= set(element):
            rank = len(inputs[0].shape)
            # What looks like the data stands first in the example.
            keys = sorted(element, key=lambda key: np.ndim(element[key]) != rank)
            pair = ", ".join(f"e[{key!r}]" for key in keys[: len(inputs)])
            raise ValueError(
                f"`{name}` must come as data or (data, labels), or as dictionaries "
                f"with keys {names}, the names of the discriminator's inputs. "
                f"Received: keys {keys}. Map them: dataset.map(lambda e: "
                f"{pair if len(inputs) == 1 else f'({pair})'})."
            )
        return (*(element[each] for each in names), None)[:2]
    if isinstance(element, (tuple, list)):
        if len(element) == 1:
            return _split(name, element[0], inputs)
        if len(element) in (2, 3):
            return tuple(element[:2])
        raise ValueError(
            f"`{name}` must come as data or (data, labels). Received: a "
            f"{type(element).__name__} of {len(element)} parts. Make them one array: "
            "np.stack, or np.concatenate for batches."
        )
    return element, None


def _array(name: str, data: Any) -> np.ndarray:
    arrays.check_unmasked(f"`{name}`", data)
    array = np.asarray(data)
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise ValueError(
            f"`{name}` must hold numbers. Received: an object of type "
            f"{type(data).__name__}, as an array of dtype {array.dtype}. It may be "
            f"{FORMS}."
        )
    return array


def _check_shape(name: str, array: np.ndarray, expected: Any) -> None:
    shape = tuple(expected.shape)
    if tf.TensorShape(array.shape).is_compatible_with((None, *shape[1:])):
        return
    fix = "Resize the data, or add a channel axis to grey images: images[..., None]."
    if tf.TensorShape(array.shape).is_compatible_with(shape[1:]):
        fix = "That is one example. Batch the data set: dataset.batch(64)."
    raise ValueError(
        f"`{name}` must come in batches of shape {shape}, as the discriminator takes "
        f"them. Received: shape {array.shape}. {fix}"
    )


def _fit_labels(name: str, labels: Any, number: Any, expected: Any) -> np.ndarray:
    shape = tuple(expected.shape)[1:]
    if not labels.ndim or len(labels) != number:
        _raise_count(name, number, len(labels) if labels.ndim else 1)
    if shape in ((), (1,)) and labels.shape[1:] in ((), (1,)):
        return labels.reshape(number, *shape)
    if not tf.TensorShape(labels.shape[1:]).is_compatible_with(shape):
        raise ValueError(
            f"The labels of `{name}` must have shape {(None, *shape)}, as the "
            f"discriminator takes them. Received: shape {labels.shape}. Pass class "
            "numbers where it embeds them, or one-hot rows where it takes those."
        )
    return labels


def _raise_count(name: str, number: Any, labels: Any) -> None:
    raise ValueError(
        f"`{name}` must have one label for every example. Received: {number} examples "
        f"and {labels} labels. Make both of the same rows."
    )
