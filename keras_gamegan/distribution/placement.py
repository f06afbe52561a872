"""Whether a model stands where it is to be trained, said before anything runs."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

_ADVICE = (
    "Build the networks, the optimizers and the model, and compile it, under one "
    "`with strategy.scope():`."
)


def scope_of(model: keras.Model, *optimizers: Any) -> contextlib.AbstractContextManager:
    """Returns the scope of the strategy that a model was built under.

    Args:
        model: A built model.
        *optimizers: What is to be built there; names and configurations may be among
            them.

    Raises:
        ValueError: If an optimizer was made outside that scope.
    """
    strategy = _strategy_of(model)
    if strategy is None:
        return contextlib.nullcontext()
    for optimizer in optimizers:
        made = getattr(optimizer, "iterations", None)
        if made is not None and not _is_distributed(made):
            raise ValueError(
                f"Under a {type(strategy).__name__} every variable must be made in its "
                f"scope. Received: an optimizer, {optimizer.name!r}, made outside. "
                f"{_ADVICE}"
            )
    return strategy.scope()


def check(
    model: keras.Model, variables: Mapping[str, Sequence[keras.Variable]]
) -> None:
    """Raises if a model and its strategy do not belong together.

    Args:
        model: A built and compiled model.
        variables: From what they are to the variables.

    Raises:
        ValueError: If the model was built outside the current strategy's scope, or its
            networks or optimizers outside its own.
    """
    built = _strategy_of(model)
    current = None
    if tf.distribute.has_strategy():
        current = tf.distribute.get_strategy()
    if current is not None and current is not built:
        where = "no strategy" if built is None else "another strategy"
        raise ValueError(
            "A model must be trained under the strategy it was built under. Received: "
            f"a model built under {where}, and fit() under the scope of a "
            f"{type(current).__name__}. {_ADVICE}"
        )
    if built is None or built.num_replicas_in_sync == 1:
        return
    for owner, owned in variables.items():
        outside = [v for v in owned if not _is_distributed(v)]
        if outside:
            raise ValueError(
                f"Under a {type(built).__name__} every variable must be made in its "
                f"scope. Received: variables of the {owner} made outside, such as "
                f"{outside[0].path!r}. {_ADVICE}"
            )


def check_batch_size(model: keras.Model, batch_size: float | None) -> None:
    """Raises if a global batch has fewer examples than there are replicas.

    Args:
        model: The model.
        batch_size: Examples in the global batch, or None if unknown.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    if batch_size is not None and batch_size < replicas:
        raise ValueError(
            "A global batch must have at least one example for every replica; the "
            f"batch size is the global one. Received: batches of {batch_size:g} "
            f"example(s) on {replicas} replicas. Use batches of {replicas} or more."
        )


def _strategy_of(model: keras.Model) -> tf.distribute.Strategy | None:
    # Keras' own name; the public property falls back to the current strategy.
    return model._distribute_strategy


def _is_distributed(variable: keras.Variable) -> bool:
    return isinstance(variable.value, tf.distribute.DistributedValues)
