"""Improved precision and recall of generated samples, by nearest neighbors."""

import keras
import tensorflow as tf

from keras_gamegan.metrics import neighbor_metric, neighbors
from keras_gamegan.typing import TensorLike


def precision_recall_from_features(
    real: TensorLike,
    fake: TensorLike,
    num_neighbors: int = 3,
    num_real: int | tf.Tensor | None = None,
    num_fake: int | tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the fraction of each sample that lies in the other's estimated support.

    The support of a sample is the union of balls around its points, each reaching to
    the point's k-th nearest neighbor in that sample (itself not counted; the surface
    belongs to the ball). Precision is the fraction of fake points in the support of the
    real ones, recall the fraction of real points in the support of the fake ones.
    Computed in float64, some rows at a time.

    Args:
        real: (number, d).
        fake: (another number, d).
        num_neighbors: k. The paper uses 3.
        num_real: Number of rows of `real` that count, the first ones; all by default.
        num_fake: The same of `fake`.

    Returns:
        Precision and recall, float64 scalar tensors; NaN with k samples or fewer.

    Example:
        >>> real = np.array([[0.0], [1.0], [2.0]])
        >>> fake = np.array([[0.5], [1.5], [9.0], [9.5]])
        >>> found = kgg.metrics.precision_recall_from_features(real, fake, 1)
        >>> [float(each) for each in found]
        [0.5, 1.0]

    References:
        T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila. Improved Precision
        and Recall Metric for Assessing Generative Models. 2019.
    """
    real = tf.cast(tf.convert_to_tensor(real), tf.float64)
    fake = tf.cast(tf.convert_to_tensor(fake), tf.float64)
    num_real = tf.shape(real)[0] if num_real is None else num_real
    num_fake = tf.shape(fake)[0] if num_fake is None else num_fake
    radii_real = neighbors.squared_radii(real, num_real, num_neighbors)
    radii_fake = neighbors.squared_radii(fake, num_fake, num_neighbors)
    precision = _share_inside(fake, num_fake, real, radii_real)
    recall = _share_inside(real, num_real, fake, radii_fake)
    enough = tf.minimum(num_real, num_fake) > num_neighbors
    return (
        tf.where(enough, precision, float("nan")),
        tf.where(enough, recall, float("nan")),
    )


def _share_inside(
    queries: tf.Tensor,
    number: int | tf.Tensor,
    points: tf.Tensor,
    squared_radii: tf.Tensor,
) -> tf.Tensor:
    """Fraction of the first `number` queries that lie in a ball around a point."""
    # Equal distances that were computed on different ways are equal.
    reach = squared_radii * (1.0 + 1e-10)

    def inside(numbers: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        within = neighbors.squared_distances(rows, points) <= reach
        return tf.cast(tf.reduce_any(within, axis=1) & (numbers < number), tf.float64)

    found = tf.reduce_sum(neighbors.map_rows(inside, queries))
    return found / tf.cast(tf.maximum(number, 1), tf.float64)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class PrecisionRecall(neighbor_metric.NeighborMetric):
    """Precision (quality) and recall (coverage) of generated samples, separately.

    Precision is the fraction of generated samples that lie in the support of the real
    ones, recall the fraction of real samples that lie in the support of the generated
    ones, with supports made of balls to the k-th nearest neighbor in any network's
    features. See `precision_recall_from_features`. Both depend on the number of
    samples: compare numbers of equal `n_real`, `n_fake` and network only.

    Args:
        extractor: A Keras model or layer, or a callable, from samples to (batch, d); or
            `None`, for samples that are their own features once flattened. The paper
            uses a VGG-16 classifier's second fully connected layer.
        preprocess: `None`, or a callable applied to the samples first.
        resize: Whether images may be resized to the network's input size.
        num_neighbors: k.
        max_samples: Samples kept of each side, the first ones (of R replicas, the first
            `max_samples / R` of each). Memory: 2 x max_samples x d numbers of `dtype`;
            time grows with its square. The paper uses 50,000.
        keep_real: Whether `reset_state()` keeps the real side.
        num_features: d, where it is not known from the network but needed early.
        name: Name of the metric.
        dtype: Type of the result and of the kept features; computed in float64 always.

    Raises:
        ValueError: At `result()`, eagerly, with k samples or fewer on a side (NaN in a
            graph); at an update, with samples of the wrong shape, NaN or infinite
            features.

    Example:
        >>> metric = kgg.metrics.PrecisionRecall(extractor=None, num_neighbors=1)
        >>> real = np.array([[0.0], [1.0], [10.0], [11.0]])
        >>> metric.update_state(real, fake=real[:2])         # one mode of two
        >>> {name: float(value) for name, value in metric.result().items()}
        {'precision': 1.0, 'recall': 0.5}

    References:
        T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila. Improved Precision
        and Recall Metric for Assessing Generative Models. 2019.
    """

    result_names = ("precision", "recall")
    default_name = "precision_recall"
    from_features = staticmethod(precision_recall_from_features)
