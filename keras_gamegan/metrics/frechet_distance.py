"""The Fréchet distance between two sets of features (FID with Inception's)."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.metrics import feature_extractor, pair_metric
from keras_gamegan.typing import Config, TensorLike


def moments_from_sums(
    count: tf.Tensor, total: tf.Tensor, outer: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean and the unbiased covariance that three sums amount to.

    Args:
        count: Number n of rows x_i, a float64 scalar.
        total: sum_i x_i, float64 (features,).
        outer: sum_i x_i x_i^T, float64 (features, features).

    Returns:
        Mean (features,) and covariance with denominator n - 1 (features, features).
    """
    mean = total / tf.maximum(count, 1.0)
    scatter = outer - tf.tensordot(total, mean, axes=0)
    covariance = scatter / tf.maximum(count - 1.0, 1.0)
    return mean, (covariance + tf.transpose(covariance)) / 2.0


def trace_sqrt_product(covariance_a: tf.Tensor, covariance_b: tf.Tensor) -> tf.Tensor:
    r"""Returns tr((A B)^{1/2}) of two symmetric positive semi-definite matrices.

    A B has the eigenvalues of the symmetric matrix A^{1/2} B A^{1/2}, so the trace is
    the sum of the square roots of those. Eigenvalues that rounding made negative count
    as 0.

    Args:
        covariance_a: float64 (features, features).
        covariance_b: float64 (features, features).

    Returns:
        A float64 scalar tensor.
    """
    values, vectors = tf.linalg.eigh(covariance_a)
    root = vectors * tf.sqrt(tf.maximum(values, 0.0))
    # root = U L^{1/2}: root^T B root has the eigenvalues of A^{1/2} B A^{1/2}.
    product = tf.matmul(root, tf.matmul(covariance_b, root), transpose_a=True)
    product = (product + tf.transpose(product)) / 2.0
    return tf.reduce_sum(tf.sqrt(tf.maximum(tf.linalg.eigvalsh(product), 0.0)))


def frechet_distance_from_moments(
    mean_real: TensorLike,
    covariance_real: TensorLike,
    mean_fake: TensorLike,
    covariance_fake: TensorLike,
) -> tf.Tensor:
    r"""Returns the squared Fréchet distance of two normal distributions.

    \|m_r - m_f\|^2 + tr(S_r + S_f - 2 (S_r S_f)^{1/2}), in float64, at least 0.

    Args:
        mean_real: (features,).
        covariance_real: (features, features), symmetric positive semi-definite.
        mean_fake: (features,).
        covariance_fake: (features, features).

    Returns:
        A float64 scalar tensor; NaN if a moment is not finite.

    Example:
        >>> one, two = [[1.0, 0.0], [0.0, 1.0]], [[4.0, 0.0], [0.0, 4.0]]
        >>> distance = kgg.metrics.frechet_distance_from_moments(
        ...     [0.0, 0.0], one, [3.0, 0.0], two
        ... )
        >>> round(float(distance), 6)    # 3^2 + (1 + 4 - 2 * 2) * 2
        11.0
    """
    moments = [
        tf.convert_to_tensor(moment, tf.float64)
        if not tf.is_tensor(moment)
        else tf.cast(moment, tf.float64)
        for moment in (mean_real, covariance_real, mean_fake, covariance_fake)
    ]
    finite = tf.reduce_all(
        tf.stack([tf.reduce_all(tf.math.is_finite(moment)) for moment in moments])
    )
    # The eigenvalue solver fails on NaN instead of passing it on.
    mean_r, cov_r, mean_f, cov_f = (
        tf.where(finite, moment, tf.zeros_like(moment)) for moment in moments
    )
    distance = tf.reduce_sum(tf.math.squared_difference(mean_r, mean_f))
    distance += tf.linalg.trace(cov_r) + tf.linalg.trace(cov_f)
    distance -= 2.0 * trace_sqrt_product(cov_r, cov_f)
    return tf.where(finite, tf.maximum(distance, 0.0), float("nan"))


