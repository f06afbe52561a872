"""The two optimizers of a model: checked, wrapped for float16, and built."""

from typing import Any

import keras

from keras_gamegan import validation
from keras_gamegan.distribution import keras_private
from keras_gamegan.models import layer_tree
from keras_gamegan.models.optimizer_pair import OptimizerPair as OptimizerPair
from keras_gamegan.models.roles import Roles
from keras_gamegan.stateless_network import StatelessNetwork


def prepare(
    roles: Roles,
    given: tuple[Any, Any],
    networks: tuple[StatelessNetwork, StatelessNetwork],
    auto_scale_loss: bool,
) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Returns both optimizers, wrapped for mixed precision and built.

    Args:
        roles: `roles.Roles`: what they are called.
        given: The minimiser's and the maximiser's: names, configurations or Keras
            optimizers.
        networks: The `StatelessNetwork` whose weights each updates.
        auto_scale_loss: Whether float16 networks get a `LossScaleOptimizer`.

    Returns:
        A pair (minimiser's, maximiser's).

    Raises:
        ValueError: If both are one object, or one belongs to other variables.
    """
    names = roles.minimizer_optimizer, roles.maximizer_optimizer
    # The maximiser's first, as it is asked for.
    order = [(names[side], given[side], networks[side]) for side in (1, 0)]
    found = {name: _get(name, optimizer) for name, optimizer, _ in order}
    if _inner(found[names[0]]) is _inner(found[names[1]]):
        raise ValueError(
            f"`{names[1]}` and `{names[0]}` must be two optimizers: each keeps the "
            "state of its own network. Received: the same object twice. Create two."
        )
    for name, _, network in order:
        _check_variables(name, found[name], network)
    # Both are right: only now is anything built.
    for name, _, network in order:
        optimizer = found[name]
        scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if auto_scale_loss and not scaling and _has_float16_layers(network.model):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        if not optimizer.built:
            optimizer.build(network.weight_variables)
        found[name] = optimizer
    return found[names[0]], found[names[1]]


def _get(name: str, optimizer: Any) -> keras.Optimizer:
    try:
        found = keras.optimizers.get(optimizer)
    except (ValueError, TypeError):
        found = None
    if found is None:
        raise ValueError(
            f"`{name}` must be a Keras optimizer or its name, such as 'adam'. "
            f"Received: {name}={optimizer!r}{_origin(optimizer)}. Pass, for instance, "
            "keras.optimizers.Adam(1e-3, beta_1=0.5)."
        )
    return found


def _origin(optimizer: Any) -> str:
    """Returns where an optimizer that is none of Keras 3 comes from, if that helps."""
    if validation.is_from(optimizer, "tf_keras", "keras.optimizers.legacy"):
        return ", an optimizer of tf_keras (Keras 2)"
    if validation.is_from(optimizer, "tensorflow.python"):
        return ", an optimizer of TensorFlow 1 (tf.compat.v1)"
    if isinstance(optimizer, type):
        return ", a class and no object"
    return ""


def _check_variables(
    name: str, optimizer: keras.Optimizer, network: StatelessNetwork
) -> None:
    """Raises if a built optimizer has no slots for what it is to move.

    One that was built for more is right: layers were frozen since, and each slot
    follows its variable. The average of an optimizer with `use_ema` is the exception:
    Keras writes it to all variables or to none.
    """
    inner = _inner(optimizer)
    if not inner.built:
        return
    owned = {id(variable) for variable in keras_private.variables_of(optimizer)}
    wanted = [id(variable) for variable in network.weight_variables]
    averaging = getattr(inner, "use_ema", False)
    known = sum(each in owned for each in wanted)
    if known == len(wanted) and not (averaging and len(owned) > len(wanted)):
        return
    more = " Its average (use_ema) is of all of them." if known == len(wanted) else ""
    raise ValueError(
        f"`{name}` must be new, or built for the variables that it is to move: its "
        f"state belongs to them. Received: {name}={optimizer.name!r}, built for "
        f"{len(owned)} variables; it knows {known} of the {len(wanted)} trainable ones "
        f"of {network.model.name!r}.{more} Make a new optimizer, as Keras asks for."
    )


def _inner(optimizer: keras.Optimizer) -> keras.Optimizer:
    """Returns the optimizer itself, without its loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _has_float16_layers(network: keras.Model) -> bool:
    return any(
        layer.compute_dtype == "float16" for layer in layer_tree.layers_of(network)
    )
