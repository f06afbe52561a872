"""How gradients move players in a closed-form game: pure descent rules."""

from keras_gamegan.games import structures


class DescentStepper:
    """Moves both players by one descent rule, without variables.

    Args:
        update: An `updates.Update`.
        states: Pair of the rule's states for both players.
    """

    minimizer_scale = None
    maximizer_scale = None
    minimizer_missing = None
    maximizer_missing = None
    search_options = None

    def __init__(self, update, states):
        self._update = update
        self.states = list(states)

    @classmethod
    def initial_states(cls, update, u, v):
        """Returns the rule's states before the first step."""
        return update.init(u.weights), update.init(v.weights)

    def minimizer(self, player, gradient):
        """Returns the first player one step downhill."""
        return self._move(0, player, gradient)

    def maximizer(self, player, gradient):
        """Returns the second player one step down its own loss."""
        return self._move(1, player, gradient)

    minimizer_trial = minimizer
    maximizer_trial = maximizer

    def exact(self, gradients):
        """Returns the gradients: nothing scales or splits them here."""
        return gradients

    def handed(self, gradients):
        """Returns the gradients as they are."""
        return gradients

    def _move(self, index, player, gradient):
        weights, self.states[index] = self._update.apply(
            gradient, self.states[index], player.weights
        )
        return structures.Player(weights, player.state)
