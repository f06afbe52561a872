"""Payoffs of pairs: the discriminator judges a real example beside a generated one."""

import math

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.payoffs import payoff


class PairPayoff(payoff.Payoff):
    """The value of a GAN as a function of pairs of logits.

    Mathematics, on logits of a real example x_i and a generated one G(z_i):

        V(D, G) = mean_i f(D(x_i), D(G(z_i))).

    The discriminator ascends V, the generator descends the mean of
    `generator_pair_term`, which is f unless the payoff says otherwise. Subclass and
    define the functions for a payoff of pairs of your own; they map two tensors of
    logits to a tensor of the same shape.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> class Margin(kgg.payoffs.PairPayoff):
        ...     def pair_term(self, real_logits, fake_logits):
        ...         return -tf.nn.relu(1.0 - (real_logits - fake_logits))
        >>> float(Margin().pair_term(tf.constant(0.5), tf.constant(0.0)))
        -0.5
    """

    of_pairs = True

    def pair_term(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns f of the logits of each pair."""
        raise TypeError(
            f"{type(self).__name__} is not a payoff of pairs yet: a subclass of "
            "PairPayoff must define pair_term(real_logits, fake_logits)."
        )

    def generator_pair_term(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """Returns what the generator descends; f unless overridden."""
        return self.pair_term(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Relativistic(PairPayoff):
    """The relativistic payoff of pairs: of two, the real one is to look the more real.

        V(D, G) = E log sigmoid(D(x) - D(G(z))),

    at equilibrium -log 2. The generator descends E -log sigmoid(D(G(z)) - D(x)), which
    has the same order and a gradient where D is sure. Only differences of logits count:
    add penalties on both sides, `penalty=["r1", "r2"]`, as the source does.

    Args:
        label_noise: Probability with which the discriminator is told the wrong one of
            a pair, in [0, 0.5]. Default: 0.

    Raises:
        ValueError: If the probability is out of range.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> payoff = kgg.payoffs.get("relativistic")
        >>> round(float(payoff.pair_term(tf.constant(2.0), tf.constant(2.0))), 4)
        -0.6931

    References:
        Jolicoeur-Martineau: "The relativistic discriminator: a key element missing from
        standard GAN", 2018.
        Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A
        Modern GAN Baseline", 2024.
    """

    optimum = -math.log(2.0)

    def __init__(self, label_noise: float = 0.0) -> None:
        self.label_noise = validation.check_number(
            "label_noise", label_noise, 0.0, 0.5, hint="Usual is 0.05."
        )

    def pair_term(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns log sigmoid(D(x) - D(G(z)))."""
        return -tf.nn.softplus(fake_logits - real_logits)

    def generator_pair_term(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """Returns -log sigmoid(D(G(z)) - D(x))."""
        return tf.nn.softplus(real_logits - fake_logits)

    def get_config(self) -> dict[str, float]:
        """Returns the constructor's arguments as a dictionary."""
        return {"label_noise": self.label_noise} if self.label_noise else {}
