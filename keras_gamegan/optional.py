"""Packages that only a part of the library needs: imported when that part is used."""

import importlib
from typing import Any


def load(module: str, extra: str, what: str) -> Any:
    """Imports a module of a package that comes with an extra.

    Args:
        module: Name of the module.
        extra: Name of the extra, as in `pip install 'keras-gamegan[extra]'`.
        what: What needs it, for the message.

    Returns:
        The module.

    Raises:
        ImportError: If it cannot be imported, with the command that installs it.

    Example:
        >>> from keras_gamegan import optional
        >>> optional.load("json", "games", "A game of two finite sets").dumps({})
        '{}'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing([module.partition(".")[0]], extra, what, error) from error


def missing(
    packages: list[str], extra: str, what: str, error: ImportError | None = None
) -> ImportError:
    """Returns the error of packages that are not there, or do not import."""
    reason = f" ({error})" if error is not None else ""
    return ImportError(
        f"{what} needs {' and '.join(packages)}, which cannot be imported{reason}. "
        f"Install what it needs: pip install 'keras-gamegan[{extra}]'.",
        name=packages[0] if error is None else error.name,
    )
