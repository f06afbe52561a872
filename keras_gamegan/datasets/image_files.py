"""The image files of a folder, and the classes that its subfolders make."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import files
from keras_gamegan.datasets import decoding


class ImageFiles(NamedTuple):
    """What there is in a folder and in those below it, hidden ones excepted.

    Attributes:
        root: The folder.
        names: Sorted paths of the image files below it, with slashes.
        unread: Those of image files of formats that are not read.
        folders: Sorted names of the folders directly in it.
        closed: Paths of the folders that may not be listed.
    """

    root: files.Located
    names: list[str]
    unread: list[str]
    folders: list[str]
    closed: list[str]

    def classes(self, kept: Sequence[int]) -> tuple[np.ndarray, list[str]]:
        """Returns the labels and the names of the classes of some of the images.

        Args:
            kept: Which of `names`. A class of which there is none is no class.
        """
        folders = [self.names[index].split("/")[0] for index in kept]
        class_names = sorted(set(folders))
        numbers = {name: number for number, name in enumerate(class_names)}
        return np.array([numbers[name] for name in folders], np.int32), class_names

    def versions(self) -> list[tuple[str, int | None, int | None]]:
        """Returns (name, size, time of change) of every image file, as JSON has it."""
        return [(name, *_version(self.root / name)) for name in self.names]

    def read(self, name: str) -> bytes:
        """Returns what an image file holds; raises OSError if it is none."""
        path = self.root / name
        # To open a pipe would wait for ever, and a device may have no end.
        if not files.is_remote(path) and not os.path.isfile(path):
            raise OSError(f"{str(path)!r} is no regular file")
        return files.read_bytes(path)


def find(path: Any, with_classes: bool) -> ImageFiles:
    """Returns the image files of a folder.

    Linked folders are entered, each folder once; with classes once in each of them, so
    that no class takes the images of another.

    Args:
        path: The folder, of any file system.
        with_classes: Whether every image must lie in the folder of its class.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is no folder, or holds no image file, or one outside of the
            folders of the classes.
        TypeError: If it is no path.
    """
    root = files.locate("path", path)
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
    closed: list[str] = []
    folders: list[str] = []
    found: list[str] = []
    for inside, below, names in _walk(root, with_classes, closed):
        if not inside:
            folders = sorted(below)
        found += [f"{inside}/{name}" if inside else name for name in names]
    found.sort()
    names = [name for name in found if name.lower().endswith(decoding.SUFFIXES)]
    unread = [name for name in found if name.lower().endswith(decoding.UNREAD)]
    if not names:
        kinds = sorted({os.path.splitext(name)[1].lower() or name for name in found})
        raise ValueError(
            f"`path` must be a folder of {', '.join(decoding.SUFFIXES)} files. "
            f"Received: path={str(path)!r}, with "
            + (f"only {', '.join(kinds[:8])} files." if kinds else "no files in it.")
            + (" Convert the images to PNG." if unread else "")
        )
    loose = [name for name in names if "/" not in name]
    if with_classes and loose:
        raise ValueError(
            'With labels="subfolders" every image must lie in the folder of its class. '
            f"Received: path={str(path)!r} with {len(loose)} image(s) directly in it, "
            f"such as {loose[0]!r}. Move them, or pass labels=None."
        )
    return ImageFiles(root, names, unread, folders, sorted(closed))


def _where(path: Any) -> str:
    """Says where a relative path was looked for."""
    if files.is_remote(files.locate("path", path)) or os.path.isabs(path):
        return ""
    return f" in {os.getcwd()!r}"


def _version(path: files.Located) -> tuple[int | None, int | None]:
    """Returns size and time of change; (None, None) of a link to nothing."""
    try:
        if files.is_remote(path):
            remote = tf.io.gfile.stat(str(path))
            return remote.length, remote.mtime_nsec
        local = os.stat(path)
        return local.st_size, local.st_mtime_ns
    except (OSError, tf.errors.OpError):
        return None, None


def _walk(
    root: files.Located, apart: bool, closed: list[str]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yields (path with slashes, folders, files) of a folder and those below it.

    Args:
        root: The folder.
        apart: Whether a linked folder is entered once in each folder directly below.
        closed: Where folders that may not be listed are noted.
    """
    start = str(root).rstrip("/")

    def inside(folder: Any) -> str:
        return str(folder)[len(start) :].replace(os.sep, "/").strip("/")

    def refuse(error: OSError) -> None:
        if not inside(error.filename):
            raise error
        closed.append(inside(error.filename))

    if files.is_remote(root):
        walk = tf.io.gfile.walk(str(root))
    else:
        walk = os.walk(root, onerror=refuse, followlinks=True)
    # The first folder below -> the folders that were entered in it.
    entered: dict[str, set[str]] = {}
    for folder, below, names in walk:
        place = inside(folder)
        if not files.is_remote(root):
            group = place.split("/")[0] if apart else ""
            # A link back to the whole folder is followed in no class.
            seen = entered.setdefault(
                group, {os.path.realpath(root)} if place else set()
            )
            real = os.path.realpath(folder)
            if real in seen:
                below.clear()
                continue
            seen.add(real)
        # Sorted: which of two links to a folder is entered must not be chance.
        below[:] = sorted(
            name for name in below if not name.startswith((".", "__MACOSX"))
        )
        shown = [name for name in names if not name.startswith(".")]
        yield place, [name.rstrip("/") for name in below], shown
