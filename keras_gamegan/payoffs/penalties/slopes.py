"""Penalties on the discriminator's gradient with respect to its input."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.payoffs.penalties.penalty import Penalty
from keras_gamegan.typing import Config


def squared_input_gradient(
    logits_fn: Callable[[tf.Tensor], tf.Tensor], data: tf.Tensor
) -> tf.Tensor:
    """Returns |grad_x D(x)|^2 for each example, differentiable in D's weights.

    Args:
        logits_fn: Function from data (n, ...) to logits (n,).
        data: Tensor (n, ...).

    Returns:
        Tensor (n,).

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> slopes = kgg.penalties.squared_input_gradient(
        ...     lambda x: 3.0 * x[:, 0], tf.ones((2, 1))
        ... )
        >>> slopes.numpy().tolist()
        [9.0, 9.0]
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(data)
        total = tf.reduce_sum(logits_fn(data))
    slope = tape.gradient(
        total, data, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return tf.reduce_sum(tf.square(slope), axis=list(range(1, slope.shape.rank)))


@keras.saving.register_keras_serializable(package="keras_gamegan")
class R1(Penalty):
    """R1: punishes the discriminator's slope on the data.

    Adds weight / 2 * E_data |grad_x D(x)|^2 to the discriminator's loss, which makes
    the equilibrium locally stable. Note that the minimax value carries halves: the
    gamma of papers whose loss does not is twice this weight.

    Args:
        weight: Weight of the penalty, > 0. Default: 1.0.
        every: Take it on every n-th example of the batch only, which saves time and
            leaves the mean unchanged, >= 1. Default: 1.

    Raises:
        ValueError: If the weight or `every` is not positive.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> penalty = kgg.penalties.R1(weight=2.0)
        >>> data = tf.ones((3, 2))
        >>> penalty(lambda x: 3.0 * x[:, 0], data, data, None).numpy().tolist()
        [9.0, 9.0, 9.0]

    References:
        Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually
        Converge?", 2018.
    """

    def __init__(self, weight: float = 1.0, every: int = 1) -> None:
        self.weight = validation.check_number("weight", weight, exclusive=True)
        self.every = validation.check_integer("every", every)

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the penalty of each example; see `Penalty`."""
        return 0.5 * self.weight * squared_input_gradient(logits_fn, real)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"weight": self.weight, "every": self.every}


@keras.saving.register_keras_serializable(package="keras_gamegan")
class R2(R1):
    """R2: punishes the discriminator's slope on what the generator makes.

    Adds weight / 2 * E_latents |grad_x D(G(z))|^2 to the discriminator's loss. Beside
    R1 it holds the discriminator flat on both sides of a relativistic payoff.

    Args:
        weight: As in `R1`. Default: 1.0.
        every: As in `R1`. Default: 1.

    Raises:
        ValueError: If the weight or `every` is not positive.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> penalty = kgg.penalties.R2(weight=2.0)
        >>> real, fake = tf.zeros((3, 2)), tf.ones((3, 2))
        >>> penalty(lambda x: x[:, 0] ** 2, real, fake, None).numpy().tolist()
        [4.0, 4.0, 4.0]

    References:
        Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A
        Modern GAN Baseline", 2024.
    """

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: Any,
    ) -> tf.Tensor:
        """Returns the penalty of each example; see `Penalty`."""
        return super().__call__(logits_fn, fake, real, uniform)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GradientPenalty(Penalty):
    """Gradient penalty of WGAN-GP: pulls slopes between data and fakes to `target`.

    Adds weight * E (|grad_x D(x_t)| / target - 1)^2 with x_t = x + t (G(z) - x), t
    uniform on [0, 1) for each example.

    Args:
        weight: Weight of the penalty, > 0. Default: 10.
        target: Slope aimed at, > 0. Default: 1.
        one_sided: Whether only slopes above the target are punished. Default: False.
        every: As in `R1`. Default: 1.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> penalty = kgg.penalties.GradientPenalty(weight=1.0)
        >>> data = tf.ones((2, 2))
        >>> result = penalty(lambda x: 3.0 * x[:, 0], data, data, tf.zeros(2))
        >>> [round(float(number), 4) for number in result]
        [4.0, 4.0]

    References:
        Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: "Improved Training of
        Wasserstein GANs", 2017.
    """

    def __init__(
        self,
        weight: float = 10.0,
        target: float = 1.0,
        one_sided: bool = False,
        every: int = 1,
    ) -> None:
        self.weight = validation.check_number("weight", weight, exclusive=True)
        self.target = validation.check_number("target", target, exclusive=True)
        self.one_sided = bool(one_sided)
        self.every = validation.check_integer("every", every)

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the penalty of each example; see `Penalty`."""
        shape = tf.concat([tf.shape(real)[:1], [1] * (real.shape.rank - 1)], axis=0)
        between = real + tf.reshape(tf.cast(uniform, real.dtype), shape) * (fake - real)
        # The square root has no derivative at 0, where a flat critic would meet it.
        slope = tf.sqrt(squared_input_gradient(logits_fn, between) + 1e-10)
        excess = slope / self.target - 1.0
        if self.one_sided:
            excess = tf.nn.relu(excess)
        return self.weight * tf.square(excess)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "weight": self.weight,
            "target": self.target,
            "one_sided": self.one_sided,
            "every": self.every,
        }
