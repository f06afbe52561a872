"""What the synthetic distributions share: samples for plots, batches for training."""

import abc
from typing import Literal, overload

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.datasets import seekable
from keras_gamegan.typing import Structure

# Steps count from 0, so no batch of a stream is ever drawn with this number: what is
# sampled for a metric is never what was trained on.
_SAMPLE_STEP = -1


class PointDistribution(abc.ABC):
    """A distribution of points that is sampled as a pure function of its seeds.

    A subclass defines `draw`. The two ways in are `sample`, NumPy points for a plot or
    a metric, and `batches`, a stream of fresh points to train on.

    Args:
        seed: Non-negative integer; distributions that differ in it give independent
            points.
    """

    def __init__(self, seed: int = 0) -> None:
        """See the class."""
        self.seed = validation.check_seed("seed", seed)

    @abc.abstractmethod
    def draw(
        self, num_samples: int, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Draws points, in TensorFlow operations.

        Args:
            num_samples: Number of points.
            seed: Integer tensor of shape (2,), the seed of stateless operations.

        Returns:
            Points, a float32 tensor of shape (num_samples, data_dim), and their labels,
            an int32 tensor of shape (num_samples,) or None if there are none.
        """

    @overload
    def sample(
        self,
        num_samples: int,
        seed: int | None = ...,
        with_labels: Literal[False] = ...,
    ) -> np.ndarray: ...

    @overload
    def sample(
        self, num_samples: int, seed: int | None = ..., *, with_labels: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def sample(
        self, num_samples: int, seed: int | None = ..., with_labels: bool = ...
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...

    def sample(
        self, num_samples: int, seed: int | None = None, with_labels: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Draws points for a plot or a metric.

        Args:
            num_samples: Number of points.
            seed: Non-negative integer; defaults to the seed of the distribution. The
                points differ from those of `batches` for every seed.
            with_labels: Whether to return labels too, where there are any.

        Returns:
            A float32 array of shape (num_samples, data_dim), or a tuple of it and an
            int32 array of shape (num_samples,).
        """
        num_samples = validation.check_integer("num_samples", num_samples)
        seed = self.seed if seed is None else seed
        seed = validation.check_seed("seed", seed)
        validation.check_flag("with_labels", with_labels)
        with tf.device("CPU:0"):
            pair = tf.constant([seed, _SAMPLE_STEP], tf.int64)
            points, labels = self.draw(num_samples, pair)
        if not with_labels:
            return points.numpy()
        return points.numpy(), self._checked(labels).numpy()

    def batches(
        self,
        batch_size: int = 256,
        steps_per_epoch: int | None = None,
        start_step: int = 0,
        with_labels: bool = False,
    ) -> tf.data.Dataset:
        """Streams fresh points to train on.

        The batch of step s is a pure function of (seed, s), so a stream that starts at
        ``start_step=s`` is the tail of the stream that starts at 0.

        Args:
            batch_size: Number of points in a batch.
            steps_per_epoch: None for an endless stream, to be used with `fit`'s own
                ``steps_per_epoch``; or the length of an epoch in steps: each iteration
                over the dataset is then one epoch and continues where the last ended.
            start_step: The step to start from.
            with_labels: Whether the elements are (points, labels), where there are any.

        Returns:
            A `tf.data.Dataset` of float32 batches of shape (batch_size, data_dim), or
            of tuples of them and int32 labels of shape (batch_size,).
        """
        batch_size = validation.check_integer("batch_size", batch_size)
        validation.check_flag("with_labels", with_labels)

        def batch_at(step: tf.Tensor) -> Structure:
            points, labels = self.draw(batch_size, tf.stack([self.seed, step]))
            if not with_labels:
                return points
            return points, self._checked(labels)

        return seekable.stream(batch_at, steps_per_epoch, start_step)

    def _checked(self, labels: tf.Tensor | None) -> tf.Tensor:
        if labels is None:
            raise ValueError(
                "`with_labels=True` needs a distribution whose points have labels. "
                f"Received: a {type(self).__name__}, whose points have none. "
                "Pass with_labels=False, or use a mixture such as `gaussian_ring`."
            )
        return labels
