"""Metrics of generated samples in the logs of `fit`."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.callbacks import measurement, messages
from keras_gamegan.games import randomness
from keras_gamegan.measuring import data_forms
from keras_gamegan.metrics import sample_metric


class Evaluate(measurement.Measurement):
    """Measures generated samples during training and logs the numbers.

    The metrics see the real data once, when training begins. At each due point the
    model makes `num_samples` samples, the same ones for all metrics, and every metric
    adds its number to the logs, where the callbacks after it in the list (and Keras'
    progress bar and History) find it: as `frechet_distance`, that is the metric's name,
    for one source, and as `average_frechet_distance` for one of several. A metric with
    several numbers logs each under its own name, such as `precision`. An epoch's logs
    get the last numbers, a step's logs those measured at that step. So that they are
    there from the first epoch on, its end is measured if nothing was before.

    The samples are a function of (seed, train step), and `Checkpoint`, which must come
    after it, keeps the last numbers: a resumed run logs the same. Class-conditional
    models are given labels drawn from those of the real data. Under a strategy make the
    metrics outside its scope: every process measures all samples by itself.

    Args:
        metrics: One of `kgg.metrics`, or a list of them, with different names. An
            extractor's numbers can only be compared with its own: name the metric
            after it.
        num_samples: Samples made at each measurement, >= 1. Numbers of different
            `num_samples` should not be compared, see docs/evaluation.md.
        every: "epoch", or a number of train steps. Default: "epoch".
        source: "current", "average" or "mixture", or a list of them. Default:
            "current".
        real_data: Held out from training, in the units that the generator makes: array,
            pair (array, labels), or batches of data or of (data, labels), that is a
            finite `tf.data.Dataset`, a `keras.utils.PyDataset`, a `ShuffledStream` (of
            which one epoch is read) or a generator that ends. Dictionaries need the
            names of the discriminator's inputs as keys. Not needed by metrics that hold
            real samples already (`update_real`, `set_state`), nor by those that look at
            no real samples.
        batch_size: Samples in memory at a time, >= 1. Default: 1000.
        seed: Integer. Default: the model's.

    Attributes:
        evaluations: List of pairs (train step, {source: {name of the metric: its
            `details()`}}): the numbers with their `n_real`, `n_fake` and extractor.
        seconds: Seconds spent measuring since the beginning of `fit`.
        cost: Fraction of the time since the beginning of `fit` spent measuring.

    Raises:
        TypeError: If a metric is none of `kgg.metrics`.
        ValueError: If an argument is out of range; when training begins, if the model
            does not keep a source, real data or labels are missing, samples do not fit
            an extractor, or they are too few for a metric.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
        >>> evaluate = kgg.callbacks.Evaluate(
        ...     kgg.metrics.FrechetDistance(name="distance"),
        ...     num_samples=64,
        ...     source=["current", "average"],
        ...     real_data=data[:128],
        ... )
        >>> logs = gan.fit(data[128:], verbose=0, callbacks=[evaluate]).history
        >>> sorted(logs)[:2]
        ['average_distance', 'current_distance']
        >>> step, report = evaluate.evaluations[-1]
        >>> details = report["current"]["distance"]
        >>> step, details["n_real"], details["n_fake"], details["extractor"]
        (4, 128, 64, 'identity')
    """

    def __init__(
        self,
        metrics: sample_metric.SampleMetric | Sequence[sample_metric.SampleMetric],
        num_samples: int,
        every: str | int = "epoch",
        source: str | Sequence[str] = "current",
        real_data: Any = None,
        batch_size: int = 1000,
        seed: int | None = None,
    ) -> None:
        super().__init__(every)
        self.metrics = _check_metrics(metrics)
        self.num_samples = validation.check_integer("num_samples", num_samples)
        self.sources = _check_sources(source)
        self.batch_size = validation.check_integer("batch_size", batch_size)
        self.seed = None if seed is None else validation.check_seed("seed", seed)
        self.evaluations: list[tuple[int, dict[str, dict[str, Any]]]] = []
        self._real_data = real_data
        self._labels: np.ndarray | None = None
        self._counted: dict[str, int] = {}

    def _prepare(self) -> None:
        messages.check_samples(self)
        self._measure_real()
        self._try_out()

    def _measure(self) -> dict[str, float]:
        step = self.model.num_steps
        report = {source: self._details(source, step) for source in self.sources}
        self.evaluations.append((step, report))
        return self._logs(report)

    def _details(self, source: str, step: int) -> dict[str, dict[str, Any]]:
        """Returns {name: details} of the metrics, for the samples of this step."""
        for metric in self.metrics:
            metric.reset_fake()
        for begin in range(0, self.num_samples, self.batch_size):
            number = min(self.batch_size, self.num_samples - begin)
            self._update_fake(source, number, self._seed(step, begin))
        return {metric.name: metric.details() for metric in self.metrics}

    def _update_fake(self, source: str, number: int, seed: int) -> None:
        samples = self.model.sample(number, seed, source, self._draw(number, seed))
        for metric in self.metrics:
            metric.update_fake(samples)

    def _seed(self, *place: int) -> int:
        """Returns the seed of the samples at this place of the training, an int."""
        seed = self.model.seed if self.seed is None else self.seed
        stream = randomness.root(seed)
        stream = randomness.fold(stream, randomness.Purpose.EVALUATION, *place)
        return int(randomness.integers(stream, (), 2**62))

    def _draw(self, number: int, seed: int) -> np.ndarray | None:
        """Returns labels drawn from those of the real data, or None."""
        if not self.model.conditional or self._labels is None:
            return None
        stream = randomness.fold(randomness.root(seed), randomness.Purpose.EVALUATION)
        return self._labels[
            randomness.integers(stream, [number], len(self._labels)).numpy()
        ]

    def _logs(
        self, report: Mapping[str, Mapping[str, Mapping[str, Any]]]
    ) -> dict[str, float]:
        """Returns a report's numbers under the names of the logs."""
        logs = {}
        for source in self.sources:
            for metric in self.metrics:
                for name, key in _numbers_of(metric):
                    log = name if len(self.sources) == 1 else f"{source}_{name}"
                    logs[log] = report[source][metric.name][key]
        return logs

    def _measure_real(self) -> None:
        """Shows the real data to the metrics, unless they have just that already."""
        metrics = [metric for metric in self.metrics if metric.needs_real]
        held = {metric.name: metric.num_samples("real") for metric in metrics}
        if self._real_data is None:
            missing = [name for name, number in held.items() if not number]
            if missing or self.model.conditional:
                needed = f"by {', '.join(missing)}" if missing else "for their labels"
                raise ValueError(
                    f"`real_data` is needed {needed}. Received: real_data=None. Pass "
                    "held-out data, a pair (data, labels) for a class-conditional "
                    "model, in the units that the generator makes."
                )
            return
        if self._counted and held == self._counted:
            return  # A second `fit` with the same metrics.
        for metric in metrics:
            metric.reset_real()
        labels: list[Any] = []
        inputs = self.model.discriminator_network.inputs
        for data, part in data_forms.batches(
            "real_data", self._real_data, inputs, self.batch_size
        ):
            _check_real(data, self.model)
            labels.append(part)
            for metric in metrics:
                metric.update_real(data)
        if not labels:
            raise ValueError(
                "`real_data` must have at least one example. Received: none. Check the "
                "slice or filter that made it."
            )
        if self.model.conditional:
            self._labels = np.concatenate(labels)
        self._counted = {metric.name: metric.num_samples("real") for metric in metrics}

    def _try_out(self) -> None:
        """Raises now, not after an epoch, if something does not fit or is missing."""
        for source in self.sources:
            for metric in self.metrics:
                metric.reset_fake()
            self._update_fake(source, 1, seed=0)
        for metric in self.metrics:
            metric.reset_fake()
            try:
                metric.check_num_samples(self.num_samples)
            except ValueError as error:
                raise ValueError(
                    f"Evaluate(num_samples={self.num_samples}) cannot be measured: "
                    f"{error}"
                ) from None


