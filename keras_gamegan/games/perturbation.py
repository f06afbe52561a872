"""Noise on a player before a best-response search, which frees it where it stands."""

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import randomness, structures
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config, Structure


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

    def __init__(self, scale: float, relative: bool = False) -> None:
        self.scale = validation.check_number("scale", scale)
        self.relative = bool(relative)

    def __call__(self, weights: Structure, stream: tf.Tensor) -> Structure:
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
            # A constant to a gradient through the search: the spread of equal weights
            # has no derivative.
            noisy.append(leaf + tf.stop_gradient(size * noise / drawn))
        return tf.nest.pack_sequence_as(weights, noisy)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"scale": self.scale, "relative": self.relative}

    def __repr__(self) -> str:
        return f"Perturbation({self.scale!r}, relative={self.relative!r})"

    @classmethod
    def from_config(cls, config: Config) -> "Perturbation":
        """Returns the object that `get_config` described."""
        return cls(**config)


def as_perturbation(
    perturbation: Perturbation | float | None,
) -> Perturbation | None:
    """Returns a `Perturbation`, or None, from a number, an object or None."""
    if perturbation is None or isinstance(perturbation, Perturbation):
        return perturbation
    return Perturbation(validation.check_number("perturbation", perturbation))


def perturbed(
    player: Player, perturbation: Perturbation | None, stream: tf.Tensor
) -> Player:
    """Returns the player the search starts from."""
    if perturbation is None:
        return player
    return Player(perturbation(player.weights, stream), player.state)
