"""Images by the one name that says where they are."""

import os
from typing import Any

from keras_gamegan import files, validation
from keras_gamegan.datasets import (
    array_files,
    folder,
    images,
    resizing,
    stream,
    tfds_builders,
)


def load(
    source: str | os.PathLike,
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    seed: int = 0,
    *,
    with_labels: bool = False,
    color_mode: str = "rgb",
    split: str = "train",
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    cache: str | os.PathLike | None = None,
    drop_remainder: bool = True,
) -> stream.ShuffledStream:
    """Loads a folder of images, a NumPy file, or a data set of TensorFlow Datasets.

    A name is a folder or a file if there is one of that name, or if it looks like one:
    ends in .npz or .npy, or has a slash in it. Otherwise it is one of TensorFlow
    Datasets.

    Args:
        source: "my_pngs", "digits.npz", or "fashion_mnist".
        image_size: Side in pixels, or (height, width). Default: None, 64 of a folder,
            and otherwise the images as they are. Arrays are not resized.
        batch_size: Images in a batch, the global one under a strategy. Default: 64.
        seed: Non-negative integer; each gives another order. Default: 0.
        with_labels: Whether the elements are (images, labels), classes being a folder's
            subfolders, a file's array "labels", or a data set's feature "label".
        color_mode: "rgb" or "grayscale", of a folder alone. Default: "rgb".
        split: Of TensorFlow Datasets alone. Default: "train".
        data_dir: Folder of prepared TFDS data sets; None for TFDS's own default.
        download: Whether TFDS may download what is not there. Default: True.
        cache: Folder in which a folder's decoded images are kept, see `load_folder`.
        drop_remainder: Whether to leave out the last, smaller batch of an epoch.
            Default: True.

    Returns:
        A `ShuffledStream`, which `fit` takes.

    Raises:
        FileNotFoundError: If there is no such folder, file, or prepared data set.
        ValueError: If there is no such data set, or nothing in it that can be used.
        TypeError: If an argument has the wrong type.

    Example:
        >>> import pathlib, tempfile, keras_gamegan as kgg, numpy as np
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "faces.npz"
        >>> np.savez(path, images=np.zeros((8, 32, 32, 3), np.uint8))
        >>> stream = kgg.datasets.load(path, batch_size=4)
        >>> stream.example_shape, stream.steps_per_epoch
        ((32, 32, 3), 2)
    """
    files.locate("source", source)
    name = os.fspath(source)
    validation.check_flag("with_labels", with_labels)
    size = None if image_size is None else resizing.as_size(image_size)
    of_folders = {"color_mode": (color_mode, "rgb"), "cache": (cache, None)}
    # Not `download`: that nothing may be downloaded is true of a folder too.
    of_names = {"split": (split, "train"), "data_dir": (data_dir, None)}
    if name.lower().endswith((".npz", ".npy")):
        _refuse(of_folders, name, "an array file", "a folder of images")
        _refuse(of_names, name, "an array file", "a TFDS data set")
        found = array_files.load_npz(
            name,
            batch_size,
            seed,
            with_labels=with_labels,
            drop_remainder=drop_remainder,
        )
        if size is not None and found.example_shape[:2] != size:
            raise ValueError(
                "Arrays are taken as they are. Received: "
                f"image_size={image_size} for {name!r}, whose examples have the shape "
                f"{found.example_shape}. Leave image_size out, or resize them before "
                "they are saved."
            )
        return found
    if _is_path(name):
        _refuse(of_names, name, "a folder", "a TFDS data set")
        return folder.folder_stream(
            name,
            64 if size is None else size,
            batch_size,
            seed,
            color_mode=color_mode,
            labels="subfolders" if with_labels else None,
            cache=cache,
            drop_remainder=drop_remainder,
        )
    _refuse(of_folders, name, "a TFDS data set", "a folder of images")
    try:
        tfds_builders.find(name, data_dir)
    except ValueError as error:
        raise ValueError(
            "`source` must be a folder, a .npz or .npy file, or the name of a TFDS "
            f"data set. Received: source={name!r}, and there is no such folder or file "
            f"in {os.getcwd()!r}. {error}"
        ) from error
    arrays = images.load_arrays(
        name,
        split,
        size,
        data_dir,
        with_labels=with_labels,
        download=download,
    )
    pixels, labels = arrays if with_labels else (arrays, None)
    return stream.ShuffledStream(
        pixels,
        labels,
        batch_size,
        seed=seed,
        class_names=tfds_builders.class_names(name, data_dir) if with_labels else None,
        drop_remainder=drop_remainder,
    )


def _is_path(name: str) -> bool:
    looks = os.sep in name or "/" in name or name in (".", "..")
    return looks or files.exists(files.locate("source", name))


def _refuse(
    arguments: dict[str, tuple[Any, Any]], name: str, kind: str, owner: str
) -> None:
    """Raises if an argument that belongs to other sources is not its default."""
    for argument, (value, default) in arguments.items():
        if value != default:
            raise ValueError(
                f"`{argument}` is an argument of {owner}. Received: "
                f"{argument}={value!r} for {name!r}, {kind}. Leave it out."
            )
