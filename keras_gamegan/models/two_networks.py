"""Whether two networks can play against each other at all."""

from typing import Any

import keras

from keras_gamegan import validation
from keras_gamegan.models.roles import Roles


def check(roles: Roles, minimizer: Any, maximizer: Any) -> None:
    """Raises unless both are built Keras models that share no weight.

    Args:
        roles: What they are called.
        minimizer: What was given as the minimiser.
        maximizer: What was given as the maximiser.

    Raises:
        TypeError: If one is not a Keras model.
        ValueError: If one has inputs that Keras does not know, or they share layers.
    """
    for name, network in zip(roles.names, (minimizer, maximizer), strict=True):
        check_model(name, network)
        if not getattr(network, "inputs", None):
            raise ValueError(
                f"The inputs of `{name}` must be known. Received: {name}="
                f"{network.name!r}, a model whose inputs Keras does not know. Wrap it: "
                "inputs = keras.Input(shape); keras.Model(inputs, model(inputs))."
            )
    check_not_shared(minimizer, maximizer)


def check_model(name: str, network: Any) -> None:
    """Raises unless an argument is a Keras model.

    Raises:
        TypeError: If so.
    """
    if isinstance(network, keras.Model):
        return
    hint = ""
    if validation.is_from(network, "tf_keras"):
        hint = (
            " It is a model of tf_keras (Keras 2): build it with keras 3, from the "
            "package `keras`."
        )
    raise TypeError(
        f"`{name}` must be a keras.Model (functional or Sequential). "
        f"Received: {name}={network!r} (of type {type(network).__name__}).{hint}"
    )


def check_not_shared(first: keras.Model, second: keras.Model) -> None:
    """Raises if two networks have a weight in common.

    Raises:
        ValueError: If so.
    """
    owned = {id(variable) for variable in first.variables}
    shared = [v.path for v in second.variables if id(v) in owned]
    if shared or first is second:
        raise ValueError(
            "The networks must not share layers: each player owns its weights. "
            f"Received: networks that share {shared or 'everything'}. Build two."
        )
