"""How far apart two discriminators are: a distance of Sobolev type."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gamegan.games import proximal
from keras_gamegan.games.structures import Player
from keras_gamegan.models.step import adversarial_game
from keras_gamegan.models.step.batch import Batch


def distance_of(game: Any) -> Any:
    """Returns the distance of a game's maximisers that its proximal gap is near in.

    That of Sobolev type of a GAN's discriminators; of any other networks, the squared
    distance of their weights.

    Args:
        game: An `AdversarialGame` or another game.
    """
    if isinstance(game, adversarial_game.AdversarialGame):
        return sobolev_distance(game)
    return proximal.weight_distance


def sobolev_distance(game: Any) -> Callable[..., tf.Tensor]:
    """Returns the distance (player, center, batch) -> scalar of a GAN's discriminators.

    The mean over the batch's real x of |grad_x D~(x) - grad_x D(x)|^2, on logits, both
    in inference mode. Two discriminators that differ by a constant are at distance 0.
    It can be differentiated with respect to both players.

    Args:
        game: An `AdversarialGame`.
    """

    def slopes(player: Player, batch: Batch, real: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(real)
            logits, *_ = game.logits(player, real, batch.examples.labels, batch, False)
            logits = adversarial_game.per_example(logits)
        return tape.gradient(
            logits, real, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    def distance(player: Player, center: Player, batch: Batch) -> tf.Tensor:
        real = tf.convert_to_tensor(batch.examples.real)
        difference = slopes(player, batch, real) - slopes(center, batch, real)
        return batch.mean(tf.square(difference))

    return distance
