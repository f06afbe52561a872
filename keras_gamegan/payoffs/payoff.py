"""GAN values on logits: what D maximises and what the generator minimises."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import representation, validation
from keras_gamegan.typing import Config


class Payoff:
    """The value of a GAN as a function of the discriminator's logits.

    Mathematics, on logits l = D(x) (no sigmoid at the discriminator's end):

        V(D, G) = E_data f0(D(x)) + E_latents f1(D(G(z))).

    The discriminator ascends V. The generator descends E g(D(G(z))), where g is f1
    unless the payoff says otherwise. Subclass and define the three functions for a
    payoff of your own; they map a tensor of logits to a tensor of the same shape.

    A discriminator that judges patches has several logits for an example; each term is
    then averaged over an example's patches, as in a patch GAN.

    Attributes:
        optimum: V at the equilibrium, where it is known, else None.
        label_noise: Probability with which the discriminator is told the wrong one of
            "real" and "generated" about an example of its own step. V stays as it is.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> class Linear(kgg.Payoff):
        ...     def real_term(self, logits):
        ...         return logits
        ...     def fake_term(self, logits):
        ...         return -logits
        >>> float(Linear().generator_term(tf.constant(2.0)))
        -2.0
    """

    optimum: float | None = None
    label_noise: float = 0.0

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        raise TypeError(
            f"{type(self).__name__} is not a payoff yet: a subclass of Payoff must "
            "define real_term(logits) and fake_term(logits)."
        )

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        raise TypeError(
            f"{type(self).__name__} is not a payoff yet: a subclass of Payoff must "
            "define real_term(logits) and fake_term(logits)."
        )

    def generator_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator descends; f1 unless overridden."""
        return self.fake_term(logits)

    # Whether what the generator descends depends on the logits of real data.
    of_pairs = False

    def pair_term(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the value of a real and a generated example: here f0 + f1."""
        return self.real_term(real_logits) + self.fake_term(fake_logits)

    def generator_pair_term(
        self, real_logits: Any, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """Returns what the generator descends, of a pair."""
        del real_logits
        return self.generator_term(fake_logits)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Payoff":
        """Returns the payoff that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return representation.short(self)


class _WithTargets(Payoff):
    """A payoff whose discriminator aims at a target, 1 on real and 0 on fake data."""

    # Of subclasses too whose constructor does not call this one.
    label_smoothing: float = 0.0

    def __init__(self, label_smoothing: float = 0.0, label_noise: float = 0.0) -> None:
        self.label_smoothing = validation.check_number(
            "label_smoothing", label_smoothing, 0.0, 0.5, hint="Usual is 0.1."
        )
        self.label_noise = validation.check_number(
            "label_noise", label_noise, 0.0, 0.5, hint="Usual is 0.05."
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary, without defaults."""
        config = {
            "label_smoothing": self.label_smoothing,
            "label_noise": self.label_noise,
        }
        return {name: value for name, value in config.items() if value}


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Minimax(_WithTargets):
    """The original GAN value, with halves (Goodfellow et al., 2014).

    V = 1/2 E log sigmoid(l_real) + 1/2 E log(1 - sigmoid(l_fake)); at the optimum
    -log 2. Against the best discriminator V = JSD(data || G) - log 2.

    With label smoothing s the discriminator aims at 1 - s on real data, and at 0 on
    generated ones as before ("one-sided"): it cannot become arbitrarily sure,

        f0(l) = 1/2 ((1 - s) log sigmoid(l) + s log(1 - sigmoid(l))).

    Label noise p tells the discriminator, in its own steps, the wrong label of each
    example with probability p: f0 and f1 change places there. Which ones follows from
    the seed, the step and the example's index. The generator's loss and V stay.

    For noise on the data instead of the labels ("instance noise") give the model a
    layer of noise as its augmentation.

    Args:
        label_smoothing: s in [0, 0.5]. Default: 0.
        label_noise: p in [0, 0.5]. Default: 0.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> payoff = kgg.payoffs.Minimax()
        >>> logit = tf.constant(0.0)
        >>> round(float(payoff.real_term(logit) + payoff.fake_term(logit)), 4)
        -0.6931

    References:
        Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: "Improved Techniques for
        Training GANs", 2016 (one-sided label smoothing).
    """

    @property
    def optimum(self) -> float:  # type: ignore[override]  # Payoffs may set theirs.
        """V at the equilibrium, where D(x) = (1 - s) / 2 everywhere."""
        half = 0.5 * (1.0 - self.label_smoothing)
        return half * math.log(half) + (1.0 - half) * math.log1p(-half)

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        sure = -0.5 * tf.nn.softplus(-logits)
        if not self.label_smoothing:
            return sure
        # log(1 - sigmoid(l)) = log sigmoid(l) - l.
        return sure - 0.5 * self.label_smoothing * logits

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        return -0.5 * tf.nn.softplus(logits)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class NonSaturating(Minimax):
    """The minimax value; the generator ascends 1/2 log D(G(z)) instead.

    Its gradient agrees with the minimax one at equilibrium and does not vanish where
    the discriminator is sure. The game's value V stays the minimax value. This is what
    the Keras guides write as binary cross-entropy with the generator's labels flipped,
    times 1/2.

    Args:
        label_smoothing: As in `Minimax`. Default: 0.
        label_noise: As in `Minimax`. Default: 0.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> payoff = kgg.payoffs.NonSaturating()
        >>> round(float(payoff.generator_term(tf.constant(0.0))), 4)
        0.3466
    """

    def generator_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator descends."""
        return 0.5 * tf.nn.softplus(-logits)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Wasserstein(Payoff):
    """V = E D(x) - E D(G(z)), for a Lipschitz critic (Arjovsky et al., 2017).

    The critic must be Lipschitz, or V grows for ever: by a penalty,
    `penalty="gradient_penalty"`; by spectral normalisation; or, as the paper did, by
    weights clipped after every update, a Keras constraint of the critic's layers. A
    constraint holds in a search for a best response too.

    Example:
        >>> import keras, keras_gamegan as kgg
        >>> class Clip(keras.constraints.Constraint):
        ...     def __call__(self, weight):
        ...         return keras.ops.clip(weight, -0.01, 0.01)
        >>> clipped = keras.layers.Dense(1, kernel_constraint=Clip())
        >>> critic = keras.Sequential([keras.Input((2,)), clipped])
        >>> _, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
        >>> gan = kgg.GAN(critic, generator, seed=0)
        >>> gan.compile(loss="wasserstein")
        >>> _ = gan.fit(np.ones((8, 2), "float32"), verbose=0)
        >>> float(abs(critic.get_weights()[0]).max()) <= 0.0101
        True
    """

    optimum = 0.0

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        return tf.identity(logits)

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        return -logits


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Hinge(Payoff):
    """V = E min(0, l_real - 1) + E min(0, -l_fake - 1) (Lim and Ye, 2017).

    The generator descends -l_fake. At the optimum V = -2.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> float(kgg.payoffs.Hinge().real_term(tf.constant(0.5)))
        -0.5
    """

    optimum = -2.0

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        return -tf.nn.relu(1.0 - logits)

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        return -tf.nn.relu(1.0 + logits)

    def generator_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator descends."""
        return -logits


@keras.saving.register_keras_serializable(package="keras_gamegan")
class LeastSquares(_WithTargets):
    """V = -1/2 E (l_real - 1)^2 - 1/2 E l_fake^2 (Mao et al., 2017).

    The generator descends 1/2 (l_fake - 1)^2. At the optimum V = -1/4. With label
    smoothing s the discriminator aims at 1 - s on real data.

    Args:
        label_smoothing: As in `Minimax`. Default: 0.
        label_noise: As in `Minimax`. Default: 0.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> float(kgg.payoffs.LeastSquares().generator_term(tf.constant(0.0)))
        0.5
    """

    @property
    def optimum(self) -> float:  # type: ignore[override]  # Payoffs may set theirs.
        """V at the equilibrium, where D(x) = (1 - s) / 2 everywhere."""
        return -0.25 * (1.0 - self.label_smoothing) ** 2

    def real_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f0 of the logits of real examples."""
        return -0.5 * tf.square(logits - (1.0 - self.label_smoothing))

    def fake_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the logits of generated examples."""
        return -0.5 * tf.square(logits)

    def generator_term(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator descends."""
        return 0.5 * tf.square(logits - 1.0)
