"""Rows of an array that are computed once and kept on disk."""

import hashlib
import itertools
import json
import math
import os
import pathlib
import uuid
from collections.abc import Callable

import numpy as np

from keras_gamegan import files


def load(
    folder: pathlib.Path,
    key: list,
    shape: tuple[int, ...],
    fill: Callable[[np.ndarray], list[int]],
) -> tuple[np.ndarray, list[int]]:
    """Returns an array on disk, which is made unless it is there.

    It appears whole: a process that is killed while it fills it leaves a file that
    nobody reads, and two at once make it twice. One that is damaged is made anew.

    Args:
        folder: Where it is kept; made if it is missing.
        key: What the rows depend on, as JSON has it: another key is another file.
        shape: Shape of the uint8 array, at most.
        fill: Writes the rows and returns the indices of those that there are; they
            stand in the first rows.

    Returns:
        A memory-mapped array of the rows that there are, and their indices.

    Raises:
        ValueError: If the folder cannot be made.
        OSError: If the rows cannot be written.
    """
    text = json.dumps(["keras_gamegan images 3", list(shape), key])
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    path, listing = folder / f"{name}.rows", folder / f"{name}.json"
    kept = _kept(path, listing, shape)
    if kept is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise files.unusable("cache", folder, error) from error
        kept = _make(path, listing, shape, fill)
    return np.memmap(path, np.uint8, "r", shape=shape)[: len(kept)], kept


def _kept(
    path: pathlib.Path, listing: pathlib.Path, shape: tuple[int, ...]
) -> list[int] | None:
    """Returns which rows a cache has; None if it is missing, or damaged."""
    try:
        kept = json.loads(listing.read_text(encoding="utf-8"))  # Written last.
        size = path.stat().st_size
    except (OSError, ValueError):
        return None
    if not isinstance(kept, list) or any(type(index) is not int for index in kept):
        return None
    ascending = all(a < b for a, b in itertools.pairwise([-1, *kept, shape[0]]))
    return kept if ascending and size == math.prod(shape) else None


def _make(
    path: pathlib.Path,
    listing: pathlib.Path,
    shape: tuple[int, ...],
    fill: Callable[[np.ndarray], list[int]],
) -> list[int]:
    beside = path.with_name(f".{uuid.uuid4().hex}.rows")
    try:
        # On a full disk an array that is mapped kills the process; writing raises.
        _reserve(beside, shape)
        rows = np.memmap(beside, np.uint8, "r+", shape=shape)
        kept = fill(rows)
        rows.flush()
        del rows
        os.replace(beside, path)
        beside.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(beside, listing)
        return kept
    except OSError as error:
        raise OSError(
            f"The images could not be kept in the cache {str(path.parent)!r}: {error}. "
            f"They take {math.prod(shape) / 2**30:.2f} GiB. Make room, or pass another "
            "folder."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _reserve(path: pathlib.Path, shape: tuple[int, ...]) -> None:
    """Writes a file of zeros of an array's shape."""
    row = bytes(math.prod(shape[1:]))
    with path.open("wb") as file:
        for _ in range(shape[0]):
            file.write(row)
