"""What a train step counts and averages: the logs, the data's range, evaluations."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas


class StepCounter(keras.metrics.Metric):
    """Counts steps since the last reset: the position within one `evaluate`."""

    def __init__(self, name: str = "evaluation_step") -> None:
        super().__init__(name=name, dtype="float32")
        self._count = self.add_variable(
            (), "zeros", dtype="int64", aggregation="only_first_replica", name="count"
        )

    def next_step(self) -> tf.Tensor:
        """Returns the current count, an int64 scalar, and counts one."""
        count = tf.convert_to_tensor(self._count)
        self._count.assign(count + 1)
        return count

    def update_state(self) -> None:
        """Counts one step."""
        self.next_step()

    def result(self) -> tf.Tensor:
        """Returns the present value."""
        return tf.convert_to_tensor(self._count)


class DataRange(keras.metrics.Metric):
    """Smallest and largest value of the real data since the last reset.

    Over the replicas of this process: without communication, other processes' data are
    not known.
    """

    def __init__(self, name: str = "data_range") -> None:
        super().__init__(name=name, dtype="float32")
        self._low = self._bound("low", math.inf)
        self._high = self._bound("high", -math.inf)

    def _bound(self, name: str, value: float) -> keras.Variable:
        return self.add_variable(
            (),
            keras.initializers.Constant(value),
            dtype="float32",
            aggregation="only_first_replica",
            name=name,
        )

    def reset_state(self) -> None:
        """Forgets the range."""
        self._low.assign(math.inf)
        self._high.assign(-math.inf)

    def update_state(self, data: tf.Tensor) -> None:
        """Widens the range to that of a batch."""
        data = tf.cast(data, tf.float32)
        self._low.assign(tf.minimum(self._low, tf.reduce_min(data)))
        self._high.assign(tf.maximum(self._high, tf.reduce_max(data)))

    def result(self) -> tf.Tensor:
        """Returns the present value."""
        return tf.stack(
            [
                tf.reduce_min(replicas.local_values(self._low)),
                tf.reduce_max(replicas.local_values(self._high)),
            ]
        )


class FirstFailure(keras.metrics.Metric):
    """The first thing since the last reset that was not finite, and its step."""

    def __init__(self, name: str = "first_failure") -> None:
        super().__init__(name=name, dtype="float32")
        self._code, self._step = (
            self.add_variable(
                (),
                "zeros",
                dtype="int64",
                aggregation="only_first_replica",
                name=part,
            )
            for part in ("code", "step")
        )

    def note(self, finite: tf.Tensor, what: int, step: tf.Tensor) -> None:
        """Notes a failure of the thing number ``what`` unless ``finite``."""
        code = tf.convert_to_tensor(self._code)
        first = tf.logical_and(tf.equal(code, 0), tf.logical_not(finite))
        self._code.assign(tf.where(first, tf.constant(what + 1, tf.int64), code))
        self._step.assign(tf.where(first, step, tf.convert_to_tensor(self._step)))

    def is_clear(self) -> tf.Tensor:
        """Returns whether nothing has failed since the last reset: a boolean scalar."""
        return tf.equal(tf.convert_to_tensor(self._code), 0)

    def read(self) -> tuple[int, int] | None:
        """Returns (number of the thing, step), Python ints, or None."""
        code, step = self.result().numpy()
        return (int(code) - 1, int(step)) if code else None

    def update_state(self, finite: tf.Tensor, what: int, step: tf.Tensor) -> None:
        """As `note`."""
        self.note(finite, what, step)

    def result(self) -> tf.Tensor:
        """Returns the present value."""
        return tf.stack(
            [tf.convert_to_tensor(self._code), tf.convert_to_tensor(self._step)]
        )


class Trackers:
    """The metrics of a model: one mean for each log, and what the guard reads.

    Args:
        names: Names of the logs.
        data_range: A `DataRange`, or None: the range of the data says nothing.
    """

    def __init__(self, names: Sequence[str], data_range: Any = None) -> None:
        self._means = {name: keras.metrics.Mean(name=name) for name in names}
        self.evaluation_step = StepCounter()
        self.data_range = data_range
        self.first_failure = FirstFailure()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All Keras metrics here; Keras resets them at every epoch."""
        return [
            *self._means.values(),
            self.evaluation_step,
            *([] if self.data_range is None else [self.data_range]),
            self.first_failure,
        ]

    @property
    def examples(self) -> float:
        """Examples since the last reset, divided by the number of replicas: a float."""
        mean = next(iter(self._means.values()))
        # Each replica counts its part of the whole batch, whatever its share.
        return float(replicas.local_values(mean.count)[0])

    def update(
        self, values: dict[str, tf.Tensor], share: replicas.Share
    ) -> dict[str, Any]:
        """Adds a step's values, weighted by its batch size; returns the means so far.

        Args:
            values: Dictionary of scalars: this replica's parts of means over the
                global batch.
            share: The batch's `Share`.

        Returns:
            Dictionary of scalars, the logs.
        """
        # Parts sum over replicas to the mean; a metric's variables sum over replicas,
        # so each replica enters the whole batch's weight once over the replicas.
        number = replicas.num_replicas()
        weight = tf.cast(share.size, tf.float32) / number
        for name, value in values.items():
            self._means[name].update_state(value * number, sample_weight=weight)
        return replicas.logs_for_keras(
            {name: self._means[name].result() for name in values}
        )
