"""Fictitious play: each player answers the mixture of the other's historical models."""

from typing import Any

from keras_gamegan.games.game import BatchFn, TwoPlayerGame
from keras_gamegan.games.schemes import descent, histories, scheme
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import Config


class FictitiousPlay(descent.Alternating):
    """Alternating descent in which the opponents are drawn from their history.

    v ascends the mean over stored u_j of M(u_j, v); then u descends the mean over
    stored v_j of M(u, v_j): the mean of the losses, not the loss of a mean opponent.
    Then both players enter their histories.

    Args:
        history: A `kgg.History`: what both players remember. In a model it is kept in
            banks of variables, in a closed-form game in immutable tensors. Or, for a
            closed-form game, a function ``(u, v) -> (history of u, history of v)`` of
            objects with `mixture(current)`, the `Mixture` to be answered, and
            `record(player)`, the history with the live player stored; None stands for
            "no history": that player's current iterate is answered.
        maximizer_steps: Steps of v per step of the scheme, >= 1. Default: 1.
        minimizer_steps: Steps of u per step of the scheme, >= 1. Default: 1.
        mixture: How a `kgg.History` is answered, as in `FictitiousGAN`. Default:
            "sampled".
        seed: Integer seed of its retention and draws. Default: 0.

    Raises:
        TypeError: If the history is neither.

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
        history: Any,
        maximizer_steps: int = 1,
        minimizer_steps: int = 1,
        *,
        mixture: str = "sampled",
        seed: int = 0,
    ) -> None:
        super().__init__(maximizer_steps, minimizer_steps)
        if not callable(history) and not hasattr(history, "begin"):
            raise TypeError(
                "`history` must be a kgg.History, or a function (u, v) -> (history of "
                f"u, history of v). Received: history={history!r}. Pass, for instance, "
                "kgg.History(capacity=5, interval=100)."
            )
        self.history = history
        self.mixture = histories.check_mixture(mixture)
        self.seed = seed

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "history": self.history,
            **super().get_config(),
            "mixture": self.mixture,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Config) -> "FictitiousPlay":
        """Returns the scheme that `get_config` described."""
        return cls(**histories.deserialized(config))

    def initial_state(
        self, u: Player, v: Player, begun: histories.Pair | None = None
    ) -> scheme.State:
        """Returns the histories of both players before the first step.

        Args:
            u: The minimising `Player`.
            v: The maximising `Player`.
            begun: Pair of histories that have begun. Default: None, they begin here.
        """
        if begun is None and callable(self.history):
            begun = self.history(u, v)
        elif begun is None:
            begun = self.history.begin(u, v, self.mixture, self.seed)
        return histories.with_histories(super().initial_state(u, v), begun)

    def opponents_of_maximizer(self, u: Player, state: Any) -> Mixture:
        """Returns the `Mixture` of historical minimisers, or the live one."""
        return histories.opponent(state, self.history, 0, u)

    def opponents_of_minimizer(self, v: Player, state: Any) -> Mixture:
        """Returns the `Mixture` of historical maximisers, or the live one."""
        return histories.opponent(state, self.history, 1, v)

    def step(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: scheme.Stepper,
        batch_fn: BatchFn | None = None,
    ) -> scheme.Step:
        """Updates both players once; see `Scheme.step`."""
        taken = super().step(game, u, v, state, stepper, batch_fn)
        return taken._replace(state=histories.recorded(taken.state, taken.u, taken.v))
