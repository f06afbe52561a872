"""A folder of image files as a shuffled stream."""

import concurrent.futures
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_gamegan import files, validation
from keras_gamegan.datasets import (
    decoding,
    disk_cache,
    image_files,
    resizing,
    stream,
)
from keras_gamegan.networks import building

_MEMORY_LIMIT = 4 * 2**30
# Names of files of a kind that a warning spells out.
_NAMED = 5


def load_folder(
    path: str | os.PathLike,
    image_size: int | tuple[int, int] = 64,
    batch_size: int = 64,
    seed: int = 0,
    *,
    color_mode: str = "rgb",
    labels: str | None = None,
    cache: str | os.PathLike | None = None,
    shuffle: bool = True,
    drop_remainder: bool = True,
) -> tf.data.Dataset:
    """Loads a folder of image files as batches to train on.

    What comes back goes straight into `fit`, and `Checkpoint` resumes in it exactly: it
    has the length of one epoch, each iteration over it is the next epoch, and its order
    is a function of the seed and the step alone. `kgg.datasets.load` gives the same
    images as a `ShuffledStream`.

    PNG, JPEG, WebP, GIF (the first frame) and BMP files of any size are found in the
    folder and in those below it, hidden ones excepted, and taken in the order of their
    paths; linked folders are entered once, or once in each class. Their largest centred
    part of the shape asked for is resized, antialiased; what is transparent becomes
    white, 16 bits become 8, and images are turned upright. A warning says how many are
    smaller than the shape asked for, and were enlarged.
    Files that cannot be read are left out and named in a warning, and so are images of
    other formats, such as TIFF and HEIC: convert them to PNG.

    Args:
        path: The folder, local or of any file system that `tf.io.gfile` knows.
        image_size: Side in pixels, or (height, width). Default: 64.
        batch_size: Images in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives another order. Default: 0.
        color_mode: "rgb" or "grayscale". Default: "rgb".
        labels: "subfolders": the first folder below `path` is an image's class, and the
            elements are (images, labels), labels numbered in the order of the sorted
            names. A folder without an image that can be read is no class, and named in
            the warning. None: images alone. Default: None.
        cache: Folder in which the decoded images are kept, made if it is missing: a
            later run need not decode them again, and they are read from there and not
            held in memory, so that they may be more than it holds. It is made anew
            when a file or a setting has changed. Default: None, held in memory, one
            byte a channel.
        shuffle: Whether to shuffle. Default: True.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch.
            Default: True.

    Returns:
        A `tf.data.Dataset` of float32 images (batch_size, height, width, 3 or 1) in
        [-1, 1], or of tuples of them and int32 labels (batch_size,). Its attribute
        `class_names` lists the classes, or is None.

    Raises:
        ValueError: If an argument is out of range, the folder holds no image that can
            be read, or too few for a batch, or too many for memory.
        TypeError: If an argument has the wrong type.
        FileNotFoundError: If there is no such folder.

    Example:
        >>> import pathlib, tempfile, keras_gamegan as kgg, numpy as np
        >>> import tensorflow as tf
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for number in range(8):
        ...     pixels = np.full((20 + number, 30, 3), number, np.uint8)
        ...     png = tf.io.encode_png(pixels).numpy()
        ...     _ = (folder / f"{number}.png").write_bytes(png)
        >>> images = kgg.datasets.load_folder(folder, image_size=16, batch_size=4)
        >>> len(images), images.element_spec.shape
        (2, TensorShape([4, 16, 16, 3]))
    """
    images = folder_stream(
        path,
        image_size,
        batch_size,
        seed,
        color_mode=color_mode,
        labels=labels,
        cache=cache,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
    )
    dataset = images.epochs()
    dataset.class_names = images.class_names
    return dataset


def folder_stream(
    path: str | os.PathLike,
    image_size: int | tuple[int, int] = 64,
    batch_size: int = 64,
    seed: int = 0,
    *,
    color_mode: str = "rgb",
    labels: str | None = None,
    cache: str | os.PathLike | None = None,
    shuffle: bool = True,
    drop_remainder: bool = True,
) -> stream.ShuffledStream:
    """Returns `load_folder`'s images as a `ShuffledStream`; the same arguments."""
    size = resizing.as_size(image_size)
    # Checked before the files are read, which takes a while.
    validation.check_integer("batch_size", batch_size)
    validation.check_seed("seed", seed)
    validation.check_choice("color_mode", color_mode, tuple(decoding.COLOR_MODES))
    validation.check_flag("shuffle", shuffle)
    validation.check_flag("drop_remainder", drop_remainder)
    if not (labels is None or (isinstance(labels, str) and labels == "subfolders")):
        raise ValueError(
            f'`labels` must be "subfolders" or None. Received: labels={labels!r}. For '
            "labels of your own pass arrays to kgg.datasets.ShuffledStream."
        )
    with_classes = labels is not None
    source = image_files.find(path, with_classes)
    small: list[tuple[int, int]] = []
    shape = (*size, decoding.COLOR_MODES[color_mode])
    if cache is None:
        _check_memory(len(source.names), shape)
        images = np.empty((len(source.names), *shape), np.uint8)
        kept = _fill(images, _decoded(source, size, color_mode, small))
        images = images[: len(kept)]
    else:
        folder = files.locate("cache", cache)
        if files.is_remote(folder):
            raise ValueError(
                "`cache` must be a local folder, from which images are read at random. "
                f"Received: cache={str(cache)!r}. Pass a folder of this machine."
            )
        images, kept = disk_cache.load(
            pathlib.Path(folder),
            [*size, color_mode, source.versions()],
            (len(source.names), *shape),
            lambda rows: _fill(rows, _decoded(source, size, color_mode, small)),
        )
    _tell_what_is_left_out(source, kept, with_classes)
    numbers, class_names = source.classes(kept) if with_classes else (None, None)
    made = stream.ShuffledStream(
        images,
        numbers,
        batch_size,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        seed=seed,
        class_names=class_names,
    )
    if small:
        _tell_what_is_enlarged(source, len(kept), size, small)
    return made


