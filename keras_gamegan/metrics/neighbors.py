"""Nearest neighbors in a space of features, some rows at a time."""

from collections.abc import Callable

import tensorflow as tf

# Rows whose distances to all points are in memory at a time.
_ROWS_AT_A_TIME = 512


def squared_distances(rows: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Returns the squared distance of each row to each point: (rows, points)."""
    norms = tf.reduce_sum(rows**2, axis=1)[:, None] + tf.reduce_sum(points**2, axis=1)
    distances = norms - 2.0 * tf.matmul(rows, points, transpose_b=True)
    # What is left of equal points is rounding.
    return tf.where(distances > 1e-13 * norms, distances, tf.zeros_like(distances))


def map_rows(
    function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], points: tf.Tensor
) -> tf.Tensor:
    """Applies (row numbers, rows) -> (rows,) to some rows of `points` at a time."""
    total = tf.shape(points)[0] if points.shape[0] is None else points.shape[0]
    size = _ROWS_AT_A_TIME if tf.is_tensor(total) else min(_ROWS_AT_A_TIME, total)
    num_chunks = (total + size - 1) // max(size, 1)

    def chunk(index: tf.Tensor) -> tf.Tensor:
        numbers = index * size + tf.range(size)
        return function(numbers, tf.gather(points, tf.minimum(numbers, total - 1)))

    mapped = tf.map_fn(
        chunk,
        tf.range(num_chunks),
        fn_output_signature=tf.TensorSpec((size,), tf.float64),
    )
    return tf.reshape(mapped, (-1,))[:total]


def squared_radii(
    points: tf.Tensor, number: int | tf.Tensor, num_neighbors: int
) -> tf.Tensor:
    """Returns squared distances to the k-th neighbors, -1 in rows that do not count.

    Args:
        points: (rows, d).
        number: Rows that count, the first ones.
        num_neighbors: k, the point itself not counted.
    """
    total = tf.shape(points)[0]
    columns = tf.range(total)
    infinite = tf.constant(float("inf"), tf.float64)

    def radii(numbers: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        distances = squared_distances(rows, points)
        excluded = (columns == numbers[:, None]) | (columns >= number)
        distances = tf.where(excluded, infinite, distances)
        # Columns of padding keep top_k defined for k samples or fewer.
        distances = tf.pad(
            distances, ((0, 0), (0, num_neighbors)), constant_values=infinite
        )
        nearest = -tf.math.top_k(-distances, num_neighbors).values
        return nearest[:, -1]

    return tf.where(columns < number, map_rows(radii, points), -1.0)
