"""What Keras' plain Adam and SGD compute: as one operation, and as a pure rule."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import keras_private, replicas
from keras_gamegan.games import structures, updates
from keras_gamegan.games.updates import Update
from keras_gamegan.stateless_network import StatelessNetwork
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
_LEAST_EPSILON = 1e-10
_WIDE = (tf.float32, tf.float64, tf.bfloat16)


def apply(
    optimizer: keras.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """Takes a step of a Keras optimizer; of a plain Adam by TensorFlow's own kernel.

    The step is the same,

        m <- m + (1 - beta_1) (g - m),          v <- v + (1 - beta_2) (g^2 - v),
        w <- w - a m / (sqrt(v) + epsilon),     a = rate sqrt(1 - beta_2^t) /
                                                    (1 - beta_1^t),

    and is kept in the optimizer's own variables; in float64 to the last bits, in
    float32 to 1e-5 of a step: there the kernel has 1 - 0.999 = 0.00099998713, as both
    have in the last formula. Keras' operations read and write every number eight times.
    With any further option, another class or a strategy, Keras takes the step.

    Args:
        optimizer: Built Keras optimizer.
        gradients: List of tensors.
        variables: List of Keras variables.
    """
    slots = None if replicas.runs_in_replica() else _slots(optimizer, variables)
    dense = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
    if slots is None or not dense or not _suit_the_kernel(variables, *slots):
        optimizer.apply(gradients, variables)
        return
    step = tf.convert_to_tensor(optimizer.iterations) + 1
    rate = tf.convert_to_tensor(optimizer.learning_rate)
    # By way of float32, as Keras casts them.
    factors = {
        dtype: [
            tf.cast(rate, dtype),
            *(
                tf.pow(tf.cast(beta, dtype), tf.cast(step, dtype))
                for beta in (optimizer.beta_1, optimizer.beta_2)
            ),
        ]
        for dtype in {variable.dtype for variable in variables}
    }
    for gradient, variable, first, second in zip(
        gradients, variables, *slots, strict=True
    ):
        rate, beta_1_power, beta_2_power = factors[variable.dtype]
        tf.raw_ops.ResourceApplyAdam(
            var=variable.value.handle,
            m=first.value.handle,
            v=second.value.handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=rate,
            beta1=structures.number(optimizer.beta_1, variable.dtype),
            beta2=structures.number(optimizer.beta_2, variable.dtype),
            epsilon=structures.number(optimizer.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )
    optimizer.iterations.assign_add(1)


def rule_of(
    name: str, optimizer: keras.Optimizer, network: StatelessNetwork
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
    found = _slots(optimizer, network.weight_variables)
    if found is None:
        raise ValueError(
            "With optimizer='player' the best response goes on as the player itself: "
            "that must be a plain keras.optimizers.Adam or SGD, without momentum for "
            "SGD, clipping, weight decay, averages or accumulation. Received: "
            f"{optimizer.name!r} ({type(optimizer).__name__}) of the {name}. Use one, "
            "or give kgg.BestResponse a rule of its own, such as optimizer='adam', "
            "learning_rate=1e-3."
        )
    first, second = ([tf.convert_to_tensor(v) for v in each] for each in found)
    dtype = first[0].dtype if first else tf.float32
    step = tf.cast(tf.convert_to_tensor(optimizer.iterations), dtype)
    rule = updates.adam(rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
    return rule, (step, first, second)


def stays_finite(optimizer: keras.Optimizer, variables: list[keras.Variable]) -> bool:
    """Whether finite gradients make finite weights, at a learning rate that is finite.

    So it is for SGD, and for an Adam that divides by nothing too small (epsilon, and
    1 - beta_1^t), in types that reach as far as float32.
    """
    if _is_plain(optimizer, keras.optimizers.Adam, {}):
        betas = optimizer.beta_1, optimizer.beta_2
        if optimizer.epsilon < _LEAST_EPSILON or not all(0 <= b < 1 for b in betas):
            return False
    elif not _is_plain(optimizer, keras.optimizers.SGD, {}):
        return False
    return all(
        variable.constraint is None and tf.as_dtype(variable.dtype) in _WIDE
        for variable in variables
    )


def _slots(
    optimizer: keras.Optimizer, variables: list[keras.Variable]
) -> tuple[Sequence[keras.Variable], Sequence[keras.Variable]] | None:
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


def _is_plain(optimizer: keras.Optimizer, kind: type, more: dict[str, Any]) -> bool:
    plain = {**_PLAIN, **more}
    found = {name: getattr(optimizer, name, _MISSING) for name in plain}
    return type(optimizer) is kind and found == plain


def _are_slots(m: keras.Variable, v: keras.Variable, variable: keras.Variable) -> bool:
    """Whether these are the momentum and the velocity of a variable."""
    named = m.path.endswith("_momentum") and v.path.endswith("_velocity")
    return named and m.shape == v.shape == variable.shape


def _suit_the_kernel(variables: list, first: Sequence, second: Sequence) -> bool:
    """Whether the kernel may move the variables by these slots."""
    return all(
        m.dtype == v.dtype == variable.dtype
        # A strategy's variable has several values, though no strategy runs this.
        and not hasattr(variable.value, "values")
        and variable.constraint is None
        for variable, m, v in zip(variables, first, second, strict=True)
    )
