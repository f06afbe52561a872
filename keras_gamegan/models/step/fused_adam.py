"""Keras' Adam in one operation a weight, where Keras itself takes twenty."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import structures
from keras_gamegan.models.step import pure_rules


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
    slots = (
        None if replicas.runs_in_replica() else pure_rules.slots(optimizer, variables)
    )
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


def _suit_the_kernel(variables: list, first: Sequence, second: Sequence) -> bool:
    """Whether the kernel may move the variables by these slots."""
    return all(
        m.dtype == v.dtype == variable.dtype
        # A strategy's variable has several values, though no strategy runs this.
        and not hasattr(variable.value, "values")
        and variable.constraint is None
        for variable, m, v in zip(variables, first, second, strict=True)
    )
