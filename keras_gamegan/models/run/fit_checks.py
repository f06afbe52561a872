"""What `fit` does around Keras' own: checks, guards, resuming."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import version
from keras_gamegan.distribution import (
    agreement,
    execution,
    lost_worker,
    notices,
    placement,
    stopping,
    workers,
)
from keras_gamegan.models import serialization
from keras_gamegan.models.run import fit_data, resuming, run_arguments, training_guard
from keras_gamegan.models.run.fit_data import FitData
from keras_gamegan.models.run.resuming import Stage
from keras_gamegan.models.step import guard


def prepare(
    model: Any,
    x: Any,
    y: Any,
    epochs: int,
    verbose: Any,
    callbacks: Any,
    arguments: dict[str, Any],
) -> tuple[FitData, list[resuming.Stage], list]:
    """Returns what a call of `fit` comes to, once all that can be seen is checked.

    Args:
        model: A `TwoPlayerModel`.
        x: As in `TwoPlayerModel.fit`.
        y: As in `TwoPlayerModel.fit`.
        epochs: As in `TwoPlayerModel.fit`.
        verbose: As in `TwoPlayerModel.fit`.
        callbacks: As in `TwoPlayerModel.fit`.
        arguments: Dictionary of further arguments of Keras' `fit`; those that are
            not handed on are taken out.

    Returns:
        A tuple (`FitData`, list of `resuming.Stage`, list of callbacks).

    Raises:
        ValueError: As in `TwoPlayerModel.fit`.
    """
    strategy = model.distribute_strategy
    with agreement.prepared(strategy):
        check_compiled(model, "fit")
        _check_trainable(model)
        run_arguments.check_fit(epochs, verbose, arguments)
        data, stages, callbacks = _prepare(model, x, y, epochs, callbacks, arguments)
    agreement.check(
        strategy, lambda: _what_must_agree(model, data, stages, callbacks, arguments)
    )
    callbacks = workers.callbacks_of_worker(strategy, callbacks)
    if workers.num_workers(strategy) > 1:
        # Last in the list: the others have said by then whether they stop.
        callbacks = [*callbacks, stopping.StopTogether()]
    return data, stages, callbacks


@contextlib.contextmanager
def run(model: Any, callbacks: Any) -> Iterator[None]:
    """What stands around the steps of `fit`: errors explained, and what is let go."""
    try:
        with notices.exchanged(model.distribute_strategy), explained(model):
            yield
    finally:
        # What a callback holds while training runs, such as a lock on a folder.
        for callback in callbacks:
            if hasattr(callback, "release"):
                callback.release()
    for optimizer, network in (
        (model.maximizer_optimizer, model.maximizer_network),
        (model.minimizer_optimizer, model.minimizer_network),
    ):
        optimizer.finalize_variable_values(network.weight_variables)


def _prepare(
    model: Any, x: Any, y: Any, epochs: int, callbacks: Any, arguments: dict[str, Any]
) -> tuple[FitData, list[resuming.Stage], list]:
    """Returns (`FitData`, stages, callbacks) of a call of `fit`, checked."""
    callbacks = run_arguments.as_callbacks(callbacks)
    data = fit_data.prepare(model, x, y, arguments)
    _check_strategy(model, data.batch_size)
    execution.check_steps_per_execution(
        model.distribute_strategy, model.steps_per_execution
    )
    # First in the list, so that nothing is saved that it would have refused.
    callbacks = [
        training_guard.TrainingGuard(model._data_form.reachable_range),
        *callbacks,
    ]
    specification = data.specification
    if specification and arguments.get("steps_per_epoch"):
        specification["steps_per_epoch"] = arguments["steps_per_epoch"]
    for callback in callbacks:
        if hasattr(callback, "data_specification"):
            callback.data_specification = specification
    stages = resuming.plan(
        model,
        data.x,
        callbacks,
        epochs,
        arguments.pop("initial_epoch", 0),
        arguments.pop("steps_per_epoch", None),
    )
    for callback in callbacks:
        if hasattr(callback, "take_training_data"):
            callback.take_training_data(stages[0].x)
    if isinstance(stages[0].x, tf.data.Dataset):
        # Keras shuffles arrays only, and warns if a data set leaves it the default.
        arguments.setdefault("shuffle", False)
    return data, stages, callbacks


@contextlib.contextmanager
def explained(model: Any) -> Iterator[None]:
    """Turns what a step raises, or could not raise, into the error that says why."""
    try:
        yield
    except tf.errors.OpError as error:
        strategy = model.distribute_strategy
        found = guard.explain(error) or lost_worker.explain(error, strategy)
        if found is None:
            raise
        raise found from None
    guard.raise_noted(model)


def check_compiled(model: Any, method: str) -> None:
    """Raises unless the model is compiled.

    Args:
        model: A `TwoPlayerModel`.
        method: What is about to be called.
    """
    if not model.compiled:
        roles = model._roles
        raise ValueError(
            f"compile() must be called before {method}(). Received: a model without "
            f"optimizers. Call model.compile({roles.maximizer_optimizer}='adam', "
            f"{roles.minimizer_optimizer}='adam')."
        )


def _check_trainable(model: Any) -> None:
    """Raises if layers were frozen or unfrozen since `compile`, which reads that."""
    for name, network in (
        (model._roles.maximizer, model.maximizer_network),
        (model._roles.minimizer, model.minimizer_network),
    ):
        if not network.is_current:
            now = len(network.model.trainable_variables)
            raise ValueError(
                "compile() reads which weights are trainable, as in Keras. Received: a "
                f"{name} with {now} trainable weights, {len(network.weight_variables)} "
                "when it was compiled, or others. Call compile() again after freezing "
                "or unfreezing."
            )


def _check_strategy(model: Any, batch_size: int | None) -> None:
    """Raises if the model cannot train under its strategy, or not on such batches."""
    roles = model._roles
    owned = {
        roles.maximizer: model.maximizer.variables,
        roles.minimizer: model.minimizer.variables,
        f"{roles.maximizer}'s optimizer": model.maximizer_optimizer.variables,
        f"{roles.minimizer}'s optimizer": model.minimizer_optimizer.variables,
    }
    placement.check(model, owned)
    _check_local_search(model)
    placement.check_batch_size(model, batch_size)


def _check_local_search(model: Any) -> None:
    """Raises if a search without communication meets a layer that communicates."""
    response = getattr(model.scheme, "response", None)
    several = model.distribute_strategy.num_replicas_in_sync > 1
    if not several or response is None or response.sync != "local":
        return
    layers = [*model.maximizer.layers, *model.minimizer.layers]
    for layer in layers:
        if getattr(layer, "synchronized", False):
            raise ValueError(
                'BestResponse(sync="local") searches without communication between '
                f"replicas. Received: the layer {layer.name!r}, which is synchronized. "
                'Use sync="global", or BatchNormalization(synchronized=False).'
            )


def _what_must_agree(
    model: Any,
    data: Any,
    stages: list[Stage],
    callbacks: Any,
    arguments: dict[str, Any],
) -> dict[str, Any]:
    """Returns what has to be the same on all workers, by what it is called."""
    config = model.get_config()
    seed = config.pop("seed")
    del config["keras_gamegan_version"]
    return {
        "versions of keras_gamegan, Keras or TensorFlow": [
            version.__version__,
            keras.__version__,
            tf.__version__,
        ],
        "seed": seed,
        "model": [type(model).__name__, config],
        "optimizers, loss or penalty": serialization.compile_config(model),
        **data.what_must_agree(stages[0].x, arguments),
        "epochs or steps_per_epoch": [stages[-1].epochs, stages[-1].steps_per_epoch],
        "step to go on from": [
            model.num_steps,
            [stage.initial_epoch for stage in stages],
        ],
        "callbacks that all workers must have": [
            [type(each).__name__, getattr(getattr(each, "schedule", None), "every", "")]
            for each in callbacks
            if getattr(each, "on_all_workers", False)
        ],
    }
