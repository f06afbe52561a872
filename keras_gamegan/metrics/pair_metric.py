"""Metrics that compare generated samples with real ones."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gamegan.metrics import feature_extractor, sample_metric, units
from keras_gamegan.typing import Config, TensorLike


class PairMetric(sample_metric.SampleMetric):
    """Base class of the metrics of two sets of samples (abstract).

    The two sides may be fed together or one at a time, in any order and any batches.
    Both must be in the same units: integers on one and floating-point numbers on the
    other, as they reach the network, are refused, eagerly at the latest when the result
    is asked for. Standard deviations that differ more than tenfold give one warning
    (not where a generator is narrow beside real samples of at most 10: it has collapsed
    or has not begun).

    Args:
        features: A `FeatureExtractor`.
        keep_real: Whether `reset_state` keeps the real side, which is measured once and
            does not change; `reset_real` forgets it all the same.
        num_features: Length of one feature row, or None.
        name: Name of the metric.
        dtype: Type of the result.

    Raises:
        ValueError: At an update, or for a state that does not go with the other side's,
            if the two sides are in different units.

    Example:
        >>> class MeanDistance(kgg.metrics.PairMetric):
        ...     def _state_shapes(self, num_features):
        ...         return {
        ...             "count": ((), "float64"),
        ...             "sum": ((num_features,), "float64"),
        ...         }
        ...     def _accumulate(self, side, features):
        ...         self._add(side, "count", tf.cast(len(features), tf.float64))
        ...         self._add(side, "sum", tf.reduce_sum(features, axis=0))
        ...     def _requirement(self, counts):
        ...         return 1, "a mean takes one."
        ...     def _compute(self):
        ...         self._enough()
        ...         real, fake = (
        ...             self._value(side, "sum") / self._value(side, "count")
        ...             for side in self.sides
        ...         )
        ...         return tf.norm(real - fake)
        >>> metric = MeanDistance(kgg.metrics.FeatureExtractor(None))
        >>> metric.update_state(np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]]))
        >>> float(metric.result())
        5.0
    """

    sides = ("real", "fake")
    needs_real = True

    def __init__(
        self,
        features: feature_extractor.FeatureExtractor,
        keep_real: bool = False,
        num_features: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(features, num_features=num_features, name=name, dtype=dtype)
        if not isinstance(keep_real, bool):
            raise TypeError(
                f"`keep_real` must be True or False. Received: keep_real={keep_real!r}."
                " True keeps the real side's statistics over `reset_state()`."
            )
        self.keep_real = keep_real
        self._warned = False

    def build(self, num_features: int) -> None:
        """Creates the variables.

        Args:
            num_features: As for every metric.
        """
        super().build(num_features)
        with tf.init_scope():
            for name in (f"{side}_units" for side in self.sides):
                if name not in self._state:
                    self._state[name] = self.add_variable(
                        (units.SIZE,),
                        "zeros",
                        dtype="float64",
                        aggregation="sum",
                        name=name,
                    )

    def update_state(  # type: ignore[override]
        self, real: TensorLike, fake: TensorLike
    ) -> None:
        """Adds a batch of real and a batch of generated samples.

        Args:
            real: Array or tensor (batch, ...).
            fake: Array or tensor (another batch, ...), the same shape otherwise.

        Raises:
            ValueError: If the samples do not fit, or (eagerly) are not finite.
        """
        self._update("real", real)
        self._update("fake", fake)

    def update_real(self, samples: TensorLike) -> None:
        """Adds a batch of real samples only.

        Args:
            samples: Array or tensor (batch, ...).

        Raises:
            ValueError: If the samples do not fit, or (eagerly) are not finite.
        """
        self._update("real", samples)

    def result(self) -> tf.Tensor | dict[str, tf.Tensor]:
        """Returns the value so far, in the metric's dtype.

        Eagerly, too few samples and integers beside floating-point numbers raise a
        ValueError. In a graph, where nothing can be raised, the value is NaN.
        """
        self._check_units()
        result = super().result()
        if tf.executing_eagerly() or not self.built:
            return result
        mixed = units.is_mixed([self._value(side, "units") for side in self.sides])
        return tf.nest.map_structure(
            lambda value: tf.where(mixed, tf.cast(float("nan"), value.dtype), value),
            result,
        )

    def details(self) -> dict[str, Any]:
        """Returns what a report has to state beside the number (eager only).

        Returns:
            As for every metric.
        """
        self._check_units()
        return super().details()

    def reset_state(self) -> None:
        """Forgets the samples: all of them, or the generated ones if `keep_real`."""
        if not self.keep_real:
            self._reset("real")
        self._reset("fake")

    def reset_real(self) -> None:
        """Forgets the real samples, also if `keep_real`."""
        self._reset("real")

    def merge_state(self, metrics: Iterable[sample_metric.SampleMetric]) -> None:
        """Adds the states of other metrics of the same kind to this one's.

        Args:
            metrics: An iterable of metrics, as for every metric.

        Raises:
            ValueError: As for every metric, or if their samples are in other units.
        """
        metrics = list(metrics)
        kept = self._units()
        for index, other in enumerate(metrics):
            if isinstance(other, PairMetric):
                for name, record in other._units().items():
                    kept[f"{name} of metrics[{index}]"] = record
        units.check_kinds(kept)
        super().merge_state(metrics)

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` returned.

        Args:
            state: {name: array}, as for every metric.

        Raises:
            ValueError: If it is not a state of such a metric, or in other units than
                the side that it leaves as it is.
        """
        state = {name: np.asarray(state[name]) for name in state}
        records = {}
        for side in self.sides:
            if any(name.startswith(f"{side}_") for name in state):
                # Version 0.1.0 did not know: no record says nothing.
                record = state.get(f"{side}_units", np.zeros(units.SIZE))
                if record.shape == (units.SIZE,):
                    state.pop(f"{side}_units", None)
                    records[side] = record
        kept = {f"`{side}`": record for side, record in records.items()}
        units.check_kinds({**self._units(), **kept})
        super().set_state(state)
        for side, record in records.items():
            self._state[f"{side}_units"].assign(record)

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        return {**super().get_config(), "keep_real": self.keep_real}

    def _note(self, side: str, samples: tf.Tensor) -> None:
        new = units.record(samples)
        if tf.executing_eagerly():
            units.check_kinds({**self._units(), f"`{side}` now": new.numpy()})
        self._add(side, "units", new)

    def _units(self) -> dict[str, np.ndarray]:
        """Returns {side in quotes: its record as an array} (eager only)."""
        if not self.built:
            return {f"`{side}`": np.zeros(units.SIZE) for side in self.sides}
        return {f"`{side}`": self._value(side, "units").numpy() for side in self.sides}

    def _check_units(self) -> None:
        if not tf.executing_eagerly():
            return
        kept = self._units()
        units.check_kinds(kept)
        words = units.difference(*kept.values())
        if words and not self._warned:
            self._warned = True
            warnings.warn(words, UserWarning, stacklevel=3)
