"""A penalty whose weight follows a schedule of the train step."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.payoffs.penalties import lookup
from keras_gamegan.payoffs.penalties.penalty import Penalty
from keras_gamegan.typing import Config


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Scheduled(Penalty):
    """Multiplies a penalty by a schedule of the train step.

    A discriminator that must be held flat while both players are far apart may be let
    go later. The factor is a function of the model's step counter, so that a run
    resumes in its midst, and a measured gap has the penalty of the step it is taken at.

    Mathematics: the discriminator's loss gets schedule(step) times the penalty.

    Args:
        penalty: Name or `Penalty`.
        schedule: A `keras.optimizers.schedules.LearningRateSchedule`, of which only the
            name is of learning rates: step -> factor.

    Raises:
        TypeError: If the schedule is none.
        ValueError: If the penalty is None or its name unknown.

    Example:
        >>> import keras, keras_gamegan as kgg, tensorflow as tf
        >>> fade = keras.optimizers.schedules.PolynomialDecay(1.0, 1000, 0.1)
        >>> penalty = kgg.penalties.Scheduled("r1", fade)
        >>> data = tf.ones((2, 1))
        >>> [
        ...     [round(float(x), 3) for x in at(lambda x: x[:, 0], data, data, None)]
        ...     for at in (penalty.at(0), penalty.at(1000))
        ... ]
        [[0.5, 0.5], [0.05, 0.05]]

    References:
        Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A
        Modern GAN Baseline", 2024 (weights of R1 and R2 that fall).
    """

    def __init__(self, penalty: str | Penalty, schedule: Any) -> None:
        found = lookup.get(penalty)
        if found is None:
            raise ValueError(
                "`penalty` must be a penalty to be scheduled. Received: penalty=None. "
                'Pass "r1", for instance.'
            )
        kind = keras.optimizers.schedules.LearningRateSchedule
        if not isinstance(schedule, kind):
            raise TypeError(
                "`schedule` must be a keras.optimizers.schedules.LearningRateSchedule. "
                f"Received: schedule={schedule!r} (of type {type(schedule).__name__}). "
                "A constant factor belongs into the penalty's weight."
            )
        self.penalty, self.schedule = found, schedule
        self.every = found.every

    def at(self, step: Any) -> Penalty:
        """Returns the penalty times the schedule's factor of the step."""
        return _Multiple(self.penalty.at(step), self.schedule(step))

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: Any,
    ) -> tf.Tensor:
        """Returns the penalty of each example at the first step; see `at`."""
        return self.at(0)(logits_fn, real, fake, uniform)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"penalty": self.penalty, "schedule": self.schedule}

    @classmethod
    def from_config(cls, config: Config) -> "Scheduled":
        """Returns the penalty that `get_config` described."""
        deserialize = keras.saving.deserialize_keras_object
        return cls(
            **{
                name: deserialize(value) if isinstance(value, dict) else value
                for name, value in config.items()
            }
        )


class _Multiple(Penalty):
    """A penalty times a number."""

    def __init__(self, penalty: Penalty, factor: Any) -> None:
        self.every = penalty.every
        self._penalty, self._factor = penalty, factor

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: Any,
    ) -> tf.Tensor:
        found = self._penalty(logits_fn, real, fake, uniform)
        return tf.cast(self._factor, found.dtype) * found
