"""A pair of numbers of two samples' nearest neighbors, as a metric."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.metrics import buffered_metric, feature_extractor


class NeighborMetric(buffered_metric.BufferedMetric):
    """Base of the metrics that need every sample's distance to its k-th neighbor.

    Subclasses set `result_names`, `default_name` and `from_features`, a static function
    (real, fake, k, num_real, num_fake) -> one number for each name. The arguments are
    described there.
    """

    default_name: str
    from_features: Callable[..., tuple[tf.Tensor, ...]]

    def __init__(
        self,
        extractor: Any = None,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        num_neighbors: int = 3,
        max_samples: int = 10_000,
        keep_real: bool = False,
        num_features: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.num_neighbors = validation.check_integer("num_neighbors", num_neighbors)
        super().__init__(
            feature_extractor.FeatureExtractor(extractor, preprocess, resize),
            max_samples,
            min_samples=self.num_neighbors + 1,
            keep_real=keep_real,
            num_features=num_features,
            name=name or self.default_name,
            dtype=dtype,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "num_neighbors": self.num_neighbors}

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int, str]:
        return self.num_neighbors + 1, f"each needs {self.num_neighbors} neighbors."

    def _compute(self) -> dict[str, tf.Tensor]:
        enough = self._enough()
        if not self.built:
            nan = tf.constant(float("nan"), tf.float64)
            return dict.fromkeys(self.result_names, nan)
        real, num_real = self._used("real")
        fake, num_fake = self._used("fake")
        found = self.from_features(real, fake, self.num_neighbors, num_real, num_fake)
        # No distance to NaN is small: it would pass for a sample far from all others.
        finite = [tf.reduce_all(tf.math.is_finite(rows)) for rows in (real, fake)]
        enough &= tf.reduce_all(tf.stack(finite))
        return {
            name: tf.where(enough, value, float("nan"))
            for name, value in zip(self.result_names, found, strict=True)
        }
