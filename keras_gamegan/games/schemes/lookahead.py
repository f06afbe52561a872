"""Lookahead: every few steps both players go back towards where they came from."""

from typing import Any

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import structures
from keras_gamegan.games.game import BatchFn, TwoPlayerGame
from keras_gamegan.games.schemes import descent, scheme
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config

_FAST: dict[str, type[scheme.Scheme]] = {
    "alternating": descent.Alternating,
    "simultaneous": descent.Simultaneous,
    "extragradient": descent.Extragradient,
}


class Lookahead(scheme.Scheme):
    """Lookahead: fast steps, then a step back to the slow weights, of both players.

    From the slow weights s the fast scheme takes k steps to w; then, of both players,

        s <- s + alpha (w - s),     w <- s,

    which turns the circles that two players describe around an equilibrium into a way
    inwards.

    Args:
        period: Fast steps k between two steps back, >= 1. Default: 5.
        alpha: How far the slow weights follow the fast ones, in [0, 1]; 1 is the fast
            scheme, 0 stands still. Default: 0.5.
        fast: Scheme of the fast steps: "alternating", "simultaneous" or
            "extragradient". Default: "alternating".

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range, or the name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> circling = kgg.games.solve(kgg.games.bilinear(), scheme="alternating")
        >>> scheme = kgg.games.schemes.Lookahead(period=50)
        >>> inwards = kgg.games.solve(kgg.games.bilinear(), scheme=scheme)
        >>> circling.converged, inwards.converged
        (False, True)

    References:
        Chavdarova, Pagliardini, Stich, Fleuret, Jaggi: "Taming GANs with
        Lookahead-Minmax", 2021.
    """

    def __init__(
        self, period: int = 5, alpha: float = 0.5, fast: str = "alternating"
    ) -> None:
        self.period = validation.check_integer("period", period)
        self.alpha = validation.check_number("alpha", alpha, 0.0, 1.0)
        self.fast = validation.check_choice("fast", fast, tuple(_FAST))
        self._scheme = _FAST[self.fast]()

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"period": self.period, "alpha": self.alpha, "fast": self.fast}

    def initial_state(self, u: Player, v: Player) -> scheme.State:
        """Returns the slow weights of both players: those they start from."""
        return scheme.first_state(u={"slow": u.weights}, v={"slow": v.weights})

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
        # Read anew at the begin of each round: whoever set weights meant those.
        begins = tf.equal(state.step % self.period, 0)
        slow = tf.nest.map_structure(
            lambda kept, live: tf.where(begins, live, kept),
            (state.u["slow"], state.v["slow"]),
            (u.weights, v.weights),
        )
        taken = self._scheme.step(game, u, v, state, stepper, batch_fn)
        ends = tf.equal(taken.state.step % self.period, 0)

        def back(old: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
            alpha = structures.number(self.alpha, new.dtype)
            return tf.where(ends, old + alpha * (new - old), new)

        live_u, live_v = tf.nest.map_structure(
            back, slow, (taken.u.weights, taken.v.weights)
        )
        return taken._replace(
            u=taken.u._replace(weights=live_u),
            v=taken.v._replace(weights=live_v),
            state=taken.state._replace(u={"slow": slow[0]}, v={"slow": slow[1]}),
        )
