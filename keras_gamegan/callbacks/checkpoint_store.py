"""The checkpoints in a folder: which there are, which are valid, which are kept.

A checkpoint of step 7 is three files: `step-000000000007.weights.h5`, the model;
`step-000000000007.callbacks.npz`, arrays of callbacks, if they have any; and
`step-000000000007.json`, its description, which holds the checksums of all three and is
written last. Other names are nobody's business here.
"""

import io
import re
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_gamegan import files
from keras_gamegan.callbacks import checkpoint_description, companions

_NAME = re.compile(r"step-([0-9]{12,})\.json")
_DESCRIPTION, _WEIGHTS, _ARRAYS = "json", "weights.h5", "callbacks.npz"

DamagedError = checkpoint_description.DamagedError


class Stored(NamedTuple):
    """A checkpoint that was read and checked.

    Attributes:
        description: Dictionary, see `checkpoint_description`.
        weights: Bytes of the model's weights.
        states: States of the callbacks, see `companions.unpack`.
    """

    description: dict
    weights: bytes
    states: Any


class CheckpointStore:
    """Reads, writes and drops the checkpoints of a folder.

    Args:
        directory: Located path, see `files.locate`.
        keep: Number of valid checkpoints kept.
    """

    def __init__(self, directory: files.Located, keep: int) -> None:
        self._directory = directory
        self._keep = keep
        # Steps whose files were read and checked by this object.
        self._checked: set[int] = set()

    def steps(self) -> list[int]:
        """Returns the steps of which there are descriptions, newest first."""
        found = (_NAME.fullmatch(name) for name in files.names(self._directory))
        steps = [(int(each[1]), each[0]) for each in found if each]
        return sorted(
            (step for step, name in steps if name == _name(step, _DESCRIPTION)),
            reverse=True,
        )

    def read(self, step: int) -> Stored:
        """Returns a checkpoint as a `Stored`, once everything of it is checked.

        Raises:
            DamagedError: If it is damaged or incomplete.
            ValueError: If a newer version wrote it.
            OSError: If it cannot be read now.
        """
        description = checkpoint_description.read(
            self._content(step, _DESCRIPTION), step
        )
        weights = self._checked_content(step, _WEIGHTS, description["sha256"])
        arrays = {}
        if description["callbacks_sha256"] is not None:
            packed = self._checked_content(
                step, _ARRAYS, description["callbacks_sha256"]
            )
            arrays = _unpacked(packed)
        try:
            states = companions.unpack(description["callbacks"], arrays)
        except (LookupError, ValueError) as error:
            raise DamagedError(f"callbacks without arrays: {error}") from error
        self._checked.add(step)
        return Stored(description, weights, states)

    def newest(self, set_aside: bool = False) -> Stored | None:
        """Returns the newest valid checkpoint as a `Stored`, or None.

        Args:
            set_aside: Whether damaged ones are renamed; else they are left out.
        """
        for step in self.steps():
            try:
                return self.read(step)
            except DamagedError as error:
                self._tell_damaged(step, error, set_aside)
        return None

    def save(
        self,
        description: Mapping[str, Any],
        weights: bytes,
        arrays: Mapping[str, Any],
    ) -> None:
        """Writes a checkpoint, reads it back, then drops those that are too old.

        Args:
            description: Dictionary, see `checkpoint_description`, without checksums.
            weights: Bytes of the model's weights.
            arrays: Dictionary of the callbacks' arrays; may be empty.

        Raises:
            OSError: If it could not be written; those before it are intact.
        """
        step = description["step"]
        replaces = files.exists(self._path(step, _DESCRIPTION))
        packed = io.BytesIO()
        description = {**description, "sha256": checkpoint_description.digest(weights)}
        if arrays:
            np.savez(packed, **arrays)
            digest = checkpoint_description.digest(packed.getvalue())
            description["callbacks_sha256"] = digest
        try:
            files.write_bytes(self._path(step, _WEIGHTS), weights)
            if arrays:
                files.write_bytes(self._path(step, _ARRAYS), packed.getvalue())
            files.write_bytes(
                self._path(step, _DESCRIPTION),
                checkpoint_description.write(description),
            )
            self._checked.discard(step)
            self.read(step)
        except (OSError, DamagedError) as error:
            if not replaces:
                self._drop(step)
            if isinstance(error, OSError):
                raise
            raise OSError(f"what was written reads back as another ({error})") from None
        self._drop_old(step)

    def _drop_old(self, newest: int) -> None:
        """Drops the oldest valid checkpoints beyond those that are kept."""
        valid = 1
        for step in self.steps():
            if step == newest:
                continue
            try:
                if step not in self._checked:
                    self.read(step)
            except DamagedError as error:
                self._tell_damaged(step, error, set_aside=True)
                continue
            except (ValueError, OSError):
                continue  # A newer version's, or not to be read now: not ours to drop.
            valid += 1
            if valid > self._keep and not self._drop(step):
                warnings.warn(
                    f"The old checkpoint {_name(step, _DESCRIPTION)} could not be "
                    "removed; training goes on. Check the folder's permissions.",
                    UserWarning,
                    stacklevel=5,
                )

    def _drop(self, step: int) -> bool:
        """Removes a checkpoint's files, first what makes them one; returns success."""
        try:
            for kind in (_DESCRIPTION, _WEIGHTS, _ARRAYS):
                files.remove(self._path(step, kind))
        except OSError:
            return False
        self._checked.discard(step)
        return True

    def _tell_damaged(self, step: int, error: Exception, set_aside: bool) -> None:
        """Warns of a damaged checkpoint, and renames it."""
        name, done = _name(step, _DESCRIPTION), "left out"
        if set_aside:
            try:
                for kind in (_DESCRIPTION, _WEIGHTS, _ARRAYS):
                    aside = self._directory / f"damaged-{_name(step, kind)}"
                    files.move(self._path(step, kind), aside)
                done = f"set aside as damaged-{name}"
            except OSError:
                pass  # In a folder that can only be read it stays.
        warnings.warn(
            f"The checkpoint {name} is damaged or incomplete ({error}) and is {done}; "
            "the one before it is used if there is one.",
            UserWarning,
            stacklevel=5,
        )

    def _checked_content(self, step: int, kind: str, digest: str) -> bytes:
        content = self._content(step, kind)
        if checkpoint_description.digest(content) != digest:
            raise DamagedError(f"the checksum of its {kind} is wrong")
        return content

    def _content(self, step: int, kind: str) -> bytes:
        """Returns a file's bytes; if the file itself is at fault, it is damaged."""
        try:
            return files.read_bytes(self._path(step, kind))
        except FileNotFoundError as error:
            raise DamagedError(f"its {kind} is missing") from error
        except OSError as error:
            if files.is_remote(self._directory) or isinstance(error, PermissionError):
                raise OSError(
                    f"The checkpoint {_name(step, kind)!r} in {str(self._directory)!r} "
                    f"could not be read: {error.strerror or error}. Try again, or "
                    "check its permissions; nothing was restored."
                ) from error
            raise DamagedError(f"its {kind}: {error.strerror or error}") from error

    def _path(self, step: int, kind: str) -> files.Located:
        return self._directory / _name(step, kind)


def _name(step: int, kind: str) -> str:
    return f"step-{step:012d}.{kind}"


def _unpacked(content: bytes) -> dict[str, np.ndarray]:
    """Returns the arrays in a file that `np.savez` wrote."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:
        raise DamagedError(f"its arrays: {error}") from error
