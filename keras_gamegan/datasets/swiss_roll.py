"""The swiss roll seen from its end: a spiral in the plane."""

import math

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import point_distribution


class SwissRoll(point_distribution.PointDistribution):
    r"""A spiral of one turn and a half, with Gaussian noise around it.

    One connected curve instead of modes: a generator that fits it bends its latent
    space along the curve, one that does not leaves gaps or fills the turns. With d the
    divisor and s the noise,

    $$ t \sim U[\tfrac32\pi, \tfrac92\pi],\quad
    x = \frac1d\,\bigl(t \cos t,\ t \sin t\bigr) + \frac sd\,\varepsilon,
    \quad \varepsilon \sim \mathcal N(0, I). $$

    Args:
        noise: Standard deviation of the noise, before the division.
        divisor: Every point is divided by it.
        seed: Non-negative integer.

    Attributes:
        noise: Standard deviation of the noise, before the division.
        divisor: The divisor.
        data_dim: Number of coordinates of a point, 2.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.datasets.SwissRoll(noise=0.1).sample(3, seed=0).shape
        (3, 2)
    """

    data_dim = 2

    def __init__(
        self, noise: float = 0.25, divisor: float = 7.5, seed: int = 0
    ) -> None:
        """See the class."""
        super().__init__(seed)
        self.noise = validation.check_number("noise", noise)
        self.divisor = validation.check_number("divisor", divisor, exclusive=True)

    def draw(self, num_samples: int, seed: tf.Tensor) -> tuple[tf.Tensor, None]:
        """See the base class; there are no labels."""
        seeds = tf.random.split(seed, 2, alg="philox")
        angle = tf.random.stateless_uniform(
            (num_samples, 1), seeds[0], 1.5 * math.pi, 4.5 * math.pi, alg="philox"
        )
        curve = angle * tf.concat([tf.cos(angle), tf.sin(angle)], axis=1)
        noise = tf.random.stateless_normal((num_samples, 2), seeds[1], alg="philox")
        return (curve + self.noise * noise) / self.divisor, None


def swiss_roll(noise: float = 0.25, divisor: float = 7.5, seed: int = 0) -> SwissRoll:
    r"""A spiral of one turn and a half, with Gaussian noise around it.

    The points are $(t \cos t, t \sin t) / d$ for t uniform on
    $[\tfrac32\pi, \tfrac92\pi]$, plus noise; with the default divisor they lie within a
    circle of radius 2. The defaults are the setting of Gulrajani et al. (2017) and of
    Sidheekh et al. (2020).

    Args:
        noise: Standard deviation of the noise, before the division.
        divisor: Every point is divided by it.
        seed: Non-negative integer.

    Returns:
        A `SwissRoll`.

    Raises:
        ValueError: If a number is out of range.
        TypeError: If an argument is no number.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.datasets.swiss_roll().sample(500).shape
        (500, 2)

    References:
        I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved
        training of Wasserstein GANs. 2017.
        S. Sidheekh, A. Aimen, V. Madan, N. C. Krishnan: On duality gap as a measure for
        monitoring GAN training. 2020.
    """
    return SwissRoll(noise, divisor, seed)