@keras.saving.register_keras_serializable(package="keras_gamegan")
class FrechetDistance(pair_metric.PairMetric):
    r"""Fréchet distance between real and generated samples, in any network's features.

    Normal distributions are fitted to the features of both sides; the distance is

        \|m_r - m_f\|^2 + tr(S_r + S_f - 2 (S_r S_f)^{1/2}),

    with unbiased covariances S. With Inception's features on 2,048 dimensions this is
    the FID (see `inception_features`). It is biased by the number of samples: compare
    numbers of equal `n_real`, `n_fake` and network only; `details()` states all three.

    Only sums are kept (n, sum x, sum x x^T, float64, 8 d^2 bytes a side), so any split
    into batches, replicas or workers gives the same number. `result()` costs two
    eigenvalue problems of size d: use it once an evaluation, not once a step.

    Args:
        extractor: A Keras model or layer, or a callable, from samples to (batch, d); or
            `None`, for samples that are their own features once flattened.
        preprocess: `None`, or a callable applied to the samples first. Without it the
            network gets the samples as they are, by this library's convention images in
            [-1, 1].
        resize: Whether images may be resized to the network's input size.
        allow_singular: Whether fewer than d + 1 samples a side are accepted. The
            covariance is singular then, and the distance strongly biased upwards.
        keep_real: Whether `reset_state()` keeps the real side.
        num_features: d, where it is not known from the network but needed early.
        name: Name of the metric.
        dtype: Type of the result. `details()["value"]` is float64 always.

    Raises:
        ValueError: At `result()`, eagerly, with too few samples (NaN in a graph); at
            an update, with samples of the wrong shape, NaN or infinite features.

    Example:
        >>> metric = kgg.metrics.FrechetDistance(extractor=None, keep_real=True)
        >>> metric.update_real(np.array([[0.0], [2.0]]))
        >>> metric.update_fake(np.array([[3.0], [5.0]]))
        >>> round(float(metric.result()), 6)
        9.0

    References:
        M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter. GANs Trained
        by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium. 2017.
        D. Dowson, B. Landau. The Fréchet Distance between Multivariate Normal
        Distributions. 1982.
    """

    def __init__(
        self,
        extractor: keras.Layer | Callable[..., Any] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        allow_singular: bool = False,
        keep_real: bool = False,
        num_features: int | None = None,
        name: str = "frechet_distance",
        dtype: Any = None,
    ) -> None:
        features = feature_extractor.FeatureExtractor(extractor, preprocess, resize)
        super().__init__(
            features,
            keep_real=keep_real,
            num_features=num_features,
            name=name,
            dtype=dtype,
        )
        self.allow_singular = bool(allow_singular)

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "allow_singular": self.allow_singular}

    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        return {
            "count": ((), "float64"),
            "sum": ((num_features,), "float64"),
            "outer": ((num_features, num_features), "float64"),
        }

    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
        self._add(side, "sum", tf.reduce_sum(features, axis=0))
        self._add(side, "outer", tf.matmul(features, features, transpose_a=True))

    def _moments(self, side: str) -> tuple[tf.Tensor, tf.Tensor]:
        return moments_from_sums(
            *(self._value(side, key) for key in ("count", "sum", "outer"))
        )

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int, str]:
        if self.allow_singular or self.num_features is None:
            return 2, "a covariance takes two."
        return self.num_features + 1, (
            f"the covariance of {self.num_features} features is singular with fewer. "
            "`allow_singular=True` accepts that."
        )

    def _compute(self) -> tf.Tensor:
        enough = self._enough()
        if not self.built:
            return tf.constant(float("nan"), tf.float64)
        distance = frechet_distance_from_moments(
            *self._moments("real"), *self._moments("fake")
        )
        return tf.where(enough, distance, float("nan"))
