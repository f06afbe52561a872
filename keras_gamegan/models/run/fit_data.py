"""The data that `fit` gets, in the form in which a run can be repeated and resumed."""

import types
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import arrays, stream


class FitData(NamedTuple):
    """Data for training and for validation.

    Attributes:
        x: `datasets.arrays.ArrayBatches`, or what Keras' `fit` takes.
        validation: As `fit` takes `validation_data`, or None.
        batch_size: Examples in a batch, or None if unknown.
    """

    x: Any
    validation: Any
    batch_size: int | None

    @property
    def specification(self) -> dict | None:
        """What a checkpoint notes of the data, as JSON has it; None: nothing."""
        if isinstance(self.x, arrays.ArrayBatches):
            return {
                "examples": self.x.num_examples,
                "batch_size": self.x.batch_size,
                "steps_per_epoch": self.x.steps_per_epoch,
            }
        if not isinstance(self.x, tf.data.Dataset):
            return None
        specs = tf.nest.flatten(self.x.element_spec)
        cardinality = int(self.x.cardinality())
        told = {
            "elements": [[list(_shape(spec)), spec.dtype.name] for spec in specs],
            "batch_size": self.batch_size,
            "steps_per_epoch": cardinality if cardinality > 0 else None,
        }
        # What is not known is not compared.
        return {name: value for name, value in told.items() if value is not None}

    def what_must_agree(self, x: Any, arguments: dict) -> dict:
        """Returns what several workers must have in common, by what it is called.

        Not what the data are: every worker reads its own copy.

        Args:
            x: The data as Keras gets them.
            arguments: Further arguments of `fit`.
        """
        found = self.specification or {}
        return {
            "data (element types, shapes or sharding)": _described(x),
            "batch size": found.get("batch_size"),
            "number of examples or batches": [found.get("examples"), _length(x)],
            "shuffle": isinstance(self.x, arrays.ArrayBatches) and self.x.shuffle,
            "validation data": [
                _described(self.validation),
                _length(self.validation),
                *(arguments.get(f"validation_{n}") for n in ("batch_size", "steps")),
                arguments.get("validation_freq", 1),
            ],
        }


def prepare(model: Any, x: Any, y: Any, arguments: dict) -> FitData:
    """Returns the data of a call of `fit`, checked.

    Args:
        model: A `TwoPlayerModel`.
        x: As in `TwoPlayerModel.fit`.
        y: As in `TwoPlayerModel.fit`.
        arguments: Further arguments of `fit`; those that arrays alone have are taken
            out.

    Raises:
        TypeError: If the data are none that a model can be trained on.
        ValueError: If they are empty, not finite, misshapen, weighted or lack labels.
    """
    for name in ("sample_weight", "class_weight"):
        if arguments.pop(name, None) is not None:
            raise ValueError(
                f"A game takes no weights of examples. Received: {name}=... in fit(). "
                "Resample the data instead: draw each example as often as it weighs."
            )
    if isinstance(x, stream.ShuffledStream):
        x = x.epochs()
    validation_data = _validation(model, arguments.pop("validation_data", None))
    _check_end("fit", validation_data, arguments, "validation_steps")
    if _is_structure(x) or arrays.is_array(x):
        element = model._data_form.of_arrays("The data", x, y)
        batch_size = arguments.pop("batch_size", None)
        batch_size = 32 if batch_size is None else batch_size
        validation.check_integer("batch_size", batch_size)
        split = arguments.pop("validation_split", 0.0) or 0.0
        if split:
            element, validation_data = _split(element, split, validation_data)
        shuffle = arguments.pop("shuffle", True)
        batches = arrays.ArrayBatches(element, batch_size, bool(shuffle), model.seed)
        size = min(batch_size, batches.num_examples)
        return FitData(batches, validation_data, size)
    _check_form("x", x)
    if arguments.pop("validation_split", None):
        raise ValueError(
            "`validation_split` belongs to arrays: a data set does not know its end. "
            f"Received: validation_split=... beside x of type {type(x).__name__}. "
            "Split it: validation_data=dataset.take(n), dataset.skip(n)."
        )
    _check_set(model, x, y)
    _check_end("fit", x, arguments, "steps_per_epoch")
    if isinstance(x, tf.data.Dataset):
        # Keras shuffles arrays only, and warns if a data set leaves it the default.
        arguments.setdefault("shuffle", False)
    size = None
    if isinstance(x, tf.data.Dataset):
        specs = tf.nest.flatten(x.element_spec)
        size = specs[0].shape[0] if specs and specs[0].shape.rank else None
    return FitData(x, validation_data, size)


def for_evaluation(model: Any, x: Any, y: Any, arguments: dict) -> tuple[Any, Any]:
    """Returns (x, y) for Keras' `evaluate`, checked."""
    if isinstance(x, stream.ShuffledStream):
        x = x.epochs()
    if _is_structure(x) or arrays.is_array(x):
        return as_xy(model._data_form.of_arrays("The data", x, y))
    _check_form("x", x)
    _check_set(model, x, y)
    _check_end("evaluate", x, arguments, "steps")
    return x, y


