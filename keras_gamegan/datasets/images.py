"""Images through TensorFlow Datasets: in memory, scaled, in a reproducible order."""

from typing import Any, Literal, overload

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import resizing, stream, tfds_builders
from keras_gamegan.typing import PathLike, Structure

_MEMORY_LIMIT = 4 * 2**30
# Examples that the order of a data set read from disk is mixed over.
_SHUFFLE_BUFFER = 10_000


def load_images(
    name: str,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    data_dir: PathLike | None = None,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
    with_labels: bool = False,
    cache: bool = True,
    drop_remainder: bool = True,
    num_examples: int | None = None,
    download: bool = True,
) -> tf.data.Dataset:
    """Loads images of TensorFlow Datasets as batches to train on.

    What comes back goes straight into `fit`: it has the length of one epoch, and each
    iteration over it is the next epoch, in an order that depends on the seed and the
    number of the epoch alone. Use `ShuffledStream` on the result of `load_arrays` for a
    stream that can be entered at any step.

    Args:
        name: Name of a TFDS data set with a feature "image", such as "mnist",
            "fashion_mnist", "cifar10", "celeb_a".
        split: TFDS split, such as "train", "test" or "train[:80%]".
        image_size: None for images as they are; or the side in pixels, or (height,
            width): the largest centred part of that shape is resized, antialiased.
        data_dir: Folder of prepared TFDS data sets; None for TFDS's own default.
        batch_size: Number of images in a batch, the global one under a strategy.
        shuffle: Whether to shuffle.
        seed: Non-negative integer; each gives another order.
        with_labels: Whether the elements are (images, labels), as class-conditional
            networks need.
        cache: Whether to hold the images in memory, one byte a channel. If not, they
            are read from disk in every epoch and shuffled within a buffer: still in the
            same order for the same seed, but slower.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch.
        num_examples: Use only the first so many examples; None for all of the split.
        download: Whether TFDS may download and prepare a data set that is not in
            ``data_dir`` yet.

    Returns:
        A `tf.data.Dataset` of float32 images of shape (batch_size, height, width,
        channels) in [-1, 1], or of tuples of them and int32 labels of shape
        (batch_size,).

    Raises:
        ValueError: If there is no such data set, split, or feature, if the images have
            no common size and ``image_size`` is None, or if they take too much memory.
        TypeError: If an argument has the wrong type.
        FileNotFoundError: If the data set is not in ``data_dir`` and ``download`` is
            False.
        RuntimeError: If TFDS could not download it.

    Example:
        >>> import keras_gamegan as kgg
        >>> import tensorflow_datasets as tfds
        >>> with tfds.testing.mock_data(num_examples=128):
        ...     data = kgg.datasets.load_images("fashion_mnist", image_size=32)
        >>> data.element_spec.shape, len(data)
        (TensorShape([64, 32, 32, 1]), 2)
    """
    # Checked before a data set is read, which takes a while.
    validation.check_integer("batch_size", batch_size)
    validation.check_seed("seed", seed)
    for flag, value in {
        "shuffle": shuffle,
        "with_labels": with_labels,
        "cache": cache,
        "drop_remainder": drop_remainder,
    }.items():
        validation.check_flag(flag, value)
    if cache:
        arrays = load_arrays(
            name, split, image_size, data_dir, num_examples, with_labels, download
        )
        images, labels = arrays if with_labels else (arrays, None)
        return stream.ShuffledStream(
            images,
            labels,
            batch_size,
            shuffle=shuffle,
            drop_remainder=drop_remainder,
            seed=seed,
        ).epochs()

    builder = tfds_builders.prepared(name, data_dir, download)
    shape = _check_request(builder, split, image_size, num_examples, with_labels)
    files_seed = seed if shuffle else None
    examples = _examples(builder, split, shape, num_examples, with_labels, files_seed)
    if shuffle:
        examples = examples.shuffle(_SHUFFLE_BUFFER, seed=seed)
    batches = examples.batch(batch_size, drop_remainder=drop_remainder)
    return batches.map(_scaled, num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    )


@overload
def load_arrays(
    name: str,
    split: str = ...,
    image_size: int | tuple[int, int] | None = ...,
    data_dir: PathLike | None = ...,
    num_examples: int | None = ...,
    with_labels: Literal[False] = ...,
    download: bool = ...,
    memory_limit: int = ...,
) -> np.ndarray: ...


@overload
def load_arrays(
    name: str,
    split: str = ...,
    image_size: int | tuple[int, int] | None = ...,
    data_dir: PathLike | None = ...,
    num_examples: int | None = ...,
    *,
    with_labels: Literal[True],
    download: bool = ...,
    memory_limit: int = ...,
) -> tuple[np.ndarray, np.ndarray]: ...


