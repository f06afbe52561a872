"""The losses of TF-GAN as payoffs."""

from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import compat, validation
from keras_gamegan.payoffs import payoff
from keras_gamegan.typing import Config

NAMES = ("minimax", "modified", "wasserstein", "least_squares")


@keras.saving.register_keras_serializable(package="keras_gamegan")
class TFGANPayoff(payoff.Payoff):
    """A pair of TF-GAN's losses as a payoff; made by `from_tfgan`."""

    def __init__(self, name: str, **arguments: Any) -> None:
        super().__init__()
        self.name = validation.check_choice("name", name, NAMES)
        self.arguments = dict(arguments)
        losses = compat.import_tensorflow_gan().losses.wargs
        self._discriminator_loss = getattr(losses, f"{name}_discriminator_loss")
        self._generator_loss = getattr(losses, f"{name}_generator_loss")

    def _loss(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        none = tf.compat.v1.losses.Reduction.NONE
        return self._discriminator_loss(real, fake, reduction=none, **self.arguments)

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        # The loss is a sum of a term of each side: what the other one's zero adds is
        # taken out.
        zero = tf.zeros_like(logits)
        return self._loss(zero, zero) - self._loss(logits, zero)

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        return -self._loss(tf.zeros_like(logits), logits)

    def generator_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator descends."""
        none = tf.compat.v1.losses.Reduction.NONE
        return self._generator_loss(logits, reduction=none)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"name": self.name, **self.arguments}


def from_tfgan(name: str, **arguments: Any) -> TFGANPayoff:
    """Returns a pair of TF-GAN's losses as a payoff, to compare with a run of TF-GAN.

    For new runs take this library's own: they are computed from logits in a stable way,
    and their values carry halves where TF-GAN's do not.

    Args:
        name: "minimax", "modified" (non-saturating), "wasserstein" or "least_squares",
            of `tensorflow_gan.losses.wargs`.
        **arguments: Further ones of TF-GAN's discriminator loss, such as
            `label_smoothing`, .25 by TF-GAN's default.

    Returns:
        A `Payoff` for `compile(loss=...)`.

    Raises:
        ImportError: If TF-GAN is not installed.
        ValueError: If there is no such pair of losses.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> loss = kgg.payoffs.from_tfgan("wasserstein")
        >>> loss.real_term(tf.constant([2.0])).numpy().tolist()
        [2.0]

    References:
        Shor, J. et al. *TensorFlow-GAN: a lightweight library for generative
        adversarial networks* (2017).
    """
    return TFGANPayoff(name, **arguments)
