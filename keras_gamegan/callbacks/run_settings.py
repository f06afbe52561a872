"""What was compiled and built, kept in a checkpoint so that a change is said.

What cannot be described - a layer without `get_config`, a lambda - is "unknown", and is
not compared.
"""

import json
import warnings
import weakref

import keras

_UNKNOWN = "unknown"
# No part of what a run does: names, where a class stands, and how weights began.
_IGNORED = {"build_config", "compile_config", "module", "registered_name"}
# Characters of a value, and number of changes, that a sentence tells.
_MAX_LENGTH, _MAX_CHANGES = 60, 8

# The configuration of an optimizer when it was first seen: before it was restored, and
# before a schedule moved its rate.
_compiled: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def record(model):
    """Returns what a model is made of and compiled with, as JSON has it.

    Args:
        model: A compiled `TwoPlayerModel`.
    """
    for optimizer in (model.maximizer_optimizer, model.minimizer_optimizer):
        if optimizer not in _compiled:
            _compiled[optimizer] = _described(lambda each=optimizer: each)
    roles, played = model.roles, model.played()
    return {
        **{name: _described(lambda name=name: played[name]) for name in played},
        f"{roles.maximizer}'s optimizer": _compiled[model.maximizer_optimizer],
        f"{roles.minimizer}'s optimizer": _compiled[model.minimizer_optimizer],
        roles.maximizer: _described(lambda: model.maximizer),
        roles.minimizer: _described(lambda: model.minimizer),
        "model": _described(lambda: _arguments(model)),
    }


def changes(old, new):
    """Returns what differs: a list of (what, old value, new value).

    Args:
        old: From `record`, or a dictionary of JSON; {} or None says nothing.
        new: Likewise, of the present script.
    """
    return [
        change
        for name in new or {}
        if name in (old or {})
        for change in _differences(name, old[name], new[name])
    ]


def sentence(changed):
    """Returns "a from 1 to 2, b from 3 to 4" for a list that `changes` returned."""
    told = [
        f"{what} from {_short(old)} to {_short(new)}"
        for what, old, new in changed[:_MAX_CHANGES]
    ]
    more = len(changed) - len(told)
    return ", ".join(told) + (f", and {more} more" if more else "")


def restore_rates(model, old, new):
    """Sets the learning rates that this script chose to differ from the checkpoint's.

    Args:
        model: The model, restored.
        old: `record` of the run that wrote the checkpoint.
        new: `record` of this script.
    """
    for side, optimizer in (
        (f"{model.roles.maximizer}'s optimizer", model.maximizer_optimizer),
        (f"{model.roles.minimizer}'s optimizer", model.minimizer_optimizer),
    ):
        before, now = _rate(old.get(side)), _rate(new[side])
        if before is not None and now is not None and before != now:
            optimizer.learning_rate = now


def _rate(config):
    """Returns the constant learning rate in an optimizer's configuration, or None."""
    inner = config.get("config", {}) if isinstance(config, dict) else {}
    if "inner_optimizer" in inner:
        return _rate(inner["inner_optimizer"])
    rate = inner.get("learning_rate")
    return rate if isinstance(rate, (int, float)) else None


def _arguments(model):
    """Returns the constructor's arguments that are not described elsewhere."""
    config = dict(model.get_config())
    for name in (*model.roles.players, "keras_gamegan_version", "name", "seed"):
        config.pop(name, None)
    return config


def _described(get):
    """Returns the JSON of what `get` returns, or "unknown"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            config = keras.saving.serialize_keras_object(get())
            plain = json.loads(json.dumps(config))
        except Exception:
            return _UNKNOWN
    return _without_names(plain, _numbered(plain, {}))


def _numbered(config, numbers):
    """Adds the names of layers, which Keras counts up in a process, to `numbers`."""
    if isinstance(config, dict):
        if isinstance(config.get("name"), str) and {"dtype", "layers"} & set(config):
            numbers.setdefault(config["name"], f"#{len(numbers)}")
        config = list(config.values())
    if isinstance(config, list):
        for each in config:
            _numbered(each, numbers)
    return numbers


def _without_names(config, numbers):
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


def _differences(what, old, new):
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


def _is_object(value):
    return isinstance(value, dict) and {"class_name", "config"} <= set(value)


def _short(value):
    if _is_object(value):
        value = value["class_name"]
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 3]}..."
