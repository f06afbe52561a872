"""The classifier score (Inception score with Inception's classifier)."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan.metrics import feature_extractor, sample_metric
from keras_gamegan.typing import Config


def classifier_score_from_sums(
    count: float | tf.Tensor,
    sum_probabilities: np.ndarray | tf.Tensor,
    sum_negative_entropy: float | tf.Tensor,
) -> tf.Tensor:
    r"""Returns exp(E KL(p(y|x) || p(y))) from sums over the samples.

    E KL(p(y|x) || p(y)) = E[sum_y p(y|x) log p(y|x)] - sum_y q_y log q_y, q = E p(y|x).

    Args:
        count: Number of samples n, a float64 scalar.
        sum_probabilities: sum_x p(y|x), float64 (classes,).
        sum_negative_entropy: sum_x sum_y p(y|x) log p(y|x), a float64 scalar.

    Returns:
        A float64 scalar tensor between 1 and the number of classes; NaN if n is 0.

    Example:
        >>> mean = np.array([0.5, 0.5])    # two samples, sure of different classes
        >>> score = kgg.metrics.classifier_score_from_sums(2.0, 2.0 * mean, 0.0)
        >>> round(float(score), 6)
        2.0
    """
    marginal = sum_probabilities / count
    divergence = sum_negative_entropy / count
    divergence -= tf.reduce_sum(tf.math.xlogy(marginal, marginal))
    # Rounding can take a divergence of 0 a little below it.
    return tf.exp(tf.maximum(divergence, 0.0))


@keras.saving.register_keras_serializable(package="keras_gamegan")
class ClassifierScore(sample_metric.SampleMetric):
    r"""How sure a classifier is of each sample, and how evenly all classes occur.

    exp(E_x KL(p(y|x) || p(y))), between 1 and the number of classes C, the higher the
    better. With Inception's classifier it is the Inception score (over all samples at
    once, not a mean over splits). It does not look at real samples, so it does not see
    a generator that repeats one good sample of each class.

    Only sums are kept, so any split into batches or replicas gives the same number.

    Args:
        classifier: A Keras model or layer, or a callable, from samples to (batch, C);
            or `None`, for samples that are logits (or probabilities) already.
        from_logits: Whether the classifier returns logits; False for probabilities.
        preprocess: `None`, or a callable applied to the samples first.
        resize: Whether images may be resized to the network's input size.
        num_classes: C, where it is not known from the network but needed early.
        name: Name of the metric.
        dtype: Type of the result. `details()["value"]` is float64 always.

    Raises:
        ValueError: If a classifier that ends in a softmax is said to return logits; at
            an update (eagerly), if the rows are not probabilities although
            `from_logits=False`; at `result()` (eagerly), without samples.

    Example:
        >>> metric = kgg.metrics.ClassifierScore(classifier=None, from_logits=False)
        >>> metric.update_state(np.eye(4))    # sure of each, and all classes occur
        >>> round(float(metric.result()), 4)
        4.0

    References:
        T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen. Improved
        Techniques for Training GANs. 2016.
    """

    def __init__(
        self,
        classifier: keras.Layer | Callable[..., Any] | None = None,
        from_logits: bool = True,
        preprocess: Callable[[Any], Any] | None = None,
        resize: bool = False,
        num_classes: int | None = None,
        name: str = "classifier_score",
        dtype: Any = None,
    ) -> None:
        features = feature_extractor.FeatureExtractor(
            classifier, preprocess, resize, argument="classifier"
        )
        super().__init__(features, num_features=num_classes, name=name, dtype=dtype)
        if not isinstance(from_logits, bool):
            raise TypeError(
                "`from_logits` must be True or False. Received: "
                f"from_logits={from_logits!r}. False means probabilities."
            )
        if from_logits and _ends_in_softmax(classifier):
            raise ValueError(
                "`classifier` must return logits where `from_logits=True`. Received: "
                f"{features.name}, whose last layer is a softmax. Pass "
                "`from_logits=False`."
            )
        self.from_logits = from_logits

    @property
    def num_classes(self) -> int | None:
        """Number of classes C, or None before the first batch."""
        return self.num_features

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        config = super().get_config()
        config["num_classes"] = config.pop("num_features")
        return {**config, "from_logits": self.from_logits}

    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        return {
            "count": ((), "float64"),
            "probabilities": ((num_features,), "float64"),
            "negative_entropy": ((), "float64"),
        }

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "from_logits": self.from_logits}

    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        if self.from_logits:
            probabilities = tf.nn.softmax(features)
            terms = probabilities * tf.nn.log_softmax(features)
        else:
            self._check_probabilities(features)
            probabilities = features
            terms = tf.math.xlogy(features, features)
        self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
        self._add(side, "probabilities", tf.reduce_sum(probabilities, axis=0))
        self._add(side, "negative_entropy", tf.reduce_sum(terms))

    def _check_probabilities(self, rows: tf.Tensor) -> None:
        if not tf.executing_eagerly():
            return
        # 1e-2: probabilities may come from a network that computes in half precision.
        off = tf.abs(tf.reduce_sum(rows, axis=1) - 1.0) > 1e-2
        if bool(tf.reduce_any(off)) or bool(tf.reduce_any(rows < 0.0)):
            raise ValueError(
                "`classifier` must return probabilities where `from_logits=False`: "
                "rows that are not negative and add up to 1. Received: rows between "
                f"{float(tf.reduce_min(rows)):.3g} and "
                f"{float(tf.reduce_max(rows)):.3g} from {self._features.name}. Pass "
                "`from_logits=True` if they are logits."
            )

    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int, str]:
        return 1, "the score is a mean over samples."

    def _compute(self) -> tf.Tensor:
        enough = self._enough()
        if not self.built:
            return tf.constant(float("nan"), tf.float64)
        score = classifier_score_from_sums(
            self._value("fake", "count"),
            self._value("fake", "probabilities"),
            self._value("fake", "negative_entropy"),
        )
        return tf.where(enough, score, float("nan"))


def _ends_in_softmax(classifier: keras.Layer | Callable[..., Any] | None) -> bool:
    """Whether the last layer of a Keras network is, or applies, a softmax."""
    last: Any = classifier
    while getattr(last, "layers", None):
        last = last.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return True
    return getattr(last, "activation", None) is keras.activations.softmax
