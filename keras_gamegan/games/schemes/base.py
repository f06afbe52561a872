"""What a scheme is: one update of both players, as a pure function."""

from typing import Any, NamedTuple

from keras_gamegan.games import structures


class Step(NamedTuple):
    """What one step of a scheme gives back.

    Attributes:
        u: The minimising `Player` after the step.
        v: The maximising `Player` after the step.
        state: The scheme's own state (previous gradients, histories).
        report: Dictionary of scalars: "minimizer_loss", "maximizer_loss", "value", the
            details of the maximiser's outcome and, where the scheme computes it,
            "duality_gap".

    Example:
        >>> import keras_gamegan as kgg
        >>> step = kgg.games.schemes.Step(u=1.0, v=2.0, state=(), report={})
        >>> step.v
        2.0
    """

    u: structures.Player
    v: structures.Player
    state: Any
    report: dict


class Scheme:
    """Turns players and a batch into updated players.

    A scheme owns no variables and knows nothing of Keras. It differentiates the game's
    losses and hands each gradient to a *stepper*, which moves the player: a pure
    descent rule in a closed-form game, the user's Keras optimizer in a model. The same
    scheme therefore trains a bilinear game and a GAN.

    Example:
        >>> import keras_gamegan as kgg
        >>> class FrozenMaximizer(kgg.games.schemes.Simultaneous):
        ...     def step(self, game, u, v, state, stepper, batch_fn=None):
        ...         taken = super().step(game, u, v, state, stepper, batch_fn)
        ...         return taken._replace(v=v)
        >>> result = kgg.games.solve(kgg.games.g2(), scheme=FrozenMaximizer())
        >>> [round(float(x), 2) for x in result.solution]
        [-3.33, 5.0]
    """

    def initial_state(self, u, v):
        """Returns the scheme's state before the first step."""
        del u, v
        return ()

    def step(self, game, u, v, state, stepper, batch_fn=None):
        """Updates both players once.

        Args:
            game: A game (`minimizer_objective`, `maximizer_objective`).
            u: The minimising `Player`.
            v: The maximising `Player`.
            state: What `initial_state` or the last step returned.
            stepper: Has `minimizer(player, gradient)` and `maximizer(player,
                gradient)`, which return the moved player; `minimizer_scale` and
                `maximizer_scale`, loss scales or None; `minimizer_missing` and
                `maximizer_missing`, told of weights without a gradient, or None (see
                `games.gradients`); `search_options`.
            batch_fn: Function from the index of a draw within this step to a batch.
                Default: None, no batches.

        Returns:
            A `Step`.
        """
        raise TypeError(
            f"{type(self).__name__} is not a scheme yet: a subclass of Scheme must "
            "define step(game, u, v, state, stepper, batch_fn)."
        )


def draw(batch_fn, index):
    """Returns the batch of that draw, or None where the game has no batches."""
    return None if batch_fn is None else batch_fn(index)


def report(minimizer_outcome, maximizer_outcome, **more):
    """Returns a step's report, in which value and details are the maximiser's."""
    return {
        "minimizer_loss": minimizer_outcome.loss,
        "maximizer_loss": maximizer_outcome.loss,
        "value": maximizer_outcome.value,
        **(maximizer_outcome.details or {}),
        **more,
    }
