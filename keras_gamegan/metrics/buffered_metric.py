"""Metrics that need the samples themselves: features in buffers of fixed size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.distribution import replicas
from keras_gamegan.metrics import feature_extractor, pair_metric
from keras_gamegan.typing import Config


def fill_buffer(
    buffer: tf.Tensor,
    filled: tf.Tensor,
    features: tf.Tensor,
    replica: int | tf.Tensor = 0,
    num_replicas: int = 1,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the buffer with more rows in its free places.

    Places are free while their entry of `filled` and their row are 0, so writing is
    adding, and the buffers of several replicas add up to one: replica r of R uses the
    places r, r + R, r + 2R, ... only. Rows for which no place is left are dropped.
    Shapes are static, as XLA wants them.

    Args:
        buffer: (capacity, features).
        filled: (capacity,), positive where a row is stored.
        features: (batch, features), of the buffer's dtype.
        replica: Index of the replica that writes.
        num_replicas: Number of replicas that write.

    Returns:
        The new `buffer` and the new `filled`.
    """
    capacity = buffer.shape[0]
    places = tf.range(capacity)
    taken = (filled > 0) | (places % num_replicas != replica)
    # Distinct keys: the free places in ascending order, then the others.
    order = tf.argsort(places + capacity * tf.cast(taken, tf.int32))
    if features.shape[0] is None:
        number = tf.minimum(tf.shape(features)[0], capacity)
    else:
        number = min(features.shape[0], capacity)
    chosen = order[:number]
    free = ~tf.gather(taken, chosen)
    rows = tf.where(free[:, None], features[:number], tf.zeros((), features.dtype))
    indices = chosen[:, None]
    return (
        tf.tensor_scatter_nd_add(buffer, indices, rows),
        tf.tensor_scatter_nd_add(filled, indices, tf.cast(free, filled.dtype)),
    )


class BufferedMetric(pair_metric.PairMetric):
    """Base class of the metrics that keep the features of both sides (abstract).

    Each side keeps the first `max_samples` rows that it is given (of R replicas, each
    keeps the first `max_samples / R`); later rows are counted but not used. Buffers are
    of the metric's dtype, computations are in float64.

    Args:
        features: A `FeatureExtractor`.
        max_samples: Rows kept of each side; memory is 2 x max_samples x features.
        min_samples: Smallest sensible value of `max_samples`.
        **kwargs: Of `PairMetric`.
    """

    def __init__(
        self,
        features: feature_extractor.FeatureExtractor,
        max_samples: int,
        min_samples: int = 2,
        **kwargs: Any,
    ) -> None:
        # Before the base class, which may create the variables.
        self._max_samples = validation.check_integer(
            "max_samples",
            max_samples,
            minimum=min_samples,
            hint="It is the number of feature rows kept of each side.",
        )
        super().__init__(features, **kwargs)

    @property
    def max_samples(self) -> int:
        """Rows kept of each side."""
        return self._max_samples

    def details(self) -> dict[str, Any]:
        """Returns what a report has to state beside the number (eager only).

        Returns:
            As for every metric; `n_real` and `n_fake` are the samples used,
            `n_real_seen` and `n_fake_seen` all that were given.
        """
        report = super().details()
        for side in self.sides:
            report[f"n_{side}_seen"] = report[f"n_{side}"]
            report[f"n_{side}"] = int(self._num_used(side))
        return report

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "max_samples": self._max_samples}

    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        return {
            "count": ((), "float64"),
            "buffer": ((self._max_samples, num_features), self.dtype),
            "filled": ((self._max_samples,), self.dtype),
        }

    def _num_features_of(self, state: Mapping[str, np.ndarray]) -> int:
        return next(array.shape[-1] for array in state.values() if array.ndim == 2)

    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        self._add(side, "count", tf.cast(tf.shape(features)[0], tf.float64))
        self._store(side, features)

    def _store(self, side: str, features: tf.Tensor) -> None:
        where = replicas.place()
        buffer, filled = fill_buffer(
            self._value(side, "buffer"),
            self._value(side, "filled"),
            tf.cast(features, self.dtype),
            *where,
        )
        self._state[f"{side}_buffer"].assign(buffer)
        self._state[f"{side}_filled"].assign(filled)

    def _merge(self, other: Any) -> None:
        for side in self.sides:
            rows, number = other._used(side)
            self._store(side, rows[:number])
            for key in ("count", "units"):
                self._add(side, key, other._value(side, key))

    def _usable(self, number: int) -> int:
        return min(number, self._max_samples)

    def _counts(self) -> dict[str, tf.Tensor]:
        return {side: self._num_used(side) for side in self.sides}

    def _num_used(self, side: str) -> tf.Tensor:
        if not self.built:
            return tf.constant(0)
        return tf.math.count_nonzero(self._value(side, "filled") > 0, dtype=tf.int32)

    def _used(self, side: str) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the kept rows, in order and in float64, and their number.

        Eagerly there are no further rows; in a graph the number of rows is the
        capacity, and the rows after the first `number` are zeros.
        """
        empty = tf.cast(self._value(side, "filled") <= 0, tf.int32)
        capacity = self._max_samples
        order = tf.argsort(tf.range(capacity) + capacity * empty)
        number = self._num_used(side)
        if tf.executing_eagerly():
            order = order[:number]
        rows = tf.gather(self._value(side, "buffer"), order)
        return tf.cast(rows, tf.float64), number
