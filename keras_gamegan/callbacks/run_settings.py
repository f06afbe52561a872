"""What was compiled and built, kept in a checkpoint so that a change is said.

What cannot be described - a layer without `get_config`, a lambda - is "unknown", and is
not compared.
"""

import functools
import json
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras

from keras_gamegan.typing import Config

_UNKNOWN = "unknown"
# No part of what a run does: names, where a class stands, and how weights began.
_IGNORED = {"build_config", "compile_config", "module", "registered_name"}
# Characters of a value, and number of changes, that a sentence tells.
_MAX_LENGTH, _MAX_CHANGES = 60, 8

# What differs, the old value, the new value.
Change: TypeAlias = tuple[str, Any, Any]
# The configuration of an optimizer when it was first seen: before it was restored, and
# before a schedule moved its rate.
_compiled: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def record(model: keras.Model) -> dict[str, Any]:
    """Returns what a model is made of and compiled with, as JSON has it.

    Args:
        model: A compiled `TwoPlayerModel`.
    """
    roles, played = model._roles, model._played()
    return {
        **{name: _described(functools.partial(played.get, name)) for name in played},
        f"{roles.maximizer}'s optimizer": _first_seen(model.maximizer_optimizer),
        f"{roles.minimizer}'s optimizer": _first_seen(model.minimizer_optimizer),
        roles.maximizer: _described(lambda: model.maximizer),
        roles.minimizer: _described(lambda: model.minimizer),
        "model": _described(lambda: _arguments(model)),
    }


def _first_seen(optimizer: keras.Optimizer) -> Any:
    """Returns the configuration that an optimizer was compiled with."""
    if optimizer not in _compiled:
        _compiled[optimizer] = _described(lambda: optimizer)
    return _compiled[optimizer]


def changes(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> list[Change]:
    """Returns what differs: a list of (what, old value, new value).

    Args:
        old: From `record`, or a dictionary of JSON; {} or None says nothing.
        new: Likewise, of the present script.
    """
    old, new = old or {}, new or {}
    return [
        change
        for name in new
        if name in old
        for change in _differences(name, old[name], new[name])
    ]


def sentence(changed: Sequence[Change]) -> str:
    """Returns "a from 1 to 2, b from 3 to 4" for a list that `changes` returned."""
    told = [
        f"{what} from {_short(old)} to {_short(new)}"
        for what, old, new in changed[:_MAX_CHANGES]
    ]
    more = len(changed) - len(told)
    return ", ".join(told) + (f", and {more} more" if more else "")


def restore_rates(
    model: keras.Model, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Sets the learning rates that this script chose to differ from the checkpoint's.

    Args:
        model: The model, restored.
        old: `record` of the run that wrote the checkpoint.
        new: `record` of this script.
    """
    for side, optimizer in (
        (f"{model._roles.maximizer}'s optimizer", model.maximizer_optimizer),
        (f"{model._roles.minimizer}'s optimizer", model.minimizer_optimizer),
    ):
        before, now = _rate(old.get(side)), _rate(new[side])
        if before is not None and now is not None and before != now:
            optimizer.learning_rate = now


def _rate(config: Any) -> float | None:
    """Returns the constant learning rate in an optimizer's configuration, or None."""
    inner = config.get("config", {}) if isinstance(config, dict) else {}
    if "inner_optimizer" in inner:
        return _rate(inner["inner_optimizer"])
    rate = inner.get("learning_rate")
    return rate if isinstance(rate, (int, float)) else None


def _arguments(model: keras.Model) -> Config:
    """Returns the constructor's arguments that are not described elsewhere."""
    config = dict(model.get_config())
    for name in (*model._roles.names, "keras_gamegan_version", "name", "seed"):
        config.pop(name, None)
    return config


def _described(get: Callable[[], Any]) -> Any:
    """Returns the JSON of what `get` returns, or "unknown"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            config = keras.saving.serialize_keras_object(get())
            plain = json.loads(json.dumps(config))
        except Exception:
            return _UNKNOWN
    return _without_names(plain, _numbered(plain, {}))


def _numbered(config: Any, numbers: dict[str, str]) -> dict[str, str]:
    """Adds the names of layers, which Keras counts up in a process, to `numbers`."""
    if isinstance(config, dict):
        if isinstance(config.get("name"), str) and {"dtype", "layers"} & set(config):
            numbers.setdefault(config["name"], f"#{len(numbers)}")
        config = list(config.values())
    if isinstance(config, list):
        for each in config:
            _numbered(each, numbers)
    return numbers


def _without_names(config: Any, numbers: Mapping[str, str]) -> Any:
    """Returns a configuration without what has no effect on a run that goes on."""
    if isinstance(config, dict):
        if config.get("class_name") == "__lambda__":
            return _UNKNOWN
        if str(config.get("class_name")).endswith("DTypePolicy"):
            return config
        return {
            name: _without_names(value, numbers)
            for name, value in config.items()
            if not (name in _IGNORED or name == "name" or name.endswith("_initializer"))
        }
    if isinstance(config, list):
        # A tensor: the layer that made it, which call, which output.
        is_tensor = len(config) == 3 and isinstance(config[0], str)
        if is_tensor and config[0] in numbers:
            return [numbers[config[0]], *config[1:]]
        return [_without_names(value, numbers) for value in config]
    return config


def _differences(what: str, old: Any, new: Any) -> list[Change]:
    """Returns the smallest parts that differ, each with its place in words."""
    if old == new or _UNKNOWN in (old, new):
        return []
    if _is_object(old) and _is_object(new):
        if old["class_name"] != new["class_name"]:
            return [(what, old["class_name"], new["class_name"])]
        return _differences(what, old["config"], new["config"])
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            change
            for name in old | new
            for change in _differences(f"{what} {name}", old.get(name), new.get(name))
        ]
    both_lists = isinstance(old, list) and isinstance(new, list)
    if both_lists and len(old) == len(new) and any(map(_is_object, old)):
        return [
            change
            for index, (one, other) in enumerate(zip(old, new, strict=True))
            for change in _differences(f"{what}[{index}]", one, other)
        ]
    return [(what, old, new)]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and {"class_name", "config"} <= set(value)


def _short(value: Any) -> str:
    if _is_object(value):
        value = value["class_name"]
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 3]}..."
