"""What a checkpoint says of itself: a JSON text that is checked before it is believed.

Format 2 carries a checksum of itself and what was compiled and built. Format 1, of
version 0.1.0, had neither.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from keras_gamegan import version

FORMAT = 2
_CHECKSUM = "description_sha256"


class DamagedError(Exception):
    """A checkpoint is not, whole, what was once written."""


def write(description: Mapping[str, Any]) -> bytes:
    """Returns a description as bytes, with its format, version and checksum.

    Args:
        description: Dictionary of what `read` asks for, but those.
    """
    description = {
        "format": FORMAT,
        "keras_gamegan_version": version.__version__,
        **description,
    }
    description[_CHECKSUM] = _checksum(description)
    return json.dumps(description, indent=1).encode("utf-8")


def read(content: bytes, step: int) -> dict[str, Any]:
    """Returns the description that `write` made, or that 0.1.0 wrote.

    Args:
        content: Bytes.
        step: The step that its file is named after.

    Returns:
        The dictionary; all its fields are there, and are of the right types.

    Raises:
        DamagedError: If it is not what was written.
        ValueError: If a newer version wrote it.
    """
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"no JSON: {error}") from error
    _require(isinstance(found, dict), "no JSON object")
    # First of all: of what a newer version wrote, nothing else is known.
    _check_age(found)
    if found["format"] > 1:
        _require(_checksum(found) == found.get(_CHECKSUM), "its checksum is wrong")
    for field, holds in _FIELDS.items():
        _require(field in found, f"it has no {field!r}")
        _require(holds(found[field]), f"its {field!r} is not possible")
    for field, (holds, default) in _OPTIONAL.items():
        _require(holds(found.setdefault(field, default)), f"its {field!r} is wrong")
    _require(found["step"] == step, f"it is of step {found['step']}")
    _require(found["batch"] <= found["data_step"] <= step, "its position is wrong")
    width = {len(row) for row in found["metrics"]}
    _require(len(width) == 1, "its metrics are no table")
    if found["metric names"] is not None:
        _require(width == {len(found["metric names"])}, "its metrics are incomplete")
    return found


def digest(content: bytes) -> str:
    """Returns the checksum of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


def _check_age(found: Mapping[str, Any]) -> None:
    number: Any = found.get("format")
    made_by = found.get("keras_gamegan_version")
    _require(_is_number(number) and number >= 1, "it names no format")
    match = re.match(r"[0-9]+", made_by) if isinstance(made_by, str) else None
    if match is None or len(match[0]) >= 9:
        raise DamagedError("it names no version")
    major = int(version.__version__.split(".")[0])
    if number > FORMAT or int(match[0]) > major:
        raise ValueError(
            f"This is keras_gamegan {version.__version__}, which reads checkpoints up "
            f"to format {FORMAT} and of its own and older major versions. Received: a "
            f"checkpoint of format {number}, made by version {made_by}. Upgrade: pip "
            "install --upgrade keras_gamegan; or, if no newer version was ever used, "
            "the file is damaged: remove it, and the checkpoint before it is used."
        )


def _checksum(description: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in description.items() if name != _CHECKSUM}
    try:
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise DamagedError("too deep") from error
    return digest(text.encode("utf-8"))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise DamagedError(what)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list_of(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, value))


def _is_shape(value: Any) -> bool:
    return _is_list_of(value, _is_number)


def _is_shapes(value: Any) -> bool:
    return _is_list_of(value, _is_shape)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{64}", value))


def _is_metric(value: Any) -> bool:
    # Infinite, too: a range that has seen nothing.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_state(value: Any) -> bool:
    """Whether it is a callback's state, as `companions.pack` describes it."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("class"), str)
        and isinstance(value.get("state"), dict)
        and all(
            isinstance(content, dict)
            and ("value" in content or _is_number(content.get("arrays")))
            for content in value["state"].values()
        )
    )


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


_FIELDS = {
    "model": _is_text,
    "seed": _is_number,
    "shapes": _is_shapes,
    "optimizer slots": lambda value: _is_list_of(value, _is_shapes),
    "step": _is_number,
    "epoch": _is_number,
    "batch": _is_number,
    "data_step": _is_number,
    "metrics": lambda value: _is_list_of(
        value, lambda row: _is_list_of(row, _is_metric)
    ),
    "sha256": _is_digest,
}
# Field -> (what holds of it, what is meant where it is missing).
_OPTIONAL: dict = {
    "callbacks": (lambda value: _is_list_of(value, _is_state), []),
    "callbacks_sha256": (_or_none(_is_digest), None),
    "metric names": (_or_none(lambda value: _is_list_of(value, _is_text)), None),
    "settings": (lambda value: isinstance(value, dict), {}),
    "data": (_or_none(lambda value: isinstance(value, dict)), None),
}
