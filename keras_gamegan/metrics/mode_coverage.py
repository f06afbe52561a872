"""How many modes of a known mixture the samples cover, and how evenly."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.metrics import feature_extractor, sample_metric
from keras_gamegan.typing import Config, TensorLike


def nearest_modes(
    samples: tf.Tensor, centers: tf.Tensor, radius: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns each sample's nearest center and whether the sample is near it.

    Args:
        samples: (batch, d).
        centers: (modes, d).
        radius: Euclidean distance up to which a sample is near.

    Returns:
        Indices (batch,) int32 and booleans (batch,).
    """
    differences = samples[:, None, :] - centers[None, :, :]
    squared = tf.reduce_sum(differences**2, axis=-1)
    nearest = tf.argmin(squared, axis=1, output_type=tf.int32)
    return nearest, tf.reduce_min(squared, axis=1) <= radius**2


def mode_statistics(
    histogram: TensorLike, hits: TensorLike, count: TensorLike, min_count: int = 1
) -> dict[str, tf.Tensor]:
    """Returns the four numbers of `ModeCoverage` from counts.

    Args:
        histogram: (modes,): samples nearest to each center.
        hits: (modes,): samples near each center.
        count: Number of samples.
        min_count: Hits that make a mode covered.

    Returns:
        A dict of float64 scalar tensors: "modes", "high_quality", "kl", "reverse_kl".

    Example:
        >>> numbers = kgg.metrics.mode_statistics([2.0, 2.0], [2.0, 1.0], 4.0)
        >>> {name: float(value) for name, value in numbers.items()}
        {'modes': 2.0, 'high_quality': 0.75, 'kl': 0.0, 'reverse_kl': 0.0}
    """
    histogram = tf.cast(tf.convert_to_tensor(histogram), tf.float64)
    hits = tf.cast(tf.convert_to_tensor(hits), tf.float64)
    count = tf.cast(tf.convert_to_tensor(count), tf.float64)
    fractions = histogram / tf.reduce_sum(histogram)
    num_modes = tf.cast(tf.shape(histogram)[0], tf.float64)
    forward = -tf.math.log(num_modes) - tf.reduce_mean(tf.math.log(fractions))
    reverse = tf.math.log(num_modes) + tf.reduce_sum(
        tf.math.xlogy(fractions, fractions)
    )
    covered = tf.cast(hits >= tf.cast(min_count, tf.float64), tf.float64)
    return {
        "modes": tf.reduce_sum(covered),
        "high_quality": tf.reduce_sum(hits) / count,
        # Rounding can take a divergence of 0 a little below it.
        "kl": tf.maximum(forward, 0.0),
        "reverse_kl": tf.maximum(reverse, 0.0),
    }


