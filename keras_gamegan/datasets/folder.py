"""A folder of image files as a shuffled stream."""

import concurrent.futures
import os
import pathlib
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import files, validation
from keras_gamegan.datasets import decoding, disk_cache, resizing, stream

_MEMORY_LIMIT = 4 * 2**30
# Names of unreadable files that a warning spells out.
_NAMED = 5


class _Source(NamedTuple):
    """A folder's image files.

    Attributes:
        root: The folder, of `files.locate`.
        names: Sorted paths below it, with slashes.
        labels: int32 array, a label each; or None.
        class_names: Names of the classes; or None.
    """

    root: Any
    names: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None


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
    paths. Their largest centred part of the shape asked for is resized, antialiased;
    what is transparent becomes white, 16 bits become 8, and images are turned upright.
    Files that cannot be read are left out and named in a warning.

    Args:
        path: The folder, local or of any file system that `tf.io.gfile` knows.
        image_size: Side in pixels, or (height, width). Default: 64.
        batch_size: Images in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives another order. Default: 0.
        color_mode: "rgb" or "grayscale". Default: "rgb".
        labels: "subfolders": the first folder below `path` is an image's class, and the
            elements are (images, labels), labels numbered in the order of the sorted
            names. None: images alone. Default: None.
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
    source = _find(path, labels)
    shape = (*size, decoding.COLOR_MODES[color_mode])
    if cache is None:
        _check_memory(len(source.names), shape)
        images = np.empty((len(source.names), *shape), np.uint8)
        kept = _fill(images, _decoded(source, size, color_mode))
        images = images[: len(kept)]
    else:
        folder = files.locate("cache", cache)
        if files.is_remote(folder):
            raise ValueError(
                "`cache` must be a local folder, from which images are read at random. "
                f"Received: cache={str(cache)!r}. Pass a folder of this machine."
            )
        key = _key(source, size, color_mode)
        images, kept = disk_cache.load(
            pathlib.Path(folder),
            key,
            (len(source.names), *shape),
            lambda rows: _fill(rows, _decoded(source, size, color_mode)),
        )
    _warn_of_unreadable(source, kept)
    return stream.ShuffledStream(
        images,
        None if source.labels is None else source.labels[kept],
        batch_size,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        seed=seed,
        class_names=source.class_names,
    )


def _find(path: Any, labels: str | None) -> _Source:
    """Returns the image files of a folder and their labels."""
    root = files.locate("path", path)
    if labels not in (None, "subfolders"):
        raise ValueError(
            f'`labels` must be "subfolders" or None. Received: labels={labels!r}. For '
            "labels of your own pass arrays to kgg.datasets.ShuffledStream."
        )
    if not files.exists(root):
        raise FileNotFoundError(
            f"`path` must be a folder of images. Received: path={str(path)!r}, which "
            f"does not exist{_where(path)}."
        )
    if files.is_file(root):
        raise ValueError(
            f"`path` must be a folder of images. Received: path={str(path)!r}, a file. "
            "Pass the folder that it is in; kgg.datasets.load_npz reads .npz files."
        )
    found = sorted(_walk(root))
    names = [name for name in found if name.lower().endswith(decoding.SUFFIXES)]
    if not names:
        kinds = sorted({os.path.splitext(name)[1].lower() or name for name in found})
        raise ValueError(
            f"`path` must be a folder of {', '.join(decoding.SUFFIXES)} files. "
            f"Received: path={str(path)!r}, with "
            + (f"only {', '.join(kinds[:8])} files." if kinds else "no files in it.")
        )
    if labels is None:
        return _Source(root, names, None, None)
    loose = [name for name in names if "/" not in name]
    if loose:
        raise ValueError(
            'With labels="subfolders" every image must lie in the folder of its class. '
            f"Received: path={str(path)!r} with {len(loose)} image(s) directly in it, "
            f"such as {loose[0]!r}. Move them, or pass labels=None."
        )
    classes = [name.split("/")[0] for name in names]
    class_names, numbers = np.unique(classes, return_inverse=True)
    return _Source(root, names, numbers.astype(np.int32), class_names.tolist())


def _where(path: Any) -> str:
    """Says where a relative path was looked for."""
    if files.is_remote(files.locate("path", path)) or os.path.isabs(path):
        return ""
    return f" in {os.getcwd()!r}"


def _walk(root: Any) -> Iterator[str]:
    """Yields the paths of files below a folder, with slashes; hidden ones are not."""
    is_remote = files.is_remote(root)
    walk = tf.io.gfile.walk if is_remote else _followed
    start = str(root).rstrip("/")
    for folder, below, names in walk(str(root)):
        below[:] = [name for name in below if not name.startswith((".", "__MACOSX"))]
        inside = str(folder)[len(start) :].replace(os.sep, "/").strip("/")
        for name in names:
            if not name.startswith("."):
                yield f"{inside}/{name}" if inside else name


def _followed(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Like `os.walk`, through linked folders, each folder once."""
    seen = set()
    for folder, below, names in os.walk(top, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        yield folder, below, names


def _decoded(
    source: _Source, size: tuple[int, int], color_mode: str
) -> Iterator[np.ndarray | None]:
    """Yields the images in order, decoded on all cores; None for unreadable ones."""

    def one(name: str) -> np.ndarray | None:
        try:
            content = files.read_bytes(source.root / name)
            return decoding.decode(content, size, color_mode)
        except (OSError, ValueError):
            return None

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


def _key(source: _Source, size: tuple[int, int], color_mode: str) -> list:
    """Returns what decoded images depend on, as JSON has it."""
    stats = (tf.io.gfile.stat(str(source.root / name)) for name in source.names)
    listed = [
        [name, stat.length, stat.mtime_nsec]
        for name, stat in zip(source.names, stats, strict=True)
    ]
    return [*size, color_mode, listed]


def _check_memory(number: int, shape: tuple[int, int, int]) -> None:
    needed = number * int(np.prod(shape))
    if needed > _MEMORY_LIMIT:
        raise ValueError(
            f"Images in memory may take {_MEMORY_LIMIT / 2**30:.0f} GiB. Received: "
            f"{number} images of shape {shape}, which take {needed / 2**30:.1f} GiB. "
            'Keep them on disk, cache="a_folder", or pass a smaller image_size.'
        )


def _warn_of_unreadable(source: _Source, kept: list[int]) -> None:
    number = len(source.names) - len(kept)
    if not number:
        return
    readable = set(kept)
    lost = [n for index, n in enumerate(source.names) if index not in readable]
    told = ", ".join(map(repr, lost[:_NAMED])) + (", ..." if number > _NAMED else "")
    if not kept:
        raise ValueError(
            f"`path` must be a folder of images. Received: path={str(source.root)!r}, "
            f"of whose {number} image file(s) none can be read: {told}. Open one in a "
            "viewer: they may be damaged, or no images."
        )
    warnings.warn(
        f"{number} of {len(source.names)} image files in {str(source.root)!r} cannot "
        f"be read and are left out: {told}.",
        UserWarning,
        stacklevel=4,
    )
