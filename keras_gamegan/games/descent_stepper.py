"""How gradients move players in a closed-form game: pure descent rules."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_gamegan.games.structures import Player
from keras_gamegan.games.updates import Update
from keras_gamegan.typing import Structure


class DescentStepper:
    """Moves both players by one descent rule, without variables.

    Args:
        update: An `updates.Update`.
        states: Pair of the rule's states for both players.
    """

    minimizer_scale = None
    maximizer_scale = None
    minimizer_missing: Callable[[list[int]], None] | None = None
    maximizer_missing: Callable[[list[int]], None] | None = None
    search_options: Mapping[str, Any] | None = None

    def __init__(self, update: Update, states: Iterable[Structure]) -> None:
        self._update = update
        self.states = list(states)

    @classmethod
    def initial_states(
        cls, update: Update, u: Player, v: Player
    ) -> tuple[Structure, Structure]:
        """Returns the rule's states before the first step."""
        return update.init(u.weights), update.init(v.weights)

    def minimizer(self, player: Player, gradient: Structure) -> Player:
        """Returns the first player one step downhill."""
        return self._move(0, player, gradient)

    def maximizer(self, player: Player, gradient: Structure) -> Player:
        """Returns the second player one step down its own loss."""
        return self._move(1, player, gradient)

    minimizer_trial = minimizer
    maximizer_trial = maximizer

    def rules(self) -> list[tuple[Update, Structure]]:
        """Returns the rule by which each player moves, and its state now."""
        return [(self._update, state) for state in self.states]

    def exact(self, gradients: tuple) -> tuple:
        """Returns the gradients: nothing scales or splits them here."""
        return gradients

    def handed(self, gradients: tuple) -> tuple:
        """Returns the gradients as they are."""
        return gradients

    def _move(self, index: int, player: Player, gradient: Structure) -> Player:
        weights, self.states[index] = self._update.apply(
            gradient, self.states[index], player.weights
        )
        return Player(weights, player.state)