def _decoded(
    source: image_files.ImageFiles,
    size: tuple[int, int],
    color_mode: str,
    small: list[tuple[int, int]],
) -> Iterator[np.ndarray | None]:
    """Yields the images in order, decoded on all cores; None for unreadable ones.

    Adds (height, width) of those that have to be enlarged to `small`.
    """

    def one(name: str) -> np.ndarray | None:
        try:
            image = decoding.read(source.read(name))
            found = decoding.fitted(image, size, color_mode)
        except (OSError, ValueError):
            return None
        height, width = image.shape[:2]
        if height < size[0] or width < size[1]:
            small.append((height, width))
        return found

    workers = os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        # Not all at once: `map` would hold every decoded image.
        step = 64 * workers
        for start in range(0, len(source.names), step):
            yield from pool.map(one, source.names[start : start + step])


def _fill(rows: np.ndarray, images: Iterator[np.ndarray | None]) -> list[int]:
    """Writes the images into the first rows; returns which of them there were."""
    kept: list[int] = []
    for index, image in enumerate(images):
        if image is not None:
            rows[len(kept)] = image
            kept.append(index)
    return kept


def _check_memory(number: int, shape: tuple[int, int, int]) -> None:
    needed = number * int(np.prod(shape))
    if needed > _MEMORY_LIMIT:
        raise ValueError(
            f"Images in memory may take {_MEMORY_LIMIT / 2**30:.0f} GiB. Received: "
            f"{number} images of shape {shape}, which take {needed / 2**30:.1f} GiB. "
            'Keep them on disk, cache="a_folder", or pass a smaller image_size.'
        )


def _tell_what_is_left_out(
    source: image_files.ImageFiles, kept: list[int], with_classes: bool
) -> None:
    """Warns of what a user would look for in vain; raises if nothing can be read."""
    readable = set(kept)
    lost = [n for index, n in enumerate(source.names) if index not in readable]
    if not kept:
        raise ValueError(
            f"`path` must be a folder of images. Received: path={str(source.root)!r}, "
            f"of whose {len(lost)} image file(s) none can be read: {_listed(lost)}. "
            "Open one in a viewer: they may be damaged, or no images."
        )
    told = []
    if lost:
        told.append(
            f"{len(lost)} of {len(source.names)} image files, which cannot be read: "
            f"{_listed(lost)}."
        )
    if source.unread:
        told.append(
            f"{len(source.unread)} image file(s) of formats that are not read, convert "
            f"them to PNG: {_listed(source.unread)}."
        )
    if source.closed:
        told.append(
            f"{len(source.closed)} folder(s) that may not be listed: "
            f"{_listed(source.closed)}."
        )
    if with_classes:
        empty = sorted(set(source.folders).difference(source.classes(kept)[1]))
        if empty:
            told.append(
                f"{len(empty)} folder(s) without an image that can be read, which are "
                f"no classes: {_listed(empty)}."
            )
    if told:
        warnings.warn(
            f"Left out of {str(source.root)!r}: {' '.join(told)}",
            UserWarning,
            stacklevel=4,
        )


def _tell_what_is_enlarged(
    source: image_files.ImageFiles,
    number: int,
    size: tuple[int, int],
    small: list[tuple[int, int]],
) -> None:
    """Warns of images that are smaller than what was asked for."""
    height, width = min(small, key=lambda each: min(np.divide(each, size)))
    remedy = "Pass a smaller image_size, or leave them out."
    if size[0] == size[1]:
        side = min(height, width)
        # Of those that the networks take.
        fitting = min(building.fitting_sides(side))
        if fitting <= side:
            remedy = f"Pass image_size={fitting}, which enlarges none."
        else:
            remedy = "Leave them out."
    warnings.warn(
        f"{len(small)} of {number} images in {str(source.root)!r} are smaller than "
        f"{size[0]} x {size[1]} pixels and were enlarged, which blurs them; the "
        f"smallest has {height} x {width}. {remedy}",
        UserWarning,
        stacklevel=4,
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_NAMED])) + (", ..." if names[_NAMED:] else "")
