"""Keras' Adam in one operation a weight, where Keras itself takes twenty."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import keras_private, replicas
from keras_gamegan.games import structures

# Attributes of an optimizer that does what the kernel does, and nothing besides.
_PLAIN = {
    "amsgrad": False,
    "use_ema": False,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
_MISSING = object()


def apply(optimizer: Any, gradients: Any, variables: list[keras.Variable]) -> None:
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
    slots = _slots(optimizer, variables)
    dense = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
    if slots is None or not dense:
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


def _slots(optimizer: Any, variables: list[keras.Variable]) -> tuple | None:
    """Returns (list of m, list of v) of a plain Adam for its variables, or None."""
    if type(optimizer) is not keras.optimizers.Adam or replicas.runs_in_replica():
        return None
    found = {name: getattr(optimizer, name, _MISSING) for name in _PLAIN}
    if found != _PLAIN:
        return None
    # A pair for each variable it was built for, behind the step count, and the learning
    # rate unless a schedule gives it.
    known = keras_private.variables_of(optimizer)
    slots = optimizer.variables[len(optimizer.variables) - 2 * len(known) :]
    if len(optimizer.variables) - len(slots) not in (1, 2):
        return None
    pairs = zip(slots[::2], slots[1::2], strict=True)
    owned = {id(owner): pair for owner, pair in zip(known, pairs, strict=True)}
    own = [owned.get(id(variable)) for variable in variables]
    for variable, pair in zip(variables, own, strict=True):
        if pair is None or not _are_slots(*pair, variable):
            return None
    return tuple(zip(*own, strict=True))


def _are_slots(m: keras.Variable, v: keras.Variable, variable: keras.Variable) -> bool:
    """Whether the kernel may move a variable by these, its momentum and velocity."""
    named = m.path.endswith("_momentum") and v.path.endswith("_velocity")
    alike = m.shape == v.shape == variable.shape
    alike = alike and m.dtype == v.dtype == variable.dtype
    # A strategy's variable has several values, though no strategy runs this.
    single = not hasattr(variable.value, "values")
    return named and alike and single and variable.constraint is None