def _check_metrics(metrics: Any) -> list[sample_metric.SampleMetric]:
    metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
    for metric in metrics:
        if not isinstance(metric, sample_metric.SampleMetric):
            raise TypeError(
                "`metrics` must be one of kgg.metrics, or a list of them. Received: "
                f"{metric!r} (of type {type(metric).__name__}). Pass for instance "
                "kgg.metrics.FrechetDistance(extractor)."
            )
    names = [name for metric in metrics for name, _ in _numbers_of(metric)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not metrics:
        raise ValueError(
            "`metrics` must be one or more metrics that log under different names. "
            f"Received: {f'{twice} more than once' if twice else 'none'}. Give each "
            "its own: FrechetDistance(extractor, name=...)."
        )
    return metrics


def _check_sources(source: str | Sequence[str]) -> list[str]:
    sources = [source] if isinstance(source, str) else list(source)
    for each in sources:
        validation.check_choice("source", each, ("current", "average", "mixture"))
    if not sources or len(set(sources)) < len(sources):
        raise ValueError(
            '`source` must be "current", "average" or "mixture", or a list of '
            f"different ones. Received: source={source!r}."
        )
    return sources


def _numbers_of(metric: sample_metric.SampleMetric) -> list[tuple[str, str]]:
    """Returns pairs (name of the log, key in `details()`) of a metric."""
    if not metric.result_names:
        return [(metric.name, "value")]
    return [(name, name) for name in metric.result_names]


def _check_real(data: np.ndarray, model: keras.Model) -> None:
    """Raises unless a real batch could have been made by the generator."""
    made = tuple(model.generator_network.output.shape)
    if not tf.TensorShape(data.shape).is_compatible_with((None, *made[1:])):
        raise ValueError(
            f"`real_data` must come in batches of shape {made}, as the generator makes "
            f"them. Received: shape {data.shape}. Resize the data."
        )
    if data.dtype.kind != "f":
        raise ValueError(
            "`real_data` must be floating-point numbers in the units that the "
            f"generator makes. Received: dtype {data.dtype}. For images in [-1, 1]: "
            "images / 127.5 - 1."
        )
