"""How many classes of a classifier the samples cover, and how evenly."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.metrics import feature_extractor, mode_coverage, sample_metric
from keras_gamegan.typing import Config


@keras.saving.register_keras_serializable(package="keras_gamegan")
class ClassCoverage(sample_metric.SampleMetric):
    r"""Classes that a classifier finds among the samples, and how evenly they occur.

    For data whose modes are classes, equally likely, as those of
    `kgg.datasets.stacked_mnist`: what `ModeCoverage` is to mixtures. Each sample counts
    for the class of its largest logit. With p the fractions of the C classes among the
    samples, and u = 1/C, the result is a dict:

    *   "modes": number of classes with a sample.
    *   "kl": $KL(u \| p) = -\log C - \frac1C \sum_c \log p_c$ in nats, infinite as soon
        as a class has no sample.
    *   "reverse_kl": $KL(p \| u) = \log C + \sum_c p_c \log p_c$ in nats, at most log
        C: the one that the literature on Stacked MNIST reports.

    These are numbers of (classifier, number of samples) pairs: compare at equal ones.
    Every sample counts, also one that resembles no class, and one wrong answer of the
    classifier covers a class: look at samples too, or at a distance of features. Of n
    perfect samples "reverse_kl" is about (C - 1) / 2n, not 0.

    Only counts are kept, so any split into batches or replicas gives the same numbers.

    Args:
        classifier: A Keras model or layer, or a callable, from samples to logits or
            probabilities (batch, C); or `None`, for samples that are such already.
        preprocess: `None`, or a callable applied to the samples first.
        resize: Whether images may be resized to the network's input size.
        num_classes: C, where it is not known from the network but needed early.
        name: Name of the metric.
        dtype: Type of the result. `details()` is float64 always.

    Raises:
        ValueError: At an update, with samples of the wrong shape, or (eagerly) NaN or
            infinite ones; in a graph those make every number NaN. At `result()`,
            eagerly, without samples.

    Example:
        >>> metric = kgg.metrics.ClassCoverage(classifier=None)
        >>> metric.update_state(np.array([[5.0, 0.0, 0.0], [0.0, 3.0, 0.0]]))
        >>> {name: round(float(value), 3) for name, value in metric.result().items()}
        {'modes': 2.0, 'kl': inf, 'reverse_kl': 0.405}

    References:
        L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein. Unrolled Generative Adversarial
        Networks. 2017.
        Z. Lin, A. Khetan, G. Fanti, S. Oh. PacGAN: The Power of Two Samples in
        Generative Adversarial Networks. 2018.
    """

    result_names = ("modes", "kl", "reverse_kl")

    def __init__(
        self,
        classifier: keras.Layer | Callable[..., Any] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        num_classes: int | None = None,
        name: str = "class_coverage",
        dtype: Any = None,
    ) -> None:
        features = feature_extractor.FeatureExtractor(
            classifier, preprocess, resize, argument="classifier"
        )
        super().__init__(features, num_features=num_classes, name=name, dtype=dtype)

    @property
    def num_classes(self) -> int | None:
        """Number of classes C, or None before the first batch."""
        return self.num_features

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        config = super().get_config()
        config["num_classes"] = config.pop("num_features")
        return config

    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        return {"count": ((), "float64"), "histogram": ((num_features,), "float64")}

    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        rows = tf.one_hot(
            tf.argmax(features, axis=1), features.shape[-1], dtype=tf.float64
        )
        finite = tf.reduce_all(tf.math.is_finite(features), axis=1, keepdims=True)
        rows = tf.where(finite, rows, tf.constant(float("nan"), tf.float64))
        self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
        self._add(side, "histogram", tf.reduce_sum(rows, axis=0))

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int, str]:
        return 1, "the numbers are fractions of the samples."

    def _compute(self) -> dict[str, tf.Tensor]:
        enough = self._enough()
        missing = tf.constant(float("nan"), tf.float64)
        if not self.built:
            return dict.fromkeys(self.result_names, missing)
        histogram, count = (
            self._value("fake", "histogram"),
            self._value("fake", "count"),
        )
        numbers = mode_coverage.mode_statistics(histogram, histogram, count)
        valid = enough & tf.math.is_finite(tf.reduce_sum(histogram))
        return {
            key: tf.where(valid, numbers[key], missing) for key in self.result_names
        }