@keras.saving.register_keras_serializable(package="keras_gamegan")
class ModeCoverage(sample_metric.SampleMetric):
    r"""Modes covered, and fraction of good samples, for mixtures with known centers.

    A sample is of high quality if its Euclidean distance to the nearest center is at
    most `threshold` standard deviations. The result is a dict:

    *   "modes": number of modes with at least `min_count` high-quality samples. With
        the default of 1 this is the count of VEEGAN and PacGAN (of 2,500 samples
        there); one stray sample is enough, so ask for 20 or so to count modes in
        earnest.
    *   "high_quality": fraction of high-quality samples. Perfect samples of a Gaussian
        in two dimensions have 0.989 at 3 standard deviations, but fewer in more
        dimensions: `details()["expected_high_quality"]`.
    *   "kl": KL(u || p), "reverse_kl": KL(p || u), in nats, where p is the histogram of
        nearest centers over all samples, good or bad, and u is uniform. "kl" is
        infinite as soon as a mode has no sample; "reverse_kl" is at most the log of the
        number of modes, and is the one the literature reports.

    Only counts are kept, so any split into batches or replicas gives the same numbers.

    Args:
        centers: (modes, d) array: the modes of the mixture, equally likely.
        standard_deviation: Standard deviation of each mode in each dimension, positive.
        threshold: In standard deviations, positive.
        min_count: High-quality samples that make a mode covered.
        name: Name of the metric.
        dtype: Type of the result. `details()` is float64 always.

    Raises:
        ValueError: At an update, with samples of other than d numbers, or (eagerly) NaN
            or infinite ones; in a graph those count as samples of no mode. At
            `result()`, eagerly, without samples.

    Example:
        >>> metric = kgg.metrics.ModeCoverage([[0.0, 0.0], [1.0, 0.0]], 0.1)
        >>> samples = [[0.1, 0.0], [0.0, 0.2], [1.0, 0.0], [1.5, 0.0]]
        >>> metric.update_state(np.array(samples))
        >>> {name: float(value) for name, value in metric.result().items()}
        {'modes': 2.0, 'high_quality': 0.75, 'kl': 0.0, 'reverse_kl': 0.0}

    References:
        A. Srivastava, L. Valkov, C. Russell, M. Gutmann, C. Sutton. VEEGAN: Reducing
        Mode Collapse in GANs using Implicit Variational Learning. 2017.
        Z. Lin, A. Khetan, G. Fanti, S. Oh. PacGAN: The Power of Two Samples in
        Generative Adversarial Networks. 2018.
    """

    result_names = ("modes", "high_quality", "kl", "reverse_kl")

    def __init__(
        self,
        centers: TensorLike,
        standard_deviation: float,
        threshold: float = 3.0,
        min_count: int = 1,
        name: str = "mode_coverage",
        dtype: Any = None,
    ) -> None:
        centers = np.asarray(centers, dtype="float64")
        if centers.ndim != 2 or 0 in centers.shape or not np.isfinite(centers).all():
            raise ValueError(
                "`centers` must be an array (modes, d) of finite numbers. Received: "
                f"shape {centers.shape}. Pass one row for each mode."
            )
        self._centers = centers
        self.standard_deviation = validation.check_number(
            "standard_deviation", standard_deviation, exclusive=True
        )
        self.threshold = validation.check_number("threshold", threshold, exclusive=True)
        self.min_count = validation.check_integer("min_count", min_count)
        super().__init__(
            feature_extractor.FeatureExtractor(None),
            num_features=centers.shape[1],
            name=name,
            dtype=dtype,
        )

    @property
    def centers(self) -> np.ndarray:
        """The modes' centers, (modes, d) float64."""
        return self._centers.copy()

    def details(self) -> dict[str, Any]:
        """Returns what a report has to state beside the numbers (eager only).

        Returns:
            The four numbers of the result, "n_fake", "num_modes", "min_count",
            "threshold", and "expected_high_quality", which samples of isolated Gaussian
            modes would have.
        """
        report = super().details()
        del report["extractor"], report["extractor_fingerprint"]
        half = tf.constant(self._centers.shape[1] / 2.0, tf.float64)
        inside = tf.math.igamma(half, tf.cast(self.threshold**2 / 2.0, tf.float64))
        return {
            **report,
            "num_modes": self._centers.shape[0],
            "min_count": self.min_count,
            "threshold": self.threshold,
            "expected_high_quality": float(inside),
        }

    def get_config(self) -> Config:
        """Returns the arguments of the constructor."""
        return {
            "centers": self._centers.tolist(),
            "standard_deviation": self.standard_deviation,
            "threshold": self.threshold,
            "min_count": self.min_count,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: Config) -> "ModeCoverage":
        """Makes a metric from `get_config()`; its state is new."""
        return cls(**config)

    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        num_modes = self._centers.shape[0]
        return {
            "count": ((), "float64"),
            "histogram": ((num_modes,), "float64"),
            "hits": ((num_modes,), "float64"),
        }

    def _settings(self) -> dict[str, Any]:
        keys = ("standard_deviation", "threshold", "min_count")
        return {"centers": self._centers, **{key: getattr(self, key) for key in keys}}

    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        self._check_features(features.shape[-1])
        num_modes = self._centers.shape[0]
        radius = self.threshold * self.standard_deviation
        centers = tf.constant(self._centers)
        nearest, near = nearest_modes(features, centers, radius)
        finite = tf.reduce_all(tf.math.is_finite(features), axis=1)
        rows = tf.one_hot(nearest, num_modes, dtype=tf.float64)
        finite = tf.cast(finite, tf.float64)[:, None]
        near = tf.cast(near, tf.float64)[:, None]
        self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
        self._add(side, "histogram", tf.reduce_sum(rows * finite, axis=0))
        self._add(side, "hits", tf.reduce_sum(rows * finite * near, axis=0))

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int, str]:
        return 1, "the numbers are fractions of the samples."

    def _compute(self) -> dict[str, tf.Tensor]:
        enough = self._enough()
        histogram, hits, count = (
            self._value("fake", key) for key in ("histogram", "hits", "count")
        )
        numbers = mode_statistics(histogram, hits, count, self.min_count)
        return {
            key: tf.where(enough, number, float("nan"))
            for key, number in numbers.items()
        }
