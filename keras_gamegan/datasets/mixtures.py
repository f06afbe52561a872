"""Mixtures of Gaussians: the test bed for missing modes."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan import validation
from keras_gamegan.datasets import point_distribution


class GaussianMixture(point_distribution.PointDistribution):
    r"""A mixture of isotropic Gaussians of equal weight.

    What a generator misses shows at once: each mode is a known centre and each point
    belongs to one of them. The density is

    $$ p(x) = \frac1K \sum_{k=1}^{K} \mathcal N(x; c_k, \sigma^2 I). $$

    The label of a point is the index k of the Gaussian that it was drawn from.

    Args:
        centers: Array of shape (num_modes, data_dim), the means $c_k$.
        standard_deviation: The $\sigma$ of each coordinate; 0 gives point masses.
        seed: Non-negative integer.

    Attributes:
        centers: float32 array of shape (num_modes, data_dim).
        standard_deviation: A float.
        num_modes: Number of Gaussians.
        data_dim: Number of coordinates of a point.

    Raises:
        ValueError: If the centres are no finite matrix, or an argument is out of range.

    Example:
        >>> import keras_gamegan as kgg
        >>> data = kgg.datasets.GaussianMixture([[-1.0], [1.0]], standard_deviation=0.1)
        >>> data.sample(1000).shape
        (1000, 1)
    """

    def __init__(
        self, centers: ArrayLike, standard_deviation: float, seed: int = 0
    ) -> None:
        """See the class."""
        super().__init__(seed)
        centers = np.array(centers, dtype=np.float32)
        if centers.ndim != 2 or not centers.size or not np.all(np.isfinite(centers)):
            raise ValueError(
                "`centers` must be a finite array of shape (num_modes, data_dim). "
                f"Received: an array of shape {centers.shape}. Pass one row a mode, "
                "such as [[-1.0, 0.0], [1.0, 0.0]]."
            )
        self.centers = centers
        self.standard_deviation = validation.check_number(
            "standard_deviation", standard_deviation
        )

    @property
    def num_modes(self) -> int:
        """Number of Gaussians in the mixture."""
        return self.centers.shape[0]

    @property
    def data_dim(self) -> int:
        """Number of coordinates of a point."""
        return self.centers.shape[1]

    def draw(
        self, num_samples: int, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See the base class; the labels are the indices of the modes."""
        # One seed an operation, or the mode and the noise would be dependent.
        seeds = tf.random.split(seed, 2, alg="philox")
        labels = tf.random.stateless_uniform(
            (num_samples,), seeds[0], 0, self.num_modes, tf.int32, alg="philox"
        )
        noise = tf.random.stateless_normal(
            (num_samples, self.data_dim), seeds[1], alg="philox"
        )
        centers = tf.gather(tf.constant(self.centers), labels)
        return centers + self.standard_deviation * noise, labels


def gaussian_ring(
    num_modes: int = 8,
    radius: float = 1.0,
    standard_deviation: float = 0.05,
    divisor: float = 1.0,
    seed: int = 0,
) -> GaussianMixture:
    r"""Gaussians whose centres stand evenly on a circle.

    The commonest test for mode collapse: a generator under simultaneous gradient
    descent settles on one mode after the other, and seldom covers all of them. With
    r, $\sigma$ and d the radius, the standard deviation and the divisor,

    $$ c_k = \frac rd\,(\cos 2\pi k/K,\ \sin 2\pi k/K),
    \qquad k = 0, \ldots, K - 1, $$

    and the standard deviation around each centre is $\sigma / d$.

    Settings in use: ``radius=2, standard_deviation=0.02, divisor=1.414`` (Gulrajani et
    al. 2017, Sidheekh et al. 2020). The smaller the deviation, the harder the modes are
    to cover: ``standard_deviation=0.01`` is a severe test.

    Args:
        num_modes: Number of Gaussians.
        radius: Radius of the circle, before the division.
        standard_deviation: Standard deviation of each coordinate, before the division.
        divisor: Every point is divided by it.
        seed: Non-negative integer.

    Returns:
        A `GaussianMixture`; its ``centers`` and ``standard_deviation`` are those after
        the division, as `kgg.metrics.ModeCoverage` wants them.

    Raises:
        ValueError: If a number is out of range.
        TypeError: If an argument is no number.

    Example:
        >>> import keras_gamegan as kgg
        >>> data = kgg.datasets.gaussian_ring()
        >>> data.centers.shape
        (8, 2)
        >>> batches = data.batches(256, steps_per_epoch=100)
        >>> batches.element_spec.shape
        TensorShape([256, 2])

    References:
        L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein: Unrolled generative adversarial
        networks. 2017.
        S. Sidheekh, A. Aimen, V. Madan, N. C. Krishnan: On duality gap as a measure for
        monitoring GAN training. 2020.
    """
    num_modes = validation.check_integer("num_modes", num_modes)
    radius = validation.check_number("radius", radius)
    divisor = validation.check_number("divisor", divisor, exclusive=True)
    deviation = validation.check_number("standard_deviation", standard_deviation)
    # Without the end point: it is the first point again, which would double one mode.
    angles = np.linspace(0.0, 2.0 * np.pi, num_modes, endpoint=False)
    centers = radius / divisor * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return GaussianMixture(centers, deviation / divisor, seed)


def gaussian_grid(
    coordinates: Sequence[float] = (-4.0, -2.0, 0.0, 2.0, 4.0),
    standard_deviation: float = 0.05,
    divisor: float = 2.828,
    seed: int = 0,
) -> GaussianMixture:
    r"""Gaussians whose centres form a square grid in the plane.

    With $a_1, \ldots, a_n$ the coordinates and d the divisor, the $n^2$ centres are
    $(a_i, a_j) / d$, and the standard deviation around each is $\sigma / d$. The
    defaults are the 25 Gaussians of Gulrajani et al. (2017). The nine of Sidheekh et
    al. (2020) are ``coordinates=(-6, -2, 2)`` with the same deviation and divisor.

    Args:
        coordinates: The different coordinates of the centres along each axis, before
            the division.
        standard_deviation: Standard deviation of each coordinate, before the division.
        divisor: Every point is divided by it.
        seed: Non-negative integer.

    Returns:
        A `GaussianMixture`; its ``centers`` and ``standard_deviation`` are those after
        the division. Mode ``n * i + j`` has its centre at coordinates i and j.

    Raises:
        ValueError: If the coordinates repeat, or a number is out of range.
        TypeError: If an argument is no number.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.datasets.gaussian_grid().num_modes
        25

    References:
        I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: Improved
        training of Wasserstein GANs. 2017.
        S. Sidheekh, A. Aimen, V. Madan, N. C. Krishnan: On duality gap as a measure for
        monitoring GAN training. 2020.
    """
    axis = np.array(coordinates, dtype=np.float64)
    if axis.ndim != 1 or not axis.size or len(np.unique(axis)) != axis.size:
        raise ValueError(
            "`coordinates` must be a sequence of different numbers. "
            f"Received: coordinates={coordinates!r}. Pass each coordinate once, such "
            "as (-2, 0, 2) for a grid of 3 by 3."
        )
    divisor = validation.check_number("divisor", divisor, exclusive=True)
    deviation = validation.check_number("standard_deviation", standard_deviation)
    first, second = np.meshgrid(axis, axis, indexing="ij")
    centers = np.stack([first.ravel(), second.ravel()], axis=1) / divisor
    return GaussianMixture(centers, deviation / divisor, seed)
