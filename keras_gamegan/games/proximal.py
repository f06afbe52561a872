"""The proximal opponent: a discriminator that answers, but stays near where it was."""

from collections.abc import Callable
from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import search, structures, updates
from keras_gamegan.games.best_response import BestResponse
from keras_gamegan.games.game import BatchFn, Outcome, TwoPlayerGame
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config

# `(player, center, batch) -> scalar`.
Distance: TypeAlias = Callable[[Player, Player, Any], tf.Tensor]


class Proximal:
    """How far the maximiser may answer while the worst minimiser is searched for.

    Mathematics: in the proximal gap the worst minimiser is not measured against v but
    against the best answer near v,

        V^l(u', v) = max_v~  M(u', v~) - l d(v~, v),

    so l -> infinity gives the plain gap. The distance d of a closed-form game is
    |v~ - v|^2. That of a GAN is of Sobolev type, on logits:

        d(D~, D) = mean over real x of |grad_x D~(x) - grad_x D(x)|^2.

    The answer starts at v at every evaluation and takes `num_steps` steps of size
    e / (1 + 2 l e), where e is the search's: for a quadratic d that is the proximal
    gradient step, stable however large l. Where they only overshoot, v itself is the
    answer, so that V^l >= M. The distance is differentiated like everything else.

    Args:
        weight: The weight l of the distance, > 0.
        num_steps: Ascent steps of each answer, >= 1. Default: 10.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.Proximal(0.1).num_steps
        10

    References:
        Sidheekh, Aimen, Krishnan: "On Characterizing GAN Convergence Through Proximal
        Duality Gap", 2021.
        Farnia, Ozdaglar: "Do GANs Always Have Nash Equilibria?", 2020.
    """

    def __init__(self, weight: float, num_steps: int = 10) -> None:
        self.weight = validation.check_number(
            "weight", weight, exclusive=True, hint="Usual: 0.1 or 0.01."
        )
        self.num_steps = validation.check_integer("num_steps", num_steps)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"weight": self.weight, "num_steps": self.num_steps}

    @classmethod
    def from_config(cls, config: Config) -> "Proximal":
        """Returns the object that `get_config` described."""
        return cls(**config)


def as_proximal(proximal: Proximal | float | None) -> Proximal | None:
    """Returns a `Proximal`, or None, from a number, an object or None."""
    if proximal is None or isinstance(proximal, Proximal):
        return proximal
    return Proximal(
        validation.check_number(
            "proximal", proximal, exclusive=True, hint="Leave it out for the plain gap."
        )
    )


def weight_distance(player: Player, center: Player, batch: Any = None) -> tf.Tensor:
    """Returns the squared distance of two players' weights, a scalar."""
    del batch
    return structures.squared_norm(
        tf.nest.map_structure(tf.subtract, player.weights, center.weights)
    )


def answer(
    game: TwoPlayerGame,
    u: Player,
    v: Player,
    proximal: Proximal,
    response: BestResponse,
    batch_fn: BatchFn,
    distance: Distance = weight_distance,
) -> Player:
    """Returns v~, the maximiser's answer to ``u`` near ``v``; constant in both.

    By the envelope theorem the gradient of V^l in u passes by v~.

    Args:
        game: A game.
        u: `Player`, the minimiser answered to.
        v: `Player`, the maximiser stayed near, and started from.
        proximal: A `Proximal`.
        response: `BestResponse`: optimizer and step size.
        batch_fn: Function from the index of a step to a batch or None.
        distance: Function (player, center, batch) -> scalar.

    Returns:
        A `Player`.
    """
    opponent = structures.pure(structures.stop_gradient(u))
    center = structures.stop_gradient(v)
    rate = validation.check_number("learning_rate", response.learning_rate)
    rate = rate / (1.0 + 2.0 * proximal.weight * rate)

    def loss_of_answer(player: Player, step: Any) -> Outcome:
        batch = batch_fn(step)
        outcome = game.maximizer_objective(opponent, batch)(player)
        # Of what the pass played with: a network may project its weights.
        moved = distance(outcome.player, center, batch)
        weight = structures.number(proximal.weight, outcome.loss.dtype)
        return outcome._replace(loss=outcome.loss + weight * moved)

    (found,), _ = search.search(
        [loss_of_answer],
        [center],
        updates.get(response.optimizer, rate),
        proximal.num_steps,
        projections=[game.project_maximizer],
    )
    # To stay is an answer too, and the better one where a few steps only overshoot.
    stayed, moved = (
        loss_of_answer(player, proximal.num_steps).loss for player in (center, found)
    )
    return tf.nest.map_structure(
        lambda a, b: tf.stop_gradient(tf.where(moved < stayed, a, b)), found, center
    )
