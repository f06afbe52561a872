"""A model's whole state as bytes, and back, whole or not at all."""

import io
import pathlib
import tempfile
from collections.abc import Collection, Sequence

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas, workers
from keras_gamegan.models.step import guard


class _WeightsFile(io.BytesIO):
    """A weights file in memory, for Keras, which looks at the ending of its name.

    On a full disk HDF5 ends the process (SIGSEGV in its close) instead of raising; so
    the file is made here, and plain bytes are written.
    """

    def __str__(self) -> str:
        return "memory.weights.h5"


# From Keras 3.10 on `save_weights` takes an open file.
_TAKES_FILES = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 10)


def to_bytes(model: keras.Model) -> bytes:
    """Returns the content of a `.weights.h5` file: weights, banks, optimizers."""
    if not _TAKES_FILES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.weights.h5"
            model.save_weights(path)
            return path.read_bytes()
    file = _WeightsFile()
    model.save_weights(file)
    return file.getvalue()


def restore(model: keras.Model, content: bytes) -> None:
    """Gives a model the state that `to_bytes` returned.

    Raises:
        ValueError: If it does not fit; then the model is as it was.
    """
    # Without communication: another worker may have nothing to restore.
    before = [replicas.local_values(each)[0].numpy() for each in variables(model)]
    try:
        _load(model, content)
    except BaseException as error:
        for variable, value in zip(variables(model), before, strict=True):
            variable.assign(value)
        if not isinstance(error, (ValueError, KeyError, TypeError)):
            raise
        raise ValueError(
            "The checkpoint must hold the layers of this model. Received: weights of "
            f"equal shapes in other layers ({' '.join(str(error).split())[:300]}). "
            "Build the networks as they were, or use another directory; nothing was "
            "restored."
        ) from error


def _load(model: keras.Model, content: bytes) -> None:
    if _TAKES_FILES:
        model.load_weights(_WeightsFile(content))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.weights.h5"
        path.write_bytes(content)
        model.load_weights(path)


def variables(model: keras.Model) -> list[keras.Variable]:
    """Returns the variables of the networks, banks and both optimizers."""
    return [
        *model.weights,
        *model.maximizer_optimizer.variables,
        *model.minimizer_optimizer.variables,
    ]


def infinite_by_design(model: keras.Model) -> set[int]:
    """Returns the ids of the variables that may be infinite: they are, untrained.

    A layer may keep a running minimum that begins at infinity, or a mask.
    """
    return {
        id(variable)
        for variable in model.non_trainable_weights
        if not _is_finite(variable) and not _has_nan(variable)
    }


def check_finite(model: keras.Model, except_ids: Collection[int], kept: str) -> None:
    """Raises if anything of the state is NaN or infinite.

    Args:
        model: The model.
        except_ids: From `infinite_by_design`.
        kept: A sentence on what is left to go on from.

    Raises:
        NonFiniteError: If so.
    """
    bad = next(
        (
            variable
            for variable in variables(model)
            if id(variable) not in except_ids and not _is_finite(variable)
        ),
        None,
    )
    if bad is None:
        return
    raise guard.NonFiniteError(
        "A checkpoint must hold finite numbers only. Received: NaN or infinite values "
        f"in {bad.path!r} after training step {model.num_steps}; nothing was written. "
        f'{kept} Lower the learning rates, add penalty="r1", or clip the gradients '
        "(clipnorm=1.0 in the optimizer), and run again."
    )


def metric_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns the variables of the epoch's running means by name."""
    return {
        f"{metric.name}/{index}": variable
        for metric in model.metrics
        for index, variable in enumerate(metric.variables)
    }


def restore_metrics(
    model: keras.Model, names: Sequence[str] | None, rows: Sequence[Sequence[float]]
) -> None:
    """Gives the running means what they held; one that is new begins anew.

    Args:
        model: The model.
        names: Names of the variables, from `metric_variables`; None in a checkpoint of
            0.1.0, which knew of all that this version has or is left out.
        rows: A row of numbers for each replica.
    """
    variables = metric_variables(model)
    if names is None:
        names = list(variables) if len(rows[0]) == len(variables) else []
    columns = [index for index, name in enumerate(names) if name in variables]
    if columns:
        workers.restore_replica_values(
            model.distribute_strategy,
            [variables[names[column]] for column in columns],
            [[row[column] for column in columns] for row in rows],
        )


def _is_finite(variable: keras.Variable) -> bool:
    # Of each replica here: only the chief asks, so nothing can be asked of others.
    return all(
        bool(tf.reduce_all(tf.math.is_finite(value)))
        for value in replicas.local_values(variable)
        if value.dtype.is_floating
    )


def _has_nan(variable: keras.Variable) -> bool:
    values = replicas.local_values(variable)
    return any(bool(tf.reduce_any(tf.math.is_nan(value))) for value in values)
