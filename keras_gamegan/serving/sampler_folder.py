"""Where an exported sampler lies."""

import os
import pathlib


def find_sampler(path: str | os.PathLike) -> pathlib.Path:
    """Returns the folder of the SavedModel: ``path``, or its largest version.

    Raises:
        ValueError: If there is none.
    """
    path = pathlib.Path(path)
    versions = [entry for entry in path.glob("*") if entry.name.isdecimal()]
    if versions:
        path = max(versions, key=lambda entry: int(entry.name))
    if not (path / "saved_model.pb").is_file():
        raise ValueError(
            "The folder must be that of an exported sampler, or of its versions. "
            f"Received: {str(path)!r}. Write one with gan.export(path, version=1)."
        )
    return path
