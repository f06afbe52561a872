"""GAN values on logits: what D maximises and what the generator minimises."""

import math

import keras
import tensorflow as tf

from keras_gamegan import validation


class Payoff:
    """The value of a GAN as a function of the discriminator's logits.

    Mathematics, on logits l = D(x) (no sigmoid at the discriminator's end):

        V(D, G) = E_data f0(D(x)) + E_latents f1(D(G(z))).

    The discriminator ascends V. The generator descends E g(D(G(z))), where g is f1
    unless the payoff says otherwise. Subclass and define the three functions for a
    payoff of your own; they map a tensor of logits to a tensor of the same shape.

    Attributes:
        optimum: V at the equilibrium, where it is known, else None.

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

    def real_term(self, logits):
        """Returns f0 of the logits of real examples."""
        raise TypeError(
            f"{type(self).__name__} is not a payoff yet: a subclass of Payoff must "
            "define real_term(logits) and fake_term(logits)."
        )

    def fake_term(self, logits):
        """Returns f1 of the logits of generated examples."""
        raise TypeError(
            f"{type(self).__name__} is not a payoff yet: a subclass of Payoff must "
            "define real_term(logits) and fake_term(logits)."
        )

    def generator_term(self, logits):
        """Returns what the generator descends; f1 unless overridden."""
        return self.fake_term(logits)

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Returns the payoff that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Minimax(Payoff):
    """The original GAN value, with halves (Goodfellow et al., 2014).

    V = 1/2 E log sigmoid(l_real) + 1/2 E log(1 - sigmoid(l_fake)); at the optimum
    -log 2. Against the best discriminator V = JSD(data || G) - log 2.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> payoff = kgg.payoffs.Minimax()
        >>> logit = tf.constant(0.0)
        >>> round(float(payoff.real_term(logit) + payoff.fake_term(logit)), 4)
        -0.6931
    """

    optimum = -math.log(2.0)

    def real_term(self, logits):
        """Returns f0 of the logits of real examples."""
        return -0.5 * tf.nn.softplus(-logits)

    def fake_term(self, logits):
        """Returns f1 of the logits of generated examples."""
        return -0.5 * tf.nn.softplus(logits)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class NonSaturating(Minimax):
    """The minimax value; the generator ascends 1/2 log D(G(z)) instead.

    Its gradient agrees with the minimax one at equilibrium and does not vanish where
    the discriminator is sure. The game's value V stays the minimax value.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> payoff = kgg.payoffs.NonSaturating()
        >>> round(float(payoff.generator_term(tf.constant(0.0))), 4)
        0.3466
    """

    def generator_term(self, logits):
        """Returns what the generator descends."""
        return 0.5 * tf.nn.softplus(-logits)


@keras.saving.register_keras_serializable(package="keras_gamegan")
class Wasserstein(Payoff):
    """V = E D(x) - E D(G(z)), for a Lipschitz critic (Arjovsky et al., 2017).

    The critic needs a penalty or spectral normalisation to be Lipschitz.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> float(kgg.payoffs.Wasserstein().fake_term(tf.constant(3.0)))
        -3.0
    """

    optimum = 0.0

    def real_term(self, logits):
        """Returns f0 of the logits of real examples."""
        return tf.identity(logits)

    def fake_term(self, logits):
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

    def real_term(self, logits):
        """Returns f0 of the logits of real examples."""
        return -tf.nn.relu(1.0 - logits)

    def fake_term(self, logits):
        """Returns f1 of the logits of generated examples."""
        return -tf.nn.relu(1.0 + logits)

    def generator_term(self, logits):
        """Returns what the generator descends."""
        return -logits


@keras.saving.register_keras_serializable(package="keras_gamegan")
class LeastSquares(Payoff):
    """V = -1/2 E (l_real - 1)^2 - 1/2 E l_fake^2 (Mao et al., 2017).

    The generator descends 1/2 (l_fake - 1)^2. At the optimum V = -1/4.

    Example:
        >>> import keras_gamegan as kgg, tensorflow as tf
        >>> float(kgg.payoffs.LeastSquares().generator_term(tf.constant(0.0)))
        0.5
    """

    optimum = -0.25

    def real_term(self, logits):
        """Returns f0 of the logits of real examples."""
        return -0.5 * tf.square(logits - 1.0)

    def fake_term(self, logits):
        """Returns f1 of the logits of generated examples."""
        return -0.5 * tf.square(logits)

    def generator_term(self, logits):
        """Returns what the generator descends."""
        return 0.5 * tf.square(logits - 1.0)


_PAYOFFS = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "wasserstein": Wasserstein,
    "hinge": Hinge,
    "least_squares": LeastSquares,
}
NAMES = tuple(_PAYOFFS)


def get(loss):
    """Returns a `Payoff` from a name or a payoff.

    Args:
        loss: "minimax", "non_saturating", "wasserstein", "hinge", "least_squares", or a
            `Payoff` object.

    Returns:
        A `Payoff`.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> type(kgg.payoffs.get("hinge")).__name__
        'Hinge'
    """
    if isinstance(loss, Payoff):
        return loss
    validation.check_choice("loss", loss, NAMES, _hint(loss))
    return _PAYOFFS[loss]()


# Losses of Keras, by which a GAN's is often known.
_KNOWN_AS = {
    "binarycrossentropy": 'loss="non_saturating" is binary cross-entropy on logits.',
    "bce": 'loss="non_saturating" is binary cross-entropy on logits.',
    "hinge": 'loss="hinge" is the hinge loss of a GAN.',
    "meansquarederror": 'loss="least_squares" is the squared error of logits.',
    "mse": 'loss="least_squares" is the squared error of logits.',
}


def _hint(loss):
    """Returns what else to pass, for a loss that is known by another name."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    name = (name or type(loss).__name__).replace("_", "").lower()
    hint = _KNOWN_AS.get(name, "A kgg.Payoff object works too.")
    if loss is None:
        hint = "Leave it out for the default."
    elif isinstance(loss, type) and issubclass(loss, Payoff):
        hint = f"Pass an object: {loss.__name__}()."
    return hint
