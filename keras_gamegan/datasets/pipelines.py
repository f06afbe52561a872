"""Examples of a `tf.data.Dataset` as a shuffled stream."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import resizing, stream

_MEMORY_LIMIT = 4 * 2**30


def from_dataset(
    dataset: tf.data.Dataset,
    image_key: str | None = None,
    label_key: str | None = None,
    *,
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    seed: int = 0,
    shuffle: bool = True,
    drop_remainder: bool = True,
) -> stream.ShuffledStream:
    """Reads a finite data set into memory, as batches that `fit` can resume in exactly.

    For the dictionaries that TensorFlow Datasets yields, and for any other pipeline of
    which a run is to be a function of its seeds: the pipeline's own order is not, as
    `tf.data` cannot be entered in the middle. Images of type uint8 take one byte a
    channel and are scaled to [-1, 1] batch by batch; data of a floating type are taken
    as they are. Data larger than memory are trained on as they are: map the pipeline to
    what the networks take, and batch it.

    Args:
        dataset: Its elements are single examples: images, tuples (image, label), or
            dictionaries.
        image_key: Name of the data in a dictionary. Default: None, "image" if it is
            there.
        label_key: Name of the labels in a dictionary; with it the batches are (images,
            labels). Tuples have labels without it. Default: None, images alone.
        image_size: Side in pixels, or (height, width): the largest centred part of that
            shape is resized, antialiased. Default: None, images as they are, all of one
            size.
        batch_size: Examples in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives another order. Default: 0.
        shuffle: Whether to shuffle. Default: True.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch.
            Default: True.

    Returns:
        A `ShuffledStream`, which `fit` takes.

    Raises:
        TypeError: If it is no `tf.data.Dataset`, its labels are no integers, or an
            argument has the wrong type.
        ValueError: If it has no such key, no end, no example, elements that are
            batches or have more than three axes, images of several sizes while
            `image_size` is None, or more than 4 GiB.

    Example:
        >>> import keras_gamegan as kgg, numpy as np, tensorflow as tf
        >>> images = np.zeros((8, 28, 28, 1), np.uint8)
        >>> examples = {"image": images, "label": np.arange(8)}
        >>> dataset = tf.data.Dataset.from_tensor_slices(examples)
        >>> stream = kgg.datasets.from_dataset(dataset, "image", "label", batch_size=4)
        >>> [part.shape for part in stream.batch(0)]
        [TensorShape([4, 28, 28, 1]), TensorShape([4])]
    """
    validation.check_integer("batch_size", batch_size)
    validation.check_seed("seed", seed)
    validation.check_flag("shuffle", shuffle)
    validation.check_flag("drop_remainder", drop_remainder)
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "`dataset` must be a tf.data.Dataset. Received: "
            f"dataset={dataset!r} (of type {type(dataset).__name__}). Pass arrays to "
            "kgg.datasets.ShuffledStream."
        )
    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "`dataset` must end, to be read into memory. Received: an endless one. "
            "Leave out its repeat(), or take(n) of it."
        )
    size = None if image_size is None else resizing.as_size(image_size)
    specs = _chosen(dataset.element_spec, image_key, label_key)
    _check_examples(specs[0], size)
    if specs[1] is not None:
        _check_label(specs[1])

    def select(*element: Any) -> Any:
        image, label = _chosen(
            element[0] if len(element) == 1 else element, image_key, label_key
        )
        if size is not None:
            image = resizing.crop_and_resize(image, size)
        return image if label is None else (image, label)

    examples = dataset.map(
        select, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    images, labels = _read(examples, specs[1] is not None)
    return stream.ShuffledStream(
        images,
        labels,
        batch_size,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        seed=seed,
    )


def _chosen(
    element: Any, image_key: str | None, label_key: str | None
) -> tuple[Any, ...]:
    """Returns the (image, label or None) of an element, or of its specification."""
    if isinstance(element, dict):
        keys = {"image_key": image_key or "image"}
        if label_key is not None:
            keys["label_key"] = label_key
        for argument, key in keys.items():
            if key not in element:
                raise ValueError(
                    f"`{argument}` must be a key of the elements. Received: "
                    f"{argument}={key!r}, but they have only {sorted(element)}."
                )
        label = None if label_key is None else element[label_key]
        return element[keys["image_key"]], label
    for argument, given in (("image_key", image_key), ("label_key", label_key)):
        if given is not None:
            raise ValueError(
                f"`{argument}` belongs to elements that are dictionaries. Received: "
                f"{argument}={given!r} for elements {element!r}. Leave it out."
            )
    if isinstance(element, (tuple, list)):
        if len(element) not in (1, 2):
            raise ValueError(
                "Elements must be images, (image, label), or dictionaries. Received: "
                f"a tuple of {len(element)}. Map them: dataset.map(...)."
            )
        return (*element, None)[:2]
    return element, None


def _check_examples(spec: tf.TensorSpec, size: tuple[int, int] | None) -> None:
    kind = getattr(spec, "dtype", None)
    if kind is None or not (kind == tf.uint8 or kind.is_floating):
        raise TypeError(
            "Images must be uint8 in [0, 255], data of a floating type. Received: "
            f"{spec!r}. Map them: dataset.map(...)."
        )
    if spec.shape.rank is not None and spec.shape.rank > 3:
        raise ValueError(
            "Elements must be single examples, of up to three axes: images (height, "
            f"width, channels). Received: elements of shape {spec.shape}. Take batches "
            "apart by dataset.unbatch(). Examples of more axes go as arrays into "
            "kgg.datasets.ShuffledStream."
        )
    if size is None:
        if spec.shape.rank is not None and None in spec.shape:
            raise ValueError(
                "`image_size` must be given where images differ in size, and elements "
                f"must be single examples. Received: images of shape {spec.shape} with "
                "image_size=None. Pass image_size=64, for example, or unbatch() first."
            )
    elif spec.shape.rank != 3 or kind != tf.uint8:
        raise ValueError(
            "`image_size` resizes single uint8 images (height, width, channels). "
            f"Received: {spec!r}. Batches are taken apart by dataset.unbatch()."
        )


def _check_label(spec: Any) -> None:
    if not isinstance(spec, tf.TensorSpec) or not spec.dtype.is_integer:
        raise TypeError(
            f"Labels must be integers, the numbers of classes. Received: {spec!r}. Map "
            'them: dataset.map(lambda image, label: (image, label["class"])) of a '
            "dictionary, for instance; or tf.cast(label, tf.int32)."
        )
    if spec.shape.rank is not None and spec.shape not in ((), (1,)):
        raise ValueError(
            "Elements must be single examples, with one label each. Received: "
            f"labels of shape {spec.shape}. Take batches apart by dataset.unbatch(); "
            "make class numbers of one-hot vectors: tf.argmax(label)."
        )


def _read(
    examples: tf.data.Dataset, with_labels: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    images, labels, total = [], [], 0
    for batch in examples.batch(256).as_numpy_iterator():
        images.append(batch[0] if with_labels else batch)
        if with_labels:
            labels.append(batch[1])
        total += images[-1].nbytes
        if total > _MEMORY_LIMIT:
            raise ValueError(
                f"The examples must fit into {_MEMORY_LIMIT / 2**30:.0f} GiB of "
                f"memory. Received: more than {sum(map(len, images)) - 1} examples of "
                f"shape {images[0].shape[1:]}. Pass a smaller image_size or take(n) of "
                "the data set; or train on it as it is, mapped and batched."
            )
    if not images:
        raise ValueError("`dataset` must have an example. Received: an empty one.")
    return np.concatenate(images), np.concatenate(labels) if with_labels else None
