"""The duality gap of a game at a point: a measure of both players."""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import best_response, randomness, structures, updates


class Gap(NamedTuple):
    """The duality gap and its two halves.

    Attributes:
        gap: M(u, v_w) - M(u_w, v), signed: >= 0 if the searches were exact.
        minimax: M(u, v_w), a measure of the minimiser alone.
        maximin: M(u_w, v), a measure of the maximiser alone.
        worst_u: u_w, the best response found to v.
        worst_v: v_w, the best response found to u.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.Game(lambda u, v: u**2 - v**2)
        >>> result = kgg.games.duality_gap(game, 1.0, 1.0, 300, 0.1, optimizer="sgd")
        >>> float(result.gap), float(result.minimax), float(result.maximin)
        (2.0, 1.0, -1.0)
    """

    gap: Any
    minimax: Any
    maximin: Any
    worst_u: Any
    worst_v: Any


class Perturbation:
    """Noise added to the searching player before a best-response search.

    A search that starts at a critical point never leaves it; a little noise lets it.

    Args:
        scale: Root mean square of the Gaussian noise on each tensor, >= 0: absolute, or
            in units of the tensor's own standard deviation. The noise is rescaled to
            exactly this size, so that a measurement does not hang on the luck of the
            few numbers drawn for a small tensor.
        relative: Whether `scale` is relative. Default: False.

    Raises:
        ValueError: If `scale` is negative.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.Perturbation(1.0, relative=True).relative
        True

    References:
        Sidheekh, Aimen, Madan, Krishnan: "On Duality Gap as a Measure for Monitoring
        GAN Training", 2020.
    """

    def __init__(self, scale, relative=False):
        self.scale = validation.check_number("scale", scale)
        self.relative = bool(relative)

    def __call__(self, weights, stream):
        """Returns ``weights`` plus noise, a function of ``stream``."""
        noisy = []
        for index, leaf in enumerate(tf.nest.flatten(weights)):
            size = structures.number(self.scale, leaf.dtype)
            if self.relative:
                size = size * tf.math.reduce_std(leaf)
            noise = randomness.normal(
                randomness.fold(stream, index), tf.shape(leaf), leaf.dtype
            )
            drawn = tf.sqrt(tf.reduce_mean(tf.square(noise)))
            noisy.append(leaf + size * noise / drawn)
        return tf.nest.pack_sequence_as(weights, noisy)

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {"scale": self.scale, "relative": self.relative}

    @classmethod
    def from_config(cls, config):
        """Returns the object that `get_config` described."""
        return cls(**config)


def as_perturbation(perturbation):
    """Returns a `Perturbation`, or None, from a number, an object or None."""
    if perturbation is None or isinstance(perturbation, Perturbation):
        return perturbation
    return Perturbation(validation.check_number("perturbation", perturbation))


def perturbed(player, perturbation, stream):
    """Returns the player the search starts from."""
    if perturbation is None:
        return player
    return structures.Player(perturbation(player.weights, stream), player.state)


def duality_gap(
    game,
    u,
    v,
    num_steps=500,
    learning_rate=5e-3,
    perturbation=None,
    seed=None,
    *,
    optimizer="adam",
    dtype="float64",
):
    """Measures how far (u, v) is from an equilibrium of a closed-form game.

    Mathematics: DG(u, v) = max_v' M(u, v') - min_u' M(u', v), with both extrema
    searched by `num_steps` steps from copies of the players. DG >= 0, and 0 exactly at
    a Nash equilibrium. A search that starts at a critical point stays there; see
    `perturbation`.

    Args:
        game: A `Game`.
        u: The minimiser: scalar, array or nested structure.
        v: The maximiser, likewise.
        num_steps: Steps of each search, >= 0. Default: 500.
        learning_rate: Step size of the search, > 0. Default: 5e-3.
        perturbation: Noise on the searching player before its search: the standard
            deviation, or a `Perturbation`. Default: None.
        seed: Integer seed of the noise. Default: None, drawn anew.
        optimizer: "adam", "sgd", "momentum" or "rmsprop". Default: "adam".
        dtype: "float64" or "float32". Default: "float64".

    Returns:
        A `Gap` of tensors.

    Raises:
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.exponential()
        >>> round(float(kgg.games.duality_gap(game, -8.67366, -12.467547).gap), 4)
        0.0019

    References:
        Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann, Krause: "A Domain
        Agnostic Measure for Monitoring and Evaluating GANs", 2019.
    """
    validation.check_integer("num_steps", num_steps, 0)
    validation.check_choice("dtype", dtype, ("float32", "float64"))
    update = updates.get(optimizer, learning_rate)
    noise = as_perturbation(perturbation)
    stream = randomness.fold(
        randomness.root(randomness.new_seed() if seed is None else seed),
        randomness.Purpose.PERTURBATION,
    )
    u, v = (
        structures.Player(
            tf.nest.map_structure(lambda x: tf.convert_to_tensor(x, dtype), part)
        )
        for part in (u, v)
    )

    @tf.function
    def measure(u, v, stream):
        loss_of_u = game.minimizer_objective(structures.pure(v))
        loss_of_v = game.maximizer_objective(structures.pure(u))
        (worst_u, worst_v), _ = best_response.search(
            [lambda player, _: loss_of_u(player), lambda player, _: loss_of_v(player)],
            [
                perturbed(u, noise, randomness.fold(stream, 0)),
                perturbed(v, noise, randomness.fold(stream, 1)),
            ],
            update,
            num_steps,
        )
        minimax, maximin = game.value(u, worst_v), game.value(worst_u, v)
        return Gap(
            minimax - maximin, minimax, maximin, worst_u.weights, worst_v.weights
        )

    return measure.get_concrete_function(u, v, stream)(u, v, stream)
