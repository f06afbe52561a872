"""Rows of an array that are computed once and kept on disk."""

import hashlib
import json
import os
import pathlib
import uuid
from collections.abc import Callable

import numpy as np


def load(
    folder: pathlib.Path,
    key: list,
    shape: tuple[int, ...],
    fill: Callable[[np.ndarray], list[int]],
) -> tuple[np.ndarray, list[int]]:
    """Returns an array on disk, which is made unless it is there.

    It appears whole: a process that is killed while it fills it leaves a file that
    nobody reads, and two at once make it twice.

    Args:
        folder: Where it is kept; made if it is missing.
        key: What the rows depend on, as JSON has it: another key is another file.
        shape: Shape of the uint8 array, at most.
        fill: Writes the rows and returns the indices of those that there are; they
            stand in the first rows.

    Returns:
        A memory-mapped array of the rows that there are, and their indices.
    """
    text = json.dumps(["keras_gamegan images 2", list(shape), key])
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    path, listing = folder / f"{name}.npy", folder / f"{name}.json"
    if not listing.exists():  # Written last.
        folder.mkdir(parents=True, exist_ok=True)
        _make(path, listing, shape, fill)
    kept = json.loads(listing.read_text(encoding="utf-8"))
    return np.load(path, mmap_mode="r")[: len(kept)], kept


def _make(
    path: pathlib.Path,
    listing: pathlib.Path,
    shape: tuple[int, ...],
    fill: Callable[[np.ndarray], list[int]],
) -> None:
    beside = path.with_name(f".{uuid.uuid4().hex}.npy")
    try:
        # On a full disk an array that is mapped kills the process; writing raises.
        _reserve(beside, shape)
        rows = np.lib.format.open_memmap(beside, mode="r+")
        kept = fill(rows)
        rows.flush()
        del rows
        os.replace(beside, path)
        beside.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(beside, listing)
    except OSError as error:
        raise OSError(
            f"The images could not be kept in the cache {str(path.parent)!r}: {error}. "
            f"They take {np.prod(shape) / 2**30:.2f} GiB. Make room, or pass another "
            "folder."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _reserve(path: pathlib.Path, shape: tuple[int, ...]) -> None:
    """Writes a file of zeros of an array's shape."""
    row = np.zeros(shape[1:], np.uint8).tobytes()
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(shape[0]):
            file.write(row)
