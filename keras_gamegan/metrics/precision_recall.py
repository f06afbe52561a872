"""Improved precision and recall of generated samples, by nearest neighbors."""

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.metrics import buffered_metric, feature_extractor

# Rows whose distances to all points are in memory at a time.
_ROWS_AT_A_TIME = 512


def precision_recall_from_features(
    real, fake, num_neighbors=3, num_real=None, num_fake=None
):
    """Returns the share of each sample that lies in the other's estimated support.

    The support of a sample is the union of balls around its points, each reaching to
    the point's k-th nearest neighbor in that sample (itself not counted; the surface
    belongs to the ball). Precision is the share of fake points in the support of the
    real ones, recall the share of real points in the support of the fake ones. Computed
    in float64, some rows at a time.

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
        >>> shares = kgg.metrics.precision_recall_from_features(real, fake, 1)
        >>> [float(share) for share in shares]
        [0.5, 1.0]

    References:
        T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila. Improved Precision
        and Recall Metric for Assessing Generative Models. 2019.
    """
    real = tf.cast(tf.convert_to_tensor(real), tf.float64)
    fake = tf.cast(tf.convert_to_tensor(fake), tf.float64)
    num_real = tf.shape(real)[0] if num_real is None else num_real
    num_fake = tf.shape(fake)[0] if num_fake is None else num_fake
    radii_real = _squared_radii(real, num_real, num_neighbors)
    radii_fake = _squared_radii(fake, num_fake, num_neighbors)
    precision = _share_inside(fake, num_fake, real, radii_real)
    recall = _share_inside(real, num_real, fake, radii_fake)
    enough = tf.minimum(num_real, num_fake) > num_neighbors
    return (
        tf.where(enough, precision, float("nan")),
        tf.where(enough, recall, float("nan")),
    )


def _squared_distances(rows, points):
    norms = tf.reduce_sum(rows**2, axis=1)[:, None] + tf.reduce_sum(points**2, axis=1)
    distances = norms - 2.0 * tf.matmul(rows, points, transpose_b=True)
    # What is left of equal points is rounding.
    return tf.where(distances > 1e-13 * norms, distances, tf.zeros_like(distances))


def _map_rows(function, points):
    """Applies (row numbers, rows) -> (rows,) to some rows of `points` at a time."""
    total = tf.shape(points)[0] if points.shape[0] is None else points.shape[0]
    size = _ROWS_AT_A_TIME if tf.is_tensor(total) else min(_ROWS_AT_A_TIME, total)
    num_chunks = (total + size - 1) // max(size, 1)

    def chunk(index):
        numbers = index * size + tf.range(size)
        return function(numbers, tf.gather(points, tf.minimum(numbers, total - 1)))

    mapped = tf.map_fn(
        chunk,
        tf.range(num_chunks),
        fn_output_signature=tf.TensorSpec((size,), tf.float64),
    )
    return tf.reshape(mapped, (-1,))[:total]


def _squared_radii(points, number, num_neighbors):
    """Squared distance to the k-th neighbor; -1 for rows that do not count."""
    total = tf.shape(points)[0]
    columns = tf.range(total)
    infinite = tf.constant(float("inf"), tf.float64)

    def radii(numbers, rows):
        distances = _squared_distances(rows, points)
        excluded = (columns == numbers[:, None]) | (columns >= number)
        distances = tf.where(excluded, infinite, distances)
        # Columns of padding keep top_k defined for k samples or fewer.
        distances = tf.pad(
            distances, ((0, 0), (0, num_neighbors)), constant_values=infinite
        )
        nearest = -tf.math.top_k(-distances, num_neighbors).values
        return nearest[:, -1]

    return tf.where(columns < number, _map_rows(radii, points), -1.0)


def _share_inside(queries, number, points, squared_radii):
    """Share of the first `number` queries that lie in a ball around a point."""
    # Equal distances that were computed on different ways are equal.
    reach = squared_radii * (1.0 + 1e-10)

    def inside(numbers, rows):
        within = _squared_distances(rows, points) <= reach
        return tf.cast(tf.reduce_any(within, axis=1) & (numbers < number), tf.float64)

    found = tf.reduce_sum(_map_rows(inside, queries))
    return found / tf.cast(tf.maximum(number, 1), tf.float64)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class PrecisionRecall(buffered_metric.BufferedMetric):
    """Precision (quality) and recall (coverage) of generated samples, separately.

    Precision is the share of generated samples that lie in the support of the real
    ones, recall the share of real samples that lie in the support of the generated
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

    def __init__(
        self,
        extractor=None,
        preprocess=None,
        resize=False,
        num_neighbors=3,
        max_samples=10_000,
        keep_real=False,
        num_features=None,
        name="precision_recall",
        dtype=None,
    ):
        self.num_neighbors = validation.check_integer("num_neighbors", num_neighbors)
        super().__init__(
            feature_extractor.FeatureExtractor(extractor, preprocess, resize),
            max_samples,
            min_samples=self.num_neighbors + 1,
            keep_real=keep_real,
            num_features=num_features,
            name=name,
            dtype=dtype,
        )

    def get_config(self):
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "num_neighbors": self.num_neighbors}

    def _requirement(self, counts):
        return self.num_neighbors + 1, f"each needs {self.num_neighbors} neighbors."

    def _compute(self):
        enough = self._enough()
        if not self.built:
            nan = tf.constant(float("nan"), tf.float64)
            return {"precision": nan, "recall": nan}
        real, num_real = self._used("real")
        fake, num_fake = self._used("fake")
        precision, recall = precision_recall_from_features(
            real, fake, self.num_neighbors, num_real, num_fake
        )
        # No distance to NaN is small: it would pass for a sample far from all others.
        finite = [tf.reduce_all(tf.math.is_finite(rows)) for rows in (real, fake)]
        enough &= tf.reduce_all(tf.stack(finite))
        return {
            "precision": tf.where(enough, precision, float("nan")),
            "recall": tf.where(enough, recall, float("nan")),
        }
