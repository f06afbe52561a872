"""Fictitious play: each player answers the mixture of the other's historical models."""

from collections.abc import Callable
from typing import Any

from keras_gamegan.games.game import BatchFn, TwoPlayerGame
from keras_gamegan.games.history import PlayerHistory
from keras_gamegan.games.schemes import base, descent
from keras_gamegan.games.structures import Mixture, Player


class FictitiousPlay(descent.Alternating):
    """Alternating descent in which the opponents are drawn from their history.

    v ascends the mean over stored u_j of M(u_j, v); then u descends the mean over
    stored v_j of M(u, v_j): the mean of the losses, not the loss of a mean opponent.
    Then both players enter their histories.

    A history is anything with `mixture(current)`, which returns the `Mixture` to be
    answered, and `record(player)`, which returns the history with the live player
    stored: immutable tensors in a closed-form game (`games.history.TensorHistory`),
    a bank of variables in a Keras model. None stands for "no history": that player's
    current iterate is answered.

    Args:
        initial_histories: Function ``(u, v) -> (history of u, history of v)``.
        maximizer_steps: Steps of v per step of the scheme, >= 1. Default: 1.
        minimizer_steps: Steps of u per step of the scheme, >= 1. Default: 1.

    Example:
        >>> import keras_gamegan as kgg
        >>> no_history = kgg.games.schemes.FictitiousPlay(lambda u, v: (None, None))
        >>> kgg.games.solve(kgg.games.e3(), scheme=no_history).iterations
        85
        >>> kgg.games.solve(kgg.games.e3(), scheme="alternating").iterations
        85

    References:
        Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical
        Models", 2018.
    """

    def __init__(
        self,
        initial_histories: Callable[[Player, Player], tuple[PlayerHistory | None, ...]],
        maximizer_steps: int = 1,
        minimizer_steps: int = 1,
    ) -> None:
        super().__init__(maximizer_steps, minimizer_steps)
        self._initial_histories = initial_histories

    def initial_state(self, u: Player, v: Player) -> base.State:
        """Returns the histories of both players before the first step."""
        history_u, history_v = self._initial_histories(u, v)
        return base.first_state(u=history_u, v=history_v)

    def opponents_of_maximizer(self, u: Player, state: Any) -> Mixture:
        """Returns the `Mixture` of historical minimisers, the live one included."""
        if state.u is None:
            return super().opponents_of_maximizer(u, state)
        return state.u.mixture(u)

    def opponents_of_minimizer(self, v: Player, state: Any) -> Mixture:
        """Returns the `Mixture` of historical maximisers, the live one included."""
        if state.v is None:
            return super().opponents_of_minimizer(v, state)
        return state.v.mixture(v)

    def step(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: base.Stepper,
        batch_fn: BatchFn | None = None,
    ) -> base.Step:
        """Updates both players once; see `Scheme.step`."""
        taken = super().step(game, u, v, state, stepper, batch_fn)
        history_u, history_v = (
            None if history is None else history.record(player)
            for history, player in ((state.u, taken.u), (state.v, taken.v))
        )
        return taken._replace(state=taken.state._replace(u=history_u, v=history_v))
