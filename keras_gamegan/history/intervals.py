"""When a bank freezes the live model: every n steps, ever more rarely, or never."""

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import bookkeeping
from keras_gamegan.typing import Config

# No training lasts longer than this many steps.
_HORIZON = 2**62


class Interval:
    """When snapshots are taken. Subclass it for a schedule of your own.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> class AfterWarmUp(kgg.history.Interval):
        ...     def is_due(self, clock):
        ...         return (clock >= 1000) & (clock % 50 == 0)
        >>> history = kgg.History(interval=AfterWarmUp())
        >>> bool(history.interval.is_due(tf.constant(1050, tf.int64)))
        True
    """

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        """Returns whether the weights that ``clock`` steps have led to are frozen.

        Args:
            clock: int64 scalar tensor, steps taken so far, >= 0. At 0 nothing is
                frozen, whatever is returned.

        Returns:
            Boolean scalar: a function of the clock alone. Compute it in integers,
            which every device and compiler rounds alike.
        """
        raise TypeError(
            f"{type(self).__name__} is not an interval yet: a subclass of Interval "
            "must define is_due(clock)."
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Interval":
        """Returns the interval that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@keras.saving.register_keras_serializable(package="keras_gamegan")
class GrowingInterval(Interval):
    """A spacing that grows while training goes on: dense at first, then ever rarer.

    The n-th spacing, n = 0, 1, ..., is floor(first * factor^n) steps. A bank of
    consecutive snapshots then spans a fixed part of the training so far, where one of
    constant spacing spans a fixed number of steps.

    Args:
        first: Steps before the first snapshot, >= 1.
        factor: Growth of the spacing from one snapshot to the next, >= 1.01.
            Default: 1.1.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> interval = kgg.history.GrowingInterval(first=10, factor=2.0)
        >>> clocks = tf.range(200, dtype=tf.int64)
        >>> [int(clock) for clock in clocks if interval.is_due(clock)]
        [10, 30, 70, 150]

    References:
        Grnarova, Levy, Lucchi, Hofmann, Krause: "An Online Learning Approach to
        Generative Adversarial Networks" (Chekhov GAN), 2017.
    """

    def __init__(self, first: int, factor: float = 1.1) -> None:
        self.first = validation.check_integer("first", first)
        self.factor = validation.check_number(
            "factor", factor, 1.01, hint="A constant spacing is an int: interval=100."
        )
        # The whole schedule, made once on the host: no device rounds it another way.
        due, clock, spacing = [], 0, float(self.first)
        while clock + spacing < _HORIZON:
            clock += int(spacing)
            due.append(clock)
            spacing *= self.factor
        self._due = np.array(due, np.int64)

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        """Returns whether a snapshot is due; see `Interval.is_due`."""
        return tf.reduce_any(tf.equal(tf.cast(clock, tf.int64), self._due))

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"first": self.first, "factor": self.factor}


class _Regular(Interval):
    """Every `steps` steps: what an int stands for."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        return bookkeeping.is_due(clock, self.steps)


class _Never(Interval):
    """Only `bank.push()` freezes: what None stands for."""

    def is_due(self, clock: tf.Tensor) -> tf.Tensor:
        return tf.zeros((), tf.bool)


def get(interval: int | Interval | None) -> Interval:
    """Returns an `Interval` from an int, None or an `Interval`.

    Args:
        interval: Steps between snapshots, >= 1; None, never; or an `Interval`.

    Returns:
        An `Interval`.

    Raises:
        TypeError: If it is none of these, or does not answer with a boolean scalar.
        ValueError: If the number is below 1.

    Example:
        >>> from keras_gamegan.history import intervals
        >>> [bool(intervals.get(each).is_due(200)) for each in (100, 150, None)]
        [True, False, False]
    """
    if interval is None:
        return _Never()
    if not isinstance(interval, Interval):
        hint = "None: only bank.push() takes snapshots. kgg.history.Interval works too."
        return _Regular(validation.check_integer("interval", interval, hint=hint))
    answer = tf.convert_to_tensor(interval.is_due(tf.ones((), tf.int64)))
    if answer.dtype != tf.bool or answer.shape.rank != 0:
        raise TypeError(
            f"`is_due` of an interval must return a boolean scalar. Received: "
            f"{answer.dtype.name} of shape {tuple(answer.shape)} from {interval!r}. "
            "Compare integers, for instance clock % 100 == 0."
        )
    return interval