@overload
def load_arrays(
    name: str,
    split: str = ...,
    image_size: int | tuple[int, int] | None = ...,
    data_dir: PathLike | None = ...,
    num_examples: int | None = ...,
    with_labels: bool = ...,
    download: bool = ...,
    memory_limit: int = ...,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...


def load_arrays(
    name: str,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    data_dir: PathLike | None = None,
    num_examples: int | None = None,
    with_labels: bool = False,
    download: bool = True,
    memory_limit: int = _MEMORY_LIMIT,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Loads images of TensorFlow Datasets into memory, in the order of the files.

    For metrics, which want a fixed set of real images, and as the source of a
    `ShuffledStream`.

    Args:
        name: Name of a TFDS data set with a feature "image".
        split: TFDS split, such as "train", "test" or "train[:80%]".
        image_size: None for images as they are; or the side in pixels, or (height,
            width): the largest centred part of that shape is resized, antialiased.
        data_dir: Folder of prepared TFDS data sets; None for TFDS's own default.
        num_examples: Load only the first so many examples; None for all of the split.
        with_labels: Whether to return the labels too.
        download: Whether TFDS may download and prepare a data set that is not in
            ``data_dir`` yet.
        memory_limit: Number of bytes that the images may take.

    Returns:
        A uint8 array of shape (num_examples, height, width, channels), or a tuple of it
        and an int32 array of shape (num_examples,).

    Raises:
        ValueError: If there is no such data set, split, or feature, if the images have
            no common size and ``image_size`` is None, or if they take too much memory.
        TypeError: If an argument has the wrong type.
        FileNotFoundError: If the data set is not in ``data_dir`` and ``download`` is
            False.
        RuntimeError: If TFDS could not download it.

    Example:
        >>> import keras_gamegan as kgg
        >>> import tensorflow_datasets as tfds
        >>> with tfds.testing.mock_data(num_examples=20):  # Random pixels, no download.
        ...     images = kgg.datasets.load_arrays("mnist", num_examples=10)
        >>> images.shape, images.dtype
        ((10, 28, 28, 1), dtype('uint8'))
    """
    validation.check_flag("with_labels", with_labels)
    builder = tfds_builders.prepared(name, data_dir, download)
    shape = _check_request(builder, split, image_size, num_examples, with_labels)
    examples = _examples(builder, split, shape, num_examples, with_labels)
    _check_memory(name, split, examples, shape, memory_limit)
    images, labels = [], []
    for batch in examples.batch(1024).as_numpy_iterator():
        images.append(batch[0] if with_labels else batch)
        if with_labels:
            labels.append(batch[1])
    if with_labels:
        return np.concatenate(images), np.concatenate(labels)
    return np.concatenate(images)


def _check_request(
    builder: Any,
    split: str,
    image_size: int | tuple[int, int] | None,
    num_examples: int | None,
    with_labels: bool,
) -> tuple[int, int, int]:
    """Checks what is asked of a data set; returns the shape of its images."""
    import tensorflow_datasets as tfds

    features = dict(builder.info.features.items())
    image = features.get("image")
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8:
        raise ValueError(
            '`name` must be a data set with a feature "image" of 8-bit images. '
            f"Received: name={builder.name!r}, whose features are {sorted(features)}. "
            "Load it with `tfds.load` and pass arrays to `ShuffledStream` instead."
        )
    label = features.get("label")
    if with_labels and not isinstance(label, tfds.features.ClassLabel):
        raise ValueError(
            '`with_labels=True` needs a data set with a feature "label" of classes. '
            f"Received: name={builder.name!r}, whose features are {sorted(features)}. "
            "Pass with_labels=False."
        )
    if num_examples is not None:
        validation.check_integer("num_examples", num_examples)
    if not isinstance(split, str):
        raise TypeError(
            "`split` must be a string such as 'train', 'test' or 'train[:80%]'. "
            f"Received: split={split!r}."
        )
    # Where TFDS is mocked no splits are known, and every name will do.
    if builder.info.splits:
        try:
            if not builder.info.splits[split].num_examples:
                raise ValueError("It has no examples.")
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"`split` must be a split of {builder.name!r}, or a slice of one: "
                f"{sorted(builder.info.splits)}. Received: split={split!r} "
                f"({error}). Slices look like 'train[:80%]'."
            ) from error
    if image_size is not None:
        return (*resizing.as_size(image_size), image.shape[-1])
    if None in image.shape:
        raise ValueError(
            "`image_size` must be given for a data set whose images differ in size. "
            f"Received: image_size=None for {builder.name!r}, whose images have the "
            f"shape {image.shape}. Pass image_size=64, for example."
        )
    return image.shape


def _examples(
    builder: Any,
    split: str,
    shape: tuple[int, int, int],
    num_examples: int | None,
    with_labels: bool,
    files_seed: int | None = None,
) -> tf.data.Dataset:
    """Returns single uint8 examples, in a fixed order unless files are shuffled."""
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(
        split=split,
        shuffle_files=files_seed is not None,
        read_config=tfds.ReadConfig(shuffle_seed=files_seed),
    )
    if num_examples is not None:
        dataset = dataset.take(num_examples)

    def select(example: dict[str, tf.Tensor]) -> Structure:
        image = resizing.crop_and_resize(example["image"], shape[:2])
        image = tf.ensure_shape(image, shape)
        return (image, tf.cast(example["label"], tf.int32)) if with_labels else image

    return dataset.map(select, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _check_memory(
    name: str,
    split: str,
    examples: tf.data.Dataset,
    shape: tuple[int, int, int],
    memory_limit: int,
) -> None:
    count = int(examples.cardinality())  # Negative where it is unknown.
    needed = count * int(np.prod(shape))
    if needed > memory_limit:
        raise ValueError(
            f"The images must fit into {memory_limit / 2**30:.2f} GiB of memory. "
            f"Received: {count} images of shape {tuple(shape)} in split={split!r} of "
            f"{name!r}, which take {needed / 2**30:.2f} GiB. Pass a smaller image_size "
            "or num_examples, read from disk with `load_images(..., cache=False)`, or "
            "raise the `memory_limit` of `load_arrays`."
        )


def _scaled(images: tf.Tensor, labels: tf.Tensor | None = None) -> Structure:
    images = tf.cast(images, tf.float32) / 127.5 - 1.0
    return images if labels is None else (images, labels)
