"""What all sample metrics share: their state, and how states are added up."""

import abc
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.distribution import replicas
from keras_gamegan.metrics import feature_extractor
from keras_gamegan.typing import Config, TensorLike


class SampleMetric(keras.metrics.Metric, abc.ABC):
    """Base class of the metrics that look at samples (abstract).

    A subclass says which variables it keeps (`_state_shapes`), what a batch of features
    adds to them (`_accumulate`) and what they amount to (`_compute`). Every variable is
    such that the right state of several replicas, processes or partial runs together is
    the SUM of their states: the metric is exact under a strategy, and mergeable.

    The variables are created in the constructor where the number of features is known
    by then (`num_features`, or a Keras network with a known output shape), and with the
    first batch otherwise. Under a strategy they have to be created in its scope.

    Args:
        features: A `FeatureExtractor`.
        num_features: Length of one feature row, or None.
        name: Name of the metric.
        dtype: Type of the result. Sums are float64 whatever it is.

    Raises:
        ValueError: If `num_features` is not what the network returns.

    Example:
        >>> class MeanNorm(kgg.metrics.SampleMetric):
        ...     def _state_shapes(self, num_features):
        ...         return {"count": ((), "float64"), "sum": ((), "float64")}
        ...     def _accumulate(self, side, features):
        ...         self._add(side, "count", tf.cast(len(features), tf.float64))
        ...         self._add(side, "sum", tf.reduce_sum(tf.norm(features, axis=1)))
        ...     def _requirement(self, counts):
        ...         return 1, "a mean takes one."
        ...     def _compute(self):
        ...         self._enough()
        ...         return self._value("fake", "sum") / self._value("fake", "count")
        >>> metric = MeanNorm(kgg.metrics.FeatureExtractor(None), name="mean_norm")
        >>> metric.update_fake(np.array([[3.0, 4.0], [6.0, 8.0]]))
        >>> float(metric.result())
        7.5
    """

    sides: tuple[str, ...] = ("fake",)
    needs_real = False
    # Names of the numbers of a result that is a dict.
    result_names: tuple[str, ...] = ()

    def __init__(
        self,
        features: feature_extractor.FeatureExtractor,
        num_features: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype=dtype, name=name)
        if num_features is not None:
            num_features = validation.check_integer(
                "num_features", num_features, hint="It is the length of a feature row."
            )
        known = features.num_features
        if None not in (num_features, known) and num_features != known:
            raise ValueError(
                f"`num_features` must be what `{features.argument}` ({features.name}) "
                f"returns, {known}. Received: num_features={num_features}. Leave it "
                "out."
            )
        self._features = features
        self._state: dict[str, keras.Variable] = {}
        self.num_features: int | None = None
        length = num_features or known
        if length:
            self.build(length)

    @abc.abstractmethod
    def _state_shapes(
        self, num_features: int
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns {name: (shape, dtype)} of one side's variables, "count" included."""

    @abc.abstractmethod
    def _accumulate(self, side: str, features: tf.Tensor) -> None:
        """Adds a (batch, features) float64 tensor to the state of a side."""

    @abc.abstractmethod
    def _requirement(self, counts: Mapping[str, Any]) -> tuple[int | tf.Tensor, str]:
        """Returns the samples needed of each side, of so many, and why, a sentence."""

    @abc.abstractmethod
    def _compute(self) -> tf.Tensor | dict[str, tf.Tensor]:
        """Returns the result in float64: a scalar tensor, or a dict of them."""

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self.num_features is not None

    def build(self, num_features: int) -> None:
        """Creates the variables, for feature rows of this length.

        Needed by hand only where `num_features` cannot be known early and the first
        batch would come too late: before `strategy.run`, in the strategy's scope.
        """
        num_features = validation.check_integer("num_features", num_features)
        if self.built:
            self._check_features(num_features)
            return
        self.num_features = num_features
        with tf.init_scope():
            for side in self.sides:
                for key, (shape, dtype) in self._state_shapes(num_features).items():
                    name = f"{side}_{key}"
                    self._state[name] = self.add_variable(
                        shape, "zeros", dtype=dtype, aggregation="sum", name=name
                    )

    def update_state(self, samples: TensorLike) -> None:
        """Adds a batch of generated samples; the same as `update_fake`."""
        self._update("fake", samples)

    def update_fake(self, samples: TensorLike) -> None:
        """Adds a batch of generated samples.

        Args:
            samples: Array or tensor (batch, ...).

        Raises:
            ValueError: If the samples do not fit, or (eagerly) are not finite.
        """
        self._update("fake", samples)

    def result(self) -> tf.Tensor | dict[str, tf.Tensor]:
        """Returns the value so far, in the metric's dtype.

        Eagerly, too few samples raise a ValueError that says how many are needed. In a
        graph, where nothing can be raised, the value is NaN.
        """
        return tf.nest.map_structure(
            lambda value: tf.cast(value, self.dtype), self._compute()
        )

    def details(self) -> dict[str, Any]:
        """Returns what a report has to state beside the number (eager only).

        Returns:
            A dict of Python numbers and strings, among them the result in float64
            ("value", or the result's own names), `n_fake` (and `n_real`), the network's
            name ("extractor") and the checksum of its weights
            ("extractor_fingerprint", "" without weights).
        """
        numbers = self._report().items()
        report: dict[str, Any] = {key: float(number) for key, number in numbers}
        for side in self.sides:
            report[f"n_{side}"] = self.num_samples(side)
        report["extractor"] = self._features.name
        report["extractor_fingerprint"] = self._features.fingerprint()
        return report

    def num_samples(self, side: str = "fake") -> int:
        """Returns the number of samples seen, an int (eager only).

        Args:
            side: "fake", or "real" for metrics that compare with real samples.
        """
        validation.check_choice("side", side, self.sides)
        return round(float(self._value(side, "count")))

    def check_num_samples(self, num_fake: int, num_real: int | None = None) -> None:
        """Raises unless so many samples will give a result; for checks beforehand.

        Args:
            num_fake: Number of generated samples to come.
            num_real: Number of real samples to come; by default those seen already.

        Raises:
            ValueError: If they are too few; says how many are needed.
        """
        counts = {"fake": validation.check_integer("num_fake", num_fake, 0)}
        if "real" in self.sides:
            if num_real is None:
                num_real = self.num_samples("real")
            counts["real"] = validation.check_integer("num_real", num_real, 0)
        counts = {side: self._usable(counts[side]) for side in self.sides}
        self._enough(counts)

    def reset_fake(self) -> None:
        """Forgets the generated samples."""
        self._reset("fake")

    def merge_state(self, metrics: Iterable["SampleMetric"]) -> None:
        """Adds the states of other metrics of the same kind to this one's.

        Args:
            metrics: An iterable of metrics of the same class and the same settings, for
                instance one for each worker's part of the data.

        Raises:
            ValueError: If one of them is of another class, measures other features or
                has other settings.
        """
        for other in metrics:
            if type(other) is not type(self):
                raise ValueError(
                    f"`metrics` must be {type(self).__name__} objects. Received: "
                    f"{other!r}. Merge metrics of one class only."
                )
            if other.num_features is None:
                continue
            if not self.built:
                self.build(other.num_features)
            mine, theirs = self._settings(), other._settings()
            for key in mine:
                if not np.array_equal(mine[key], theirs[key]):
                    raise ValueError(
                        f"Metrics that are merged must have the same `{key}`. "
                        f"Received: {mine[key]!r} and {theirs[key]!r}. Make both with "
                        "the same arguments."
                    )
            self._merge(other)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns the state as {name: NumPy array}, ready for `np.savez`."""
        return {
            name: tf.convert_to_tensor(variable.value).numpy()
            for name, variable in self._state.items()
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` returned.

        Args:
            state: {name: array}; an open `np.load` file will do. Names of one side only
                restore that side only, so the statistics of a data set can be kept in a
                file.

        Raises:
            ValueError: If it is not a state of such a metric.
        """
        state = {name: np.asarray(state[name]) for name in state}
        keys = self._state_shapes(1)
        names = {f"{side}_{key}" for side in self.sides for key in keys}
        unknown = sorted(set(state) - names)
        if unknown or not state:
            raise ValueError(
                f"`state` must hold arrays named {', '.join(sorted(names))}. Received: "
                f"{', '.join(sorted(state)) or 'nothing'}. Pass what `get_state()` of "
                f"a {type(self).__name__} returned."
            )
        if not self.built:
            self.build(self._num_features_of(state))
        for name, array in state.items():
            if tuple(array.shape) != tuple(self._state[name].shape):
                raise ValueError(
                    f"`state[{name!r}]` must have shape "
                    f"{tuple(self._state[name].shape)}. Received: shape {array.shape}. "
                    "The state is of a metric with other features or settings."
                )
        for name, array in state.items():
            self._state[name].assign(array)

    def get_config(self) -> Config:
        """Returns the arguments of the constructor, the network's layers included."""
        return {
            **super().get_config(),
            **self._features.get_config(),
            "num_features": self.num_features,
        }

    @classmethod
    def from_config(cls, config: Config) -> "SampleMetric":
        """Makes a metric from `get_config()`; its samples and its state are new.

        A configuration holds no weights. Where the network had some, the metric refuses
        to give numbers until its network has the same ones again.
        """
        argument = next(key for key in ("extractor", "classifier") if key in config)
        config, fingerprint = feature_extractor.FeatureExtractor.restore_config(
            config, argument
        )
        metric = cls(**config)
        metric._features.expect_fingerprint(fingerprint)
        return metric

    def _report(self) -> dict[str, tf.Tensor]:
        """Returns the numbers of `details()`: the result, and what came with it."""
        value = self._compute()
        return value if isinstance(value, dict) else {"value": value}

    def _num_features_of(self, state: Mapping[str, np.ndarray]) -> int:
        return max(array.shape[-1] for array in state.values() if array.ndim)

    def _settings(self) -> dict[str, Any]:
        """What has to agree between metrics that are merged."""
        return {
            "num_features": self.num_features,
            self._features.argument: (
                self._features.name,
                self._features.fingerprint(),
            ),
        }

    def _merge(self, other: "SampleMetric") -> None:
        for name, variable in self._state.items():
            variable.assign_add(tf.convert_to_tensor(other._state[name].value))

    def _note(self, side: str, samples: tf.Tensor) -> None:
        """Looks at a batch as the network gets it, before it is counted."""

    def _update(self, side: str, samples: TensorLike) -> None:
        samples = self._features.prepare(samples, side)
        features = self._features.extract(samples, side)
        width = features.shape[-1]
        if width is None and not self.built:
            raise ValueError(
                "`num_features` must be known when the shape of the samples is not. "
                f"Received: features of shape {tuple(features.shape)}. Pass "
                "`num_features=` to the metric."
            )
        if width is not None:
            self._build_late(width)
        self._note(side, samples)
        self._accumulate(side, features)

    def _build_late(self, width: int) -> None:
        if self.built:
            self._check_features(width)
            return
        if replicas.runs_in_replica():
            raise ValueError(
                "A metric needs its variables before a strategy runs it, and the "
                "length of its feature rows was not known then. Received: features of "
                f"shape (batch, {width}) in a replica. Pass `num_features={width}` to "
                "the metric, or call `metric.build(num_features)` in the strategy's "
                "scope."
            )
        self.build(width)

    def _check_features(self, width: int) -> None:
        if width != self.num_features:
            raise ValueError(
                f"All samples must have {self.num_features} features, as the first "
                f"ones had. Received: {width} features. Use another metric object for "
                "them."
            )

    def _value(self, side: str, key: str) -> tf.Tensor:
        """A state variable as a tensor; under a strategy, its sum over replicas."""
        if not self.built:
            return tf.zeros((), tf.float64)
        return tf.convert_to_tensor(self._state[f"{side}_{key}"].value)

    def _add(self, side: str, key: str, amount: tf.Tensor) -> None:
        self._state[f"{side}_{key}"].assign_add(amount)

    def _reset(self, side: str) -> None:
        for name, variable in self._state.items():
            if name.startswith(f"{side}_"):
                variable.assign(tf.zeros(variable.shape, variable.dtype))

    def _usable(self, number: int) -> int:
        """Returns how many of so many samples of a side are used."""
        return number

    def _counts(self) -> dict[str, tf.Tensor]:
        """Returns {side: number of samples used}."""
        return {side: self._value(side, "count") for side in self.sides}

    def _enough(self, counts: Mapping[str, Any] | None = None) -> tf.Tensor:
        """Whether every side has the samples needed; eagerly, raises if one has not."""
        counts = self._counts() if counts is None else counts
        needed, reason = self._requirement(counts)
        if not tf.executing_eagerly():
            tests = [count >= needed for count in counts.values()]
            return tf.reduce_all(tf.stack(tests))
        needed = int(needed)
        if any(float(count) < needed for count in counts.values()):
            found = " and ".join(
                f"{float(count):.0f} {side}" for side, count in counts.items()
            )
            raise ValueError(
                f"{type(self).__name__} needs at least {needed} samples"
                f"{' of each side' if len(self.sides) > 1 else ''}: {reason} "
                f"Received: {found} samples ({self._features.name} features). Measure "
                "more samples."
            )
        return tf.constant(True)
