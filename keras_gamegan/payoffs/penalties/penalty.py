"""What is added to the discriminator's loss, and on which examples."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gamegan import representation
from keras_gamegan.typing import Config


class Penalty:
    """A term added to the discriminator's loss. Subclass it for one of your own.

    Attributes:
        every: The penalty is taken on every n-th example of the batch only.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> class Drift(kgg.penalties.Penalty):
        ...     def __call__(self, logits_fn, real, fake, uniform):
        ...         return 0.5 * tf.square(logits_fn(real))
        >>> data = tf.ones((2, 1))
        >>> Drift()(lambda x: 10.0 * x[:, 0], data, data, None).numpy().tolist()
        [50.0, 50.0]
    """

    every = 1

    def __call__(
        self,
        logits_fn: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        uniform: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the penalty of each example.

        Args:
            logits_fn: Function from data (n, ...) to logits (n,): the discriminator in
                inference mode, labels already bound.
            real: Real data (n, ...).
            fake: Generated data (n, ...), one for each real example.
            uniform: Random numbers (n,) on [0, 1), one for each example.

        Returns:
            Tensor (n,), already multiplied by the penalty's weight.
        """
        raise TypeError(
            f"{type(self).__name__} is not a penalty yet: a subclass of Penalty must "
            "define __call__(logits_fn, real, fake, uniform)."
        )

    def at(self, step: Any) -> "Penalty":
        """Returns the penalty as it is at a train step, an int or an int64 tensor."""
        del step
        return self

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Penalty":
        """Returns the penalty that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return representation.short(self)
