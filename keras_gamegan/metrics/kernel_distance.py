"""The kernel distance between two sets of features (KID with Inception's)."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.metrics import buffered_metric, feature_extractor
from keras_gamegan.typing import Config, TensorLike


def kernel_distance_from_features(
    real: TensorLike,
    fake: TensorLike,
    max_block_size: int = 1024,
    num_real: int | tf.Tensor | None = None,
    num_fake: int | tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Returns the squared maximum mean discrepancy of two samples, and its error.

    The kernel is k(x, y) = (x^T y / d + 1)^3. Both samples are cut into B blocks of
    nearly equal size, none larger than `max_block_size`; in a block of m real and n
    fake rows the unbiased estimate is

        sum_{i != j} k(x_i, x_j) / (m (m - 1)) + sum_{i != j} k(y_i, y_j) / (n (n - 1))
        - 2 sum_{i, j} k(x_i, y_j) / (m n),

    and the result is the mean over blocks. The blocks take the rows in order, so the
    order must be random. Computed in float64.

    Args:
        real: (number, d).
        fake: (another number, d).
        max_block_size: Largest block. Time and memory grow with its square, the
            variance shrinks with it, and the error is known better from more blocks.
        num_real: Number of rows of `real` that count, the first ones; all by default.
        num_fake: The same of `fake`.

    Returns:
        The distance and the standard error of that mean, float64 scalar tensors. The
        error is NaN with a single block, both are with fewer than 2 rows in a block.

    Example:
        >>> points = np.array([[0.0], [1.0], [2.0]])
        >>> near, _ = kgg.metrics.kernel_distance_from_features(points, points + 0.1)
        >>> far, _ = kgg.metrics.kernel_distance_from_features(points, points + 3.0)
        >>> bool(near < far)
        True

    References:
        M. Bińkowski, D. Sutherland, M. Arbel, A. Gretton. Demystifying MMD GANs. 2018.
        W. Zaremba, A. Gretton, M. Blaschko. B-tests: Low Variance Kernel Two-Sample
        Tests. 2013.
    """
    real = tf.cast(tf.convert_to_tensor(real), tf.float64)
    fake = tf.cast(tf.convert_to_tensor(fake), tf.float64)
    num_real = tf.shape(real)[0] if num_real is None else num_real
    num_fake = tf.shape(fake)[0] if num_fake is None else num_fake
    larger = tf.maximum(num_real, num_fake)
    num_blocks = num_blocks_for(larger, max_block_size)
    width = _block_width(real, fake, larger, num_blocks, max_block_size)
    offsets = tf.range(width)

    def block(
        points: tf.Tensor, number: tf.Tensor, index: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        size = number // num_blocks
        # The last `longer` blocks have one row more.
        first_longer = num_blocks - number % num_blocks
        start = index * size + tf.maximum(index - first_longer, 0)
        size += tf.cast(index >= first_longer, tf.int32)
        inside = tf.cast(offsets < size, tf.float64)
        last = tf.maximum(tf.shape(points)[0] - 1, 0)
        rows = tf.gather(points, tf.minimum(start + offsets, last))
        return rows, inside, tf.cast(size, tf.float64)

    dimension = tf.cast(tf.shape(real)[1], tf.float64)

    def kernel(
        rows: tf.Tensor,
        inside: tf.Tensor,
        columns: tf.Tensor,
        inside_columns: tf.Tensor,
    ) -> tf.Tensor:
        values = (tf.matmul(rows, columns, transpose_b=True) / dimension + 1.0) ** 3
        return values * inside[:, None] * inside_columns[None, :]

    def estimate(index: tf.Tensor) -> tf.Tensor:
        x, x_inside, m = block(real, num_real, index)
        y, y_inside, n = block(fake, num_fake, index)
        within_x = kernel(x, x_inside, x, x_inside)
        within_y = kernel(y, y_inside, y, y_inside)
        between = kernel(x, x_inside, y, y_inside)
        return (
            (tf.reduce_sum(within_x) - tf.linalg.trace(within_x)) / (m * (m - 1.0))
            + (tf.reduce_sum(within_y) - tf.linalg.trace(within_y)) / (n * (n - 1.0))
            - 2.0 * tf.reduce_sum(between) / (m * n)
        )

    def step(
        index: tf.Tensor, mean: tf.Tensor, squares: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        value = estimate(index)
        difference = value - mean
        mean += difference / tf.cast(index + 1, tf.float64)
        return index + 1, mean, squares + difference * (value - mean)

    zero = tf.zeros((), tf.float64)
    _, mean, squares = tf.while_loop(
        lambda index, mean, squares: index < num_blocks,
        step,
        (tf.constant(0), zero, zero),
    )
    blocks = tf.cast(num_blocks, tf.float64)
    error = tf.sqrt(squares / tf.maximum(blocks - 1.0, 1.0) / blocks)
    defined = tf.minimum(num_real, num_fake) // num_blocks >= 2
    return (
        tf.where(defined, mean, float("nan")),
        tf.where(defined & (num_blocks > 1), error, float("nan")),
    )


def num_blocks_for(number: int | tf.Tensor, max_block_size: int) -> tf.Tensor:
    """Returns how many blocks of at most `max_block_size` hold `number` rows."""
    return tf.maximum((number + max_block_size - 1) // max_block_size, 1)


def _block_width(
    real: tf.Tensor,
    fake: tf.Tensor,
    larger: tf.Tensor,
    num_blocks: tf.Tensor,
    max_block_size: int,
) -> int | tf.Tensor:
    """Rows to reserve for a block: as few as will do, but static inside a graph."""
    if tf.executing_eagerly():
        return (larger + num_blocks - 1) // num_blocks
    rows = [points.shape[0] for points in (real, fake)]
    return max_block_size if None in rows else min(max_block_size, max(rows))


@keras.saving.register_keras_serializable(package="keras_gamegan")
class KernelDistance(buffered_metric.BufferedMetric):
    """Kernel distance between real and generated samples, in any network's features.

    The squared maximum mean discrepancy with the cubic kernel (x^T y / d + 1)^3, by the
    unbiased estimate: with Inception's features the KID. It can be slightly negative,
    is comparable between different numbers of samples, and does with few of them.
    `details()["standard_error"]` is the error of the mean over blocks. See
    `kernel_distance_from_features` for the formula.

    Args:
        extractor: A Keras model or layer, or a callable, from samples to (batch, d); or
            `None`, for samples that are their own features once flattened.
        preprocess: `None`, or a callable applied to the samples first.
        resize: Whether images may be resized to the network's input size.
        max_samples: Samples kept of each side, the first ones (of R replicas, the first
            `max_samples / R` of each). Memory: 2 x max_samples x d numbers of `dtype`.
        max_block_size: Largest block of the estimate; there is an error from 2 blocks.
        keep_real: Whether `reset_state()` keeps the real side.
        num_features: d, where it is not known from the network but needed early.
        name: Name of the metric.
        dtype: Type of the result and of the kept features; computed in float64 always.

    Raises:
        ValueError: At `result()`, eagerly, with fewer than 2 samples in a block (NaN in
            a graph); at an update, with samples of the wrong shape, NaN or infinite
            features.

    Example:
        >>> metric = kgg.metrics.KernelDistance(extractor=None, max_samples=100)
        >>> metric.update_state(np.array([[-1.0], [1.0]]), np.array([[2.0], [2.0]]))
        >>> round(float(metric.result()), 6)    # 0 + 125 - 2 (-1 + 27) / 2
        99.0

    References:
        M. Bińkowski, D. Sutherland, M. Arbel, A. Gretton. Demystifying MMD GANs. 2018.
    """

    def __init__(
        self,
        extractor: keras.Layer | Callable[..., Any] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        max_samples: int = 10_000,
        max_block_size: int = 1024,
        keep_real: bool = False,
        num_features: int | None = None,
        name: str = "kernel_distance",
        dtype: Any = None,
    ) -> None:
        self.max_block_size = validation.check_integer(
            "max_block_size", max_block_size, minimum=2
        )
        super().__init__(
            feature_extractor.FeatureExtractor(extractor, preprocess, resize),
            max_samples,
            keep_real=keep_real,
            num_features=num_features,
            name=name,
            dtype=dtype,
        )

    def details(self) -> dict[str, Any]:
        """Returns what a report has to state beside the number (eager only).

        Returns:
            As for every metric with buffers, and "standard_error" (NaN with one block)
            and "num_blocks".
        """
        report = super().details()
        larger = max(report["n_real"], report["n_fake"])
        report["num_blocks"] = int(num_blocks_for(larger, self.max_block_size))
        return report

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "max_block_size": self.max_block_size}

    def _report(self) -> dict[str, tf.Tensor]:
        distance, error = self._distance_and_error()
        return {"value": distance, "standard_error": error}

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[tf.Tensor, str]:
        larger = tf.maximum(counts["real"], counts["fake"])
        needed = 2 * num_blocks_for(larger, self.max_block_size)
        return needed, f"two of each in every block of at most {self.max_block_size}."

    def _compute(self) -> tf.Tensor:
        return self._distance_and_error()[0]

    def _distance_and_error(self) -> tuple[tf.Tensor, tf.Tensor]:
        self._enough()
        if not self.built:
            nan = tf.constant(float("nan"), tf.float64)
            return nan, nan
        real, num_real = self._used("real")
        fake, num_fake = self._used("fake")
        return kernel_distance_from_features(
            real, fake, self.max_block_size, num_real, num_fake
        )
