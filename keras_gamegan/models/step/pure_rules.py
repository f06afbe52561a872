"""Keras optimizers as pure rules: how a player would go on, without moving it."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import keras_private
from keras_gamegan.games import updates
from keras_gamegan.games.updates import Update
from keras_gamegan.stateless import StatelessNetwork
from keras_gamegan.typing import Structure

# Attributes of an optimizer that does what the formula says, and nothing besides.
_PLAIN = {
    "use_ema": False,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
_OF_ADAM = {"amsgrad": False}
_OF_SGD = {"momentum": 0.0, "nesterov": False}
_MISSING = object()


def of_optimizer(
    name: str, optimizer: Any, network: StatelessNetwork
) -> tuple[Update, Structure]:
    """Returns the rule by which an optimizer moves a network, and its state now.

    Args:
        name: What the player is called.
        optimizer: Its built Keras optimizer.
        network: The player.

    Raises:
        ValueError: If it is no plain Adam or SGD.
    """
    # Loss scaling changes what is differentiated, and the search undoes it.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = tf.convert_to_tensor(optimizer.learning_rate)
    if _is_plain(optimizer, keras.optimizers.SGD, _OF_SGD):
        return updates.sgd(rate), ()
    found = slots(optimizer, network.weight_variables)
    if found is None:
        raise ValueError(
            "With optimizer='player' the best response goes on as the player itself: "
            "that must be a plain keras.optimizers.Adam or SGD, without momentum for "
            "SGD, clipping, weight decay, averages or accumulation. Received: "
            f"{optimizer.name!r} ({type(optimizer).__name__}) of the {name}. Use one, "
            "or name the search's own rule: kgg.BestResponse(optimizer='adam', "
            "learning_rate=1e-3)."
        )
    first, second = ([tf.convert_to_tensor(v) for v in each] for each in found)
    dtype = first[0].dtype if first else tf.float32
    step = tf.cast(tf.convert_to_tensor(optimizer.iterations), dtype)
    rule = updates.adam(rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
    return rule, (step, first, second)


def slots(optimizer: Any, variables: list[keras.Variable]) -> tuple | None:
    """Returns (list of m, list of v) of a plain Adam for its variables, or None."""
    if not _is_plain(optimizer, keras.optimizers.Adam, _OF_ADAM):
        return None
    # A pair for each variable it was built for, behind the step count, and the learning
    # rate unless a schedule gives it.
    known = keras_private.variables_of(optimizer)
    found = optimizer.variables[len(optimizer.variables) - 2 * len(known) :]
    if len(optimizer.variables) - len(found) not in (1, 2):
        return None
    pairs = zip(found[::2], found[1::2], strict=True)
    owned = {id(owner): pair for owner, pair in zip(known, pairs, strict=True)}
    own = [owned.get(id(variable)) for variable in variables]
    for variable, pair in zip(variables, own, strict=True):
        if pair is None or not _are_slots(*pair, variable):
            return None
    return tuple(zip(*own, strict=True)) if own else ((), ())


def _is_plain(optimizer: Any, kind: type, more: dict) -> bool:
    plain = {**_PLAIN, **more}
    found = {name: getattr(optimizer, name, _MISSING) for name in plain}
    return type(optimizer) is kind and found == plain


def _are_slots(m: keras.Variable, v: keras.Variable, variable: keras.Variable) -> bool:
    """Whether these are the momentum and the velocity of a variable."""
    named = m.path.endswith("_momentum") and v.path.endswith("_velocity")
    return named and m.shape == v.shape == variable.shape
