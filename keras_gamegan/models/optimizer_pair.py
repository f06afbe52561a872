"""The one face Keras' callbacks see of a model's two optimizers."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan.models.roles import Roles
from keras_gamegan.typing import Config, TensorLike


class OptimizerPair:
    """What callbacks find as `model.optimizer`: one learning rate that moves both.

    Reading `learning_rate` gives the minimiser's. Setting it, or `assign` on what is
    read, sets the minimiser's and scales the maximiser's by the same factor, so
    that a ratio between the two (two time-scale updates) survives
    `LearningRateScheduler`, `ReduceLROnPlateau` and callbacks of one's own, also a
    warm-up that begins at 0.

    Args:
        roles: `roles.Roles`: what they are called.
        minimizer_optimizer: Keras optimizer of the minimiser.
        maximizer_optimizer: Keras optimizer of the maximiser.
    """

    built = True
    name = "optimizer_pair"

    def __init__(
        self,
        roles: Roles,
        minimizer_optimizer: keras.Optimizer,
        maximizer_optimizer: keras.Optimizer,
    ) -> None:
        self._roles = roles
        self._minimizer_optimizer = minimizer_optimizer
        self._maximizer_optimizer = maximizer_optimizer
        self._ratio = 1.0

    @property
    def iterations(self) -> keras.Variable:
        """Updates of the minimiser so far."""
        return self._minimizer_optimizer.iterations

    @property
    def variables(self) -> list[keras.Variable]:
        """Variables of both optimizers, which `summary` counts."""
        return [
            *self._minimizer_optimizer.variables,
            *self._maximizer_optimizer.variables,
        ]

    @property
    def inner_optimizer(self) -> "BothOptimizers":
        """What `SwapEMAWeights` and `TensorBoard` look into: see `BothOptimizers`."""
        return BothOptimizers(self._minimizer_optimizer, self._maximizer_optimizer)

    @property
    def learning_rate(self) -> "SharedLearningRate":
        """The minimiser's learning rate, a `SharedLearningRate`."""
        return SharedLearningRate(self)

    @learning_rate.setter
    def learning_rate(self, value: TensorLike) -> None:
        # Both are looked at before the first is written.
        new = _number(value)
        old, other = self.rates()
        # A rate of 0 says nothing of the ratio: then the last one known holds.
        if old > 0:
            self._ratio = other / old
        self.set_rates(new, new * self._ratio)

    def rates(self) -> tuple[float, float]:
        """Returns the minimiser's and the maximiser's learning rate.

        Raises:
            TypeError: If one follows a schedule or a function.
        """
        return (
            self._settable(self._roles.minimizer, self._minimizer_optimizer),
            self._settable(self._roles.maximizer, self._maximizer_optimizer),
        )

    def set_rates(self, minimizer: float, maximizer: float) -> None:
        """Sets both learning rates, each to its own."""
        self._minimizer_optimizer.learning_rate = minimizer
        self._maximizer_optimizer.learning_rate = maximizer

    @property
    def minimizer_learning_rate(self) -> TensorLike:
        """The minimiser's own learning rate: a Keras variable, tensor or number."""
        return self._minimizer_optimizer.learning_rate

    def get_config(self) -> Config:
        """Returns both configurations, under the names that `compile` takes."""
        return {
            "name": self.name,
            self._roles.maximizer_optimizer: keras.optimizers.serialize(
                self._maximizer_optimizer
            ),
            self._roles.minimizer_optimizer: keras.optimizers.serialize(
                self._minimizer_optimizer
            ),
        }

    def _settable(self, player: str, optimizer: keras.Optimizer) -> float:
        rate = optimizer.learning_rate
        if not isinstance(rate, keras.Variable):
            raise TypeError(
                "The learning rates can be set if both optimizers were made with a "
                f"number. Received: an optimizer of the {player}, {optimizer.name!r}, "
                "whose rate follows a LearningRateSchedule or function. Make it with a "
                "float `learning_rate`, or change the schedule instead."
            )
        return _number(rate)


class BothOptimizers:
    """The two optimizers as a list, without their loss scaling.

    Keras' `SwapEMAWeights` goes through `model.optimizer.inner_optimizer.optimizers`,
    and `TensorBoard` logs each one's learning rate from there. The pair itself must not
    have that list: learning-rate callbacks would set each on its own.
    """

    def __init__(self, *optimizers: keras.Optimizer) -> None:
        self.optimizers = [
            getattr(optimizer, "inner_optimizer", optimizer) for optimizer in optimizers
        ]

    @property
    def use_ema(self) -> bool:
        """Asked for by a `SwapEMAWeights` that knows one optimizer, as in older Keras.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(
            "keras.callbacks.SwapEMAWeights takes models of two optimizers in a newer "
            f"Keras. Received: Keras {keras.__version__}. Upgrade Keras, or use the "
            'average that the model keeps: gan.sample(source="average").'
        )


class SharedLearningRate(np.lib.mixins.NDArrayOperatorsMixin):
    """Reads as the minimiser's learning rate; assigning moves both optimizers' rates.

    It computes and compares as a NumPy number, and TensorFlow takes it for a tensor.

    Args:
        pair: An `OptimizerPair`.
    """

    def __init__(self, pair: OptimizerPair) -> None:
        self._pair = pair

    def assign(self, value: TensorLike) -> "SharedLearningRate":
        """Sets the minimiser's rate, and scales the maximiser's likewise."""
        self._pair.learning_rate = value
        return self

    def assign_add(self, value: TensorLike) -> "SharedLearningRate":
        """Adds to the minimiser's rate, and scales the maximiser's likewise."""
        return self.assign(float(self) + _number(value))

    def assign_sub(self, value: TensorLike) -> "SharedLearningRate":
        """Takes from the minimiser's rate, and scales the maximiser's likewise."""
        return self.assign(float(self) - _number(value))

    def numpy(self) -> Any:
        """Returns the minimiser's rate as a NumPy number."""
        return np.asarray(self)[()]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        # What else a variable has: shape, dtype, path, ...
        return getattr(self._pair.minimizer_learning_rate, name)

    def __float__(self) -> float:
        return _number(self._pair.minimizer_learning_rate)

    def __bool__(self) -> bool:
        return bool(float(self))

    def __array__(
        self, dtype: np.dtype | None = None, copy: bool | None = None
    ) -> np.ndarray:
        return np.array(self._pair.minimizer_learning_rate, dtype)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any
    ) -> Any:
        # `optimizer.learning_rate *= 0.5` makes a number, which the setter then gets.
        options.pop("out", None)
        plain = [np.asarray(x) if x is self else x for x in inputs]
        return getattr(ufunc, method)(*plain, **options)

    def __tf_tensor__(
        self, dtype: tf.DType | None = None, name: str | None = None
    ) -> tf.Tensor:
        return tf.convert_to_tensor(self._pair.minimizer_learning_rate, dtype, name)

    def __repr__(self) -> str:
        return f"<SharedLearningRate {float(self):g}, of both optimizers>"

    def __format__(self, spec: str) -> str:
        return format(float(self), spec)


def _number(value: TensorLike) -> float:
    return float(tf.convert_to_tensor(value).numpy())
