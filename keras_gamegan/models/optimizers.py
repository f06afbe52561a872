"""The two optimizers of a GAN: checked, wrapped for float16, and built."""

import keras

from keras_gamegan import validation
from keras_gamegan.distribution import keras_private
from keras_gamegan.models import layer_tree
from keras_gamegan.models.optimizer_pair import OptimizerPair as OptimizerPair


def prepare(d_optimizer, g_optimizer, discriminator, generator, auto_scale_loss):
    """Returns both optimizers, wrapped for mixed precision and built.

    Args:
        d_optimizer: Name, configuration or Keras optimizer.
        g_optimizer: Likewise.
        discriminator: `StatelessNetwork` whose weights it updates.
        generator: Likewise.
        auto_scale_loss: Whether float16 networks get a `LossScaleOptimizer`.

    Returns:
        A pair (discriminator's, generator's).

    Raises:
        ValueError: If both are one object, or one belongs to other variables.
    """
    given = {
        "d_optimizer": (d_optimizer, discriminator),
        "g_optimizer": (g_optimizer, generator),
    }
    found = {name: _get(name, optimizer) for name, (optimizer, _) in given.items()}
    if _inner(found["d_optimizer"]) is _inner(found["g_optimizer"]):
        raise ValueError(
            "`d_optimizer` and `g_optimizer` must be two optimizers: each keeps the "
            "state of its own network. Received: the same object twice. Create two."
        )
    for name, (_, network) in given.items():
        _check_variables(name, found[name], network)
    # Both are right: only now is anything built.
    pair = []
    for name, (_, network) in given.items():
        optimizer = found[name]
        scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if auto_scale_loss and not scaling and _has_float16_layers(network.model):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        if not optimizer.built:
            optimizer.build(network.weight_variables)
        pair.append(optimizer)
    return tuple(pair)


def _get(name, optimizer):
    try:
        found = keras.optimizers.get(optimizer)
    except (ValueError, TypeError):
        found = None
    if found is None:
        raise ValueError(
            f"`{name}` must be a Keras optimizer or its name, such as 'adam'. "
            f"Received: {name}={optimizer!r}{_origin(optimizer)}. Pass, for instance, "
            "keras.optimizers.Adam(2e-4, beta_1=0.5)."
        )
    return found


def _origin(optimizer):
    """Returns where an optimizer that is none of Keras 3 comes from, if that helps."""
    if validation.is_from(optimizer, "tf_keras", "keras.optimizers.legacy"):
        return ", an optimizer of tf_keras (Keras 2)"
    if validation.is_from(optimizer, "tensorflow.python"):
        return ", an optimizer of TensorFlow 1 (tf.compat.v1)"
    if isinstance(optimizer, type):
        return ", a class and no object"
    return ""


def _check_variables(name, optimizer, network):
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


def _inner(optimizer):
    """Returns the optimizer itself, without its loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _has_float16_layers(network):
    return any(
        layer.compute_dtype == "float16" for layer in layer_tree.layers_of(network)
    )
