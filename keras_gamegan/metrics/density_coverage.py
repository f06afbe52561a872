"""Density and coverage of generated samples, by nearest neighbors."""

import keras
import tensorflow as tf

from keras_gamegan.metrics import neighbor_metric, neighbors


def density_coverage_from_features(
    real: tf.Tensor,
    fake: tf.Tensor,
    num_neighbors: int = 3,
    num_real: int | tf.Tensor | None = None,
    num_fake: int | tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Returns how densely fake points fill the data, and how much of it they reach.

    Each of the N real points has a ball that ends at its k-th nearest real neighbor
    (itself not counted; the surface does not belong to the ball). Of M fake points,

    $$ density = \frac{1}{kM} \sum_{j=1}^M \#\{i : y_j \in B_i\}, \qquad
       coverage = \frac{1}{N} \sum_{i=1}^N 1[\exists j : y_j \in B_i]. $$

    Both are about 1 where the samples have the data's distribution (coverage
    1 - 2^-k for large N = M); density may exceed 1. Unlike precision and recall they
    make no balls around fake points, so that one stray sample does not count for much.
    Computed in float64, some rows at a time.

    Args:
        real: (number, d).
        fake: (another number, d).
        num_neighbors: k. The paper uses 5.
        num_real: Number of rows of `real` that count, the first ones; all by default.
        num_fake: The same of `fake`.

    Returns:
        Density and coverage, float64 scalar tensors; NaN with k real samples or fewer,
        or no fake one.

    Example:
        >>> real = np.array([[0.0], [1.0], [2.0]])
        >>> fake = np.array([[0.5], [0.6], [9.0]])
        >>> pair = kgg.metrics.density_coverage_from_features(real, fake, 1)
        >>> [round(float(value), 4) for value in pair]
        [1.3333, 0.6667]

    References:
        M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo. Reliable Fidelity and Diversity
        Metrics for Generative Models. 2020.
    """
    real = tf.cast(tf.convert_to_tensor(real), tf.float64)
    fake = tf.cast(tf.convert_to_tensor(fake), tf.float64)
    num_real = tf.shape(real)[0] if num_real is None else num_real
    num_fake = tf.shape(fake)[0] if num_fake is None else num_fake
    radii = neighbors.squared_radii(real, num_real, num_neighbors)
    # Equal distances that were computed on different ways are equal, hence not less.
    reach = radii * (1.0 - 1e-10)
    columns = tf.range(tf.shape(fake)[0])

    def balls_around(numbers: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        within = neighbors.squared_distances(rows, real) < reach
        inside = tf.reduce_sum(tf.cast(within, tf.float64), axis=1)
        return tf.where(numbers < num_fake, inside, 0.0)

    def reached(numbers: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        own = tf.gather(reach, tf.minimum(numbers, tf.shape(real)[0] - 1))
        within = neighbors.squared_distances(rows, fake) < own[:, None]
        found = tf.reduce_any(within & (columns < num_fake), axis=1)
        return tf.cast(found & (numbers < num_real), tf.float64)

    count = tf.reduce_sum(neighbors.map_rows(balls_around, fake))
    possible = num_neighbors * tf.maximum(num_fake, 1)
    density = count / tf.cast(possible, tf.float64)
    covered = tf.reduce_sum(neighbors.map_rows(reached, real))
    coverage = covered / tf.cast(tf.maximum(num_real, 1), tf.float64)
    enough = (num_real > num_neighbors) & (num_fake > 0)
    return (
        tf.where(enough, density, float("nan")),
        tf.where(enough, coverage, float("nan")),
    )


@keras.saving.register_keras_serializable(package="keras_gamegan")
class DensityCoverage(neighbor_metric.NeighborMetric):
    """Density (quality) and coverage (variety) of generated samples, separately.

    Density is how many balls of real samples a generated one lies in, over the k that
    a real one lies in; coverage the fraction of real samples whose ball holds a
    generated one, in any network's features. See `density_coverage_from_features`. A
    few outliers among the generated samples, which raise recall, do not raise coverage.
    Both depend on the number of samples: compare numbers of equal `n_real`, `n_fake`
    and network only.

    Args:
        extractor: A Keras model or layer, or a callable, from samples to (batch, d); or
            `None`, for samples that are their own features once flattened.
        preprocess: `None`, or a callable applied to the samples first.
        resize: Whether images may be resized to the network's input size.
        num_neighbors: k. The paper uses 5.
        max_samples: Samples kept of each side, the first ones (of R replicas, the first
            `max_samples / R` of each). Memory: 2 x max_samples x d numbers of `dtype`;
            time grows with its square.
        keep_real: Whether `reset_state()` keeps the real side.
        num_features: d, where it is not known from the network but needed early.
        name: Name of the metric. Default: "density_coverage".
        dtype: Type of the result and of the kept features; computed in float64 always.

    Raises:
        ValueError: At `result()`, eagerly, with k samples or fewer on a side (NaN in a
            graph); at an update, with samples of the wrong shape, NaN or infinite
            features.

    Example:
        >>> metric = kgg.metrics.DensityCoverage(extractor=None, num_neighbors=1)
        >>> real = np.array([[0.0], [1.0], [10.0], [11.0]])
        >>> metric.update_state(real, fake=real[:2])         # one mode of two
        >>> {name: float(value) for name, value in metric.result().items()}
        {'density': 1.0, 'coverage': 0.5}

    References:
        M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo. Reliable Fidelity and Diversity
        Metrics for Generative Models. 2020.
    """

    result_names = ("density", "coverage")
    default_name = "density_coverage"
    from_features = staticmethod(density_coverage_from_features)