def _validation(model: Any, given: Any) -> Any:
    """Returns what `validation_data` got, checked."""
    if given is None:
        return None
    if isinstance(given, (list, tuple)):
        two = _two(given)
        return as_xy(model._data_form.of_arrays("The validation data", *two))
    if isinstance(given, stream.ShuffledStream):
        given = given.epochs()
    if arrays.is_array(given) or isinstance(given, dict):
        return as_xy(model._data_form.of_arrays("The validation data", given, None))
    _check_form("validation_data", given)
    _check_set(model, given, None)
    return given


def _check_form(name: str, x: Any) -> None:
    """Raises unless Keras can take batches from it."""
    takes = (
        f"`{name}` must be an array, a tf.data.Dataset, a kgg.datasets stream, a "
        "keras.utils.PyDataset, a generator or a torch DataLoader"
    )
    if x is None:
        raise ValueError(f"{takes}. Received: {name}=None. Pass the data to train on.")
    known = isinstance(x, (tf.data.Dataset, keras.utils.PyDataset))
    foreign = validation.is_from(x, "tensorflow.python.distribute", "torch", "grain")
    if not (known or foreign or isinstance(x, types.GeneratorType)):
        raise TypeError(
            f"{takes}. Received: {name}={x!r} (of type {type(x).__name__}). Make an "
            "array of it: np.asarray(...)."
        )


def _check_end(method: str, x: Any, arguments: dict, steps: str) -> None:
    """Raises if Keras would read a data set that never ends until it ends."""
    if not isinstance(x, tf.data.Dataset) or arguments.get(steps) is not None:
        return
    if x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"{method}() of a data set that never ends needs `{steps}`. Received: "
            f"{steps}=None and a tf.data.Dataset that repeats for ever. Pass "
            f"{steps}=..., or leave .repeat() out."
        )


def _check_set(model: Any, x: Any, y: Any) -> None:
    """Raises if a data set cannot be trained on, where that can be seen."""
    if isinstance(x, tf.data.Dataset):
        model._data_form.check_dataset(x)
    if y is not None:
        raise ValueError(
            "`y` belongs to arrays: a data set yields its labels itself. Received: "
            f"y=... beside x of type {type(x).__name__}. Zip them: elements (data, "
            "labels)."
        )


def as_xy(element: tuple) -> tuple[Any, Any]:
    """Returns the (x, y) of Keras' `evaluate` for an element (x,) or (x, y)."""
    return element if len(element) == 2 else (element[0], None)


def _two(given: Any) -> tuple[Any, Any]:
    """Returns (x, y) of what `validation_data` got."""
    if not 1 <= len(given) <= 3:
        raise ValueError(
            "`validation_data` must be (data,), (data, labels) or a data set. "
            f"Received: a {type(given).__name__} of {len(given)} entries. Make one "
            "array of a list of examples: np.stack(examples)."
        )
    if len(given) == 3 and given[2] is not None:
        raise ValueError(
            "A game takes no weights of examples. Received: validation_data=(data, "
            "labels, weights). Drop the third."
        )
    return given[0], given[1] if len(given) > 1 else None


def _is_structure(x: Any) -> bool:
    return isinstance(x, (list, tuple, dict)) and not hasattr(x, "__next__")


def _split(element: tuple, split: float, validation_data: Any) -> tuple:
    """Returns (element, validation data), the latter of which is the last part."""
    fraction = validation.check_number("validation_split", split, 0.0, 1.0)
    number = len(tf.nest.flatten(element)[0])
    at = int(number * (1.0 - fraction))
    if not 0 < at < number:
        raise ValueError(
            "`validation_split` must leave at least one example on both sides. "
            f"Received: validation_split={split!r} of {number} examples."
        )
    if validation_data is None:
        validation_data = as_xy(tf.nest.map_structure(lambda x: x[at:], element))
    return tf.nest.map_structure(lambda x: x[:at], element), validation_data


def _shape(spec: tf.TensorSpec) -> list:
    return list(spec.shape) if spec.shape.rank is not None else []


def _described(data: Any) -> list:
    """Returns of which kind data are: nothing that differs between equal data."""
    if isinstance(data, tf.data.Dataset):
        policy = data.options().experimental_distribute.auto_shard_policy
        specs = tf.nest.map_structure(_element, data.element_spec)
        return ["tf.data.Dataset", repr(specs), policy.name]
    if isinstance(data, (list, tuple)):
        return [_described(part) for part in data]
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        return ["array", str(data.dtype), [str(size) for size in data.shape[1:]]]
    return [type(data).__name__]


def _element(spec: Any) -> str:
    if not isinstance(spec, tf.TensorSpec) or not spec.shape.rank:
        return repr(spec)
    # Its batch size is told by name.
    return repr([spec.dtype.name, list(spec.shape[1:])])


def _length(data: Any) -> Any:
    """Returns batches or examples, or how they are unknown."""
    if isinstance(data, tf.data.Dataset):
        # Endless and unknown are two things: TensorFlow asks all workers for a next
        # batch where the length is unknown.
        return int(data.cardinality())
    if isinstance(data, keras.utils.PyDataset):
        return data.num_batches
    if isinstance(data, (list, tuple)):
        return [_length(part) for part in data]
    return len(data) if hasattr(data, "shape") and len(data.shape) else None
