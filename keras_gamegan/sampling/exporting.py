"""Writes a sampler that needs neither this library nor Keras, whole or not at all."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import keras

from keras_gamegan import files, validation
from keras_gamegan.sampling import onnx_file, saved_model, warmup
from keras_gamegan.typing import PathLike

FORMATS = ("tf_saved_model", "onnx")
# The version above all that are there.
NEXT = "next"


def export(
    model: keras.Model,
    path: PathLike,
    source: str = "current",
    *,
    format: str = "tf_saved_model",
    score: bool = False,
    version: int | str | None = None,
    warmup: bool | None = None,
    verbose: bool = False,
) -> None:
    """Writes the generators of one source; see `GAN.export`."""
    validation.check_choice("format", format, FORMATS)
    validation.check_flag("score", score, (True, False))
    validation.check_flag("warmup", warmup, (True, False, None))
    validation.check_flag("verbose", verbose)
    saved_model.check_finite(model, source, score)
    if format == "onnx":
        onnx_file.check(model, source, score, version, warmup)
        with _written_whole(_free(path)) as beside:
            onnx_file.write(model, beside, source, verbose)
        return
    warm = _warm(warmup)
    place = _free(path) if version is None else _free_version(path, version)
    with _written_whole(place) as beside:
        saved_model.write(model, beside, source, score, warm, verbose)


def _warm(asked: bool | None) -> bool:
    """Returns whether to write the requests; None: where that can be done."""
    if asked:
        warmup.require()
    return warmup.is_available() if asked is None else asked


def _free(path: PathLike) -> files.Located:
    """Returns a path that is not taken."""
    path = files.locate("path", path)
    if _is_taken(path):
        raise ValueError(
            "`path` must be a folder that does not exist yet (for ONNX, a file), so "
            f"that nothing is overwritten. Received: path={str(path)!r}. Choose "
            'another, remove it, or pass version="next" for a folder of versions.'
        )
    return path


def _free_version(path: PathLike, version: int | str) -> files.Located:
    """Returns the folder of a version that is not taken."""
    is_next = isinstance(version, str) and version == NEXT
    if not is_next:
        version = validation.check_integer(
            "version",
            version,
            1,
            hint='TF Serving serves the largest; version="next" adds one to it.',
        )
    path = files.locate("path", path)
    taken_by = None
    if _is_taken(path / "saved_model.pb"):
        taken_by = "SavedModel"
    elif files.is_file(path):
        taken_by = "file"
    if taken_by is not None:
        raise ValueError(
            "`path` must be the folder that holds the versions, or not exist yet. "
            f"Received: path={str(path)!r}, which is a {taken_by}. Choose another "
            "folder."
        )
    # As TF Serving reads names: 007 is version 7.
    taken = sorted(int(name) for name in files.names(path) if name.isdecimal())
    if is_next:
        version = taken[-1] + 1 if taken else 1
    if version in taken:
        raise ValueError(
            "`version` must be a number that is still free, so that nothing is "
            f"overwritten. Received: version={version}, and {str(path)!r} holds "
            f"{', '.join(map(str, taken))}. Pass version={taken[-1] + 1}, or "
            'version="next".'
        )
    return path / str(version)


def _is_taken(path: files.Located) -> bool:
    try:
        return files.exists(path)
    except OSError as error:  # A name too long, or above it a folder that is closed.
        raise files.unusable("path", path, error) from error


@contextlib.contextmanager
def _written_whole(path: files.Located) -> Iterator[pathlib.Path]:
    """Yields a local path to write at, and moves what was written to ``path``.

    On a local disk it is written beside its place and renamed: a reader never sees half
    an export. If writing fails, nothing is left behind; if the process is killed, at
    most a hidden folder, whose name no server takes for a version. On object stores
    there is no such rename: it is written here, then uploaded, last of all the file
    without which a folder is no SavedModel.
    """
    if isinstance(path, files.RemotePath):
        with tempfile.TemporaryDirectory() as here:
            local = pathlib.Path(here) / path.name
            yield local
            files.upload(local, path, last="saved_model.pb")
        return
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Short: the name of the folder may already be as long as a name can be.
        prefix = f".{path.name[:50]}-"
        beside = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    except OSError as error:
        raise files.unusable("path", path, error) from error
    done = False
    try:
        yield beside / path.name
        os.replace(beside / path.name, path)
        done = True
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        for folder in [] if done else made:
            with contextlib.suppress(OSError):  # Somebody else wrote into it.
                folder.rmdir()
