"""Arrays in a NumPy file as a shuffled stream."""

import os
import pathlib
import zipfile
import zlib
from typing import Any

import numpy as np

from keras_gamegan import files, validation
from keras_gamegan.datasets import stream

# Names that data sets in one file go by, the first one that is there.
_DATA = ("images", "x_train", "X_train", "train_images", "x", "X", "data", "arr_0")
_LABELS = ("labels", "y_train", "train_labels", "y", "arr_1")


def load_npz(
    path: str | os.PathLike,
    batch_size: int = 64,
    seed: int = 0,
    *,
    with_labels: bool = False,
    image_key: str | None = None,
    label_key: str | None = None,
    shuffle: bool = True,
    drop_remainder: bool = True,
) -> stream.ShuffledStream:
    """Reads the arrays of a `.npz` file, or the array of a `.npy` file.

    Images of type uint8 are scaled to [-1, 1]; data of a floating type are taken as
    they are. Grey images (n, height, width) of type uint8 get an axis of channels;
    floating data (n, length, features) may be series, and get none: save grey images as
    ``images[..., None]``.

    Args:
        path: The file. Pickled objects are not read.
        batch_size: Examples in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives another order. Default: 0.
        with_labels: Whether the elements are (images, labels). Default: False.
        image_key: Name of the data in the file. Default: None, the first that is there
            of "images", "x_train", "X_train", "train_images", "x", "X", "data",
            "arr_0"; or the only array.
        label_key: Name of the labels, likewise of "labels", "y_train", "train_labels",
            "y", "arr_1".
        shuffle: Whether to shuffle. Default: True.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch.
            Default: True.

    Returns:
        A `ShuffledStream`, which `fit` takes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, lacks the arrays, or they do not fit
            together.
        TypeError: If an array is not numeric.

    Example:
        >>> import pathlib, tempfile, keras_gamegan as kgg, numpy as np
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "digits.npz"
        >>> np.savez(path, images=np.zeros((8, 28, 28), np.uint8), labels=np.arange(8))
        >>> stream = kgg.datasets.load_npz(path, batch_size=4, with_labels=True)
        >>> [part.shape for part in stream.batch(0)]
        [TensorShape([4, 28, 28, 1]), TensorShape([4])]
    """
    validation.check_flag("with_labels", with_labels)
    path = pathlib.Path(files.locate("path", path))
    if not path.is_file():
        raise FileNotFoundError(
            "`path` must be a .npz or .npy file. Received: "
            f"path={str(path)!r}, and there is no such file."
        )
    arrays = _read(path)
    images = _pick(path, arrays, "image_key", image_key, _DATA)
    labels = None
    if with_labels:
        others = {name: each for name, each in arrays.items() if each is not images}
        labels = _pick(path, others, "label_key", label_key, _LABELS)
    if images.ndim == 3 and images.dtype == np.uint8:
        images = images[..., None]
    return stream.ShuffledStream(
        images,
        labels,
        batch_size,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        seed=seed,
    )


_DAMAGE = (ValueError, EOFError, zipfile.BadZipFile, zlib.error)


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        beginning = file.read(6)
    if not beginning.startswith((b"PK", b"\x93NUMPY")):
        raise ValueError(
            "`path` must be a .npz or .npy file of numbers, as np.savez writes it. "
            f"Received: path={str(path)!r}, which begins with {beginning!r}. Images of "
            "their own are read by load_folder."
        )
    try:
        content: Any = np.load(path)
        if isinstance(content, np.ndarray):
            return {path.stem: content}
        with content:
            arrays = {name: content[name] for name in content.files}
            others = [n for n, each in arrays.items() if not hasattr(each, "ndim")]
            if others:
                raise ValueError(f"{others[0]!r} in it is no array")
            return arrays
    # RuntimeError: a password; NotImplementedError: an unknown compression.
    except (*_DAMAGE, RuntimeError, NotImplementedError) as error:
        raise ValueError(
            "`path` must be a .npz or .npy file of numbers, as np.savez writes it. "
            f"Received: path={str(path)!r} ({error})."
        ) from error


def _pick(
    path: pathlib.Path,
    arrays: dict[str, np.ndarray],
    argument: str,
    key: str | None,
    usual: tuple[str, ...],
) -> np.ndarray:
    if key is None:
        known = [name for name in usual if name in arrays]
        if not known and len(arrays) == 1:
            known = list(arrays)
        key = known[0] if known else None
    if key is None or key not in arrays:
        told = ", ".join(f"{name!r} {each.shape}" for name, each in arrays.items())
        raise ValueError(
            f"`{argument}` must name an array of the file. Received: "
            f"{argument}={key!r} for {str(path)!r}, which holds {told or 'no other'}."
        )
    return arrays[key]
