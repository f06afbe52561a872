"""Whether a checkpoint is of the run that wants to go on from it."""

import os
import warnings
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import keras

from keras_gamegan import files
from keras_gamegan.distribution import keras_private
from keras_gamegan.models import optimizer_slots

# What the position inside an epoch is counted in.
_COUNTS_OF_AN_EPOCH = ("batch_size", "steps_per_epoch")


class _Run(NamedTuple):
    """The last training of a model with a checkpoint: in this folder, these steps."""

    directory: str
    first_step: int
    last_step: int


# What tells a training that was interrupted from one that a folder never saw.
_runs: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def begin(directory: files.Located, model: keras.Model) -> None:
    """Notes that a model begins to train with checkpoints in this folder."""
    _runs[model] = _Run(_place(directory), model.num_steps, model.num_steps)


def step_taken(model: keras.Model, step: int) -> None:
    """Notes the last step of that training."""
    _runs[model] = _runs[model]._replace(last_step=step)


def goes_back(directory: files.Located, step: int, model: keras.Model) -> bool:
    """Returns whether a model takes steps of an interrupted training again.

    Args:
        directory: Located path of the checkpoints.
        step: Step of the newest one.
        model: The model, before it is restored.

    Raises:
        ValueError: If it has taken further steps that this folder did not see.
    """
    lost = model.num_steps - step
    if lost <= 0:
        return False
    run = _runs.get(model)
    if run is not None and run.directory == _place(directory):
        # Interrupted between a step and the callbacks, the last call is not counted.
        seen = run.last_step + model.steps_per_execution
        if run.first_step <= step and model.num_steps <= seen:
            return True
    raise ValueError(
        "A model that goes on from a checkpoint must not have trained on without it. "
        f"Received: a model at step {model.num_steps}, and {str(directory)!r} whose "
        f"newest checkpoint is of step {step}: {lost} steps would be thrown away. To "
        "go on from here use another directory; to go back build and compile the model "
        "anew. Nothing was restored."
    )


def warn_of_lost_beginning(directory: files.Located, model: keras.Model) -> None:
    """Warns if a training was interrupted before its first checkpoint was written."""
    run = _runs.get(model)
    if run is None or run.directory != _place(directory):
        return
    if model.num_steps > run.first_step:
        warnings.warn(
            f"The training in {str(directory)!r} was interrupted before its first "
            f"checkpoint: the model goes on from step {model.num_steps}, where it is, "
            "and all epochs are still to come. Build and compile it anew for the run "
            "that was begun, or save more often: Checkpoint(every=100).",
            UserWarning,
            stacklevel=3,
        )


def warn_of_adaptation(model: keras.Model) -> None:
    """Warns of layers that Keras does not write into a file as they are."""
    networks = model.maximizer, model.minimizer
    if any(keras_private.adapted_weights(network) for network in networks):
        warnings.warn(
            "Keras merges a low-rank adaptation (enable_lora) into the kernel when it "
            "saves, and begins a new one when it loads: a resumed run computes the "
            "same function, but does not go on bit for bit.",
            UserWarning,
            stacklevel=3,
        )


def check_alone(directory: files.Located, others: Iterable[Any]) -> None:
    """Raises if another `Checkpoint` of the same `fit` writes into this folder.

    Args:
        directory: Located path.
        others: The other callbacks.
    """
    place = _place(directory)
    if any(_place(other.directory) == place for other in others):
        raise ValueError(
            "Each Checkpoint must have a folder of its own. Received: two with "
            f"directory={str(directory)!r} in one fit. Drop one of them, or give it "
            "another directory."
        )


def identity(model: keras.Model) -> dict[str, Any]:
    """Returns what must be the same for a run to be taken up, as JSON has it."""
    optimizers = (model.maximizer_optimizer, model.minimizer_optimizer)
    return {
        "model": type(model).__name__,
        "seed": model.seed,
        "shapes": [list(variable.shape) for variable in model.weights],
        "optimizer slots": [
            [list(variable.shape) for variable in optimizer.variables]
            for optimizer in optimizers
        ],
        "weights of the optimizers": list(optimizer_slots.places(model).values()),
    }


def check(
    directory: files.Located,
    description: Mapping[str, Any],
    model: keras.Model,
    changes_of_data: Iterable[tuple[str, Any, Any]],
) -> None:
    """Raises if a checkpoint belongs to another run than this one.

    Args:
        directory: Located path.
        description: Of the checkpoint.
        model: The model.
        changes_of_data: From `run_settings.changes`.
    """
    for field, mine in identity(model).items():
        # Checkpoints of 0.1.0 do not say which weights the slots belong to.
        if description.get(field, mine) != mine:
            difference = _difference(description[field], mine)
            raise _another_run(directory, f"{field} {difference}")
    if not description["batch"]:
        return
    for what, old, new in changes_of_data:
        if what in _COUNTS_OF_AN_EPOCH:
            raise _another_run(
                directory,
                f"{what} is {old}, not {new}, and that stopped inside an epoch, at "
                f"batch {description['batch']}",
            )


def _another_run(directory: files.Located, difference: str) -> ValueError:
    return ValueError(
        f"The checkpoints in {str(directory)!r} must belong to this model. Received: "
        f"one whose {difference}. Use another directory for another run; nothing was "
        "restored."
    )


def _difference(theirs: Any, mine: Any) -> str:
    if not isinstance(mine, list):
        return f"is {theirs}, not {mine}"
    if len(theirs) != len(mine):
        return f"are {len(theirs)} arrays, not {len(mine)}"
    first = next(pair for pair in zip(theirs, mine, strict=True) if pair[0] != pair[1])
    return f"hold {first[0]} where this model has {first[1]}"


def _place(directory: files.Located) -> str:
    """Returns what is the same for two names of one folder."""
    if files.is_remote(directory):
        return str(directory)
    return os.path.realpath(directory)
