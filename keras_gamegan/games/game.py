"""What a two-player game is, to every scheme of this library."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import tensorflow as tf

from keras_gamegan.games import structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import Structure


class Outcome(NamedTuple):
    """What one player's loss gives back.

    Attributes:
        loss: Scalar tensor that this player minimises.
        player: The player after the forward pass: its weights (projected, if the
            network projects them) and its moved state.
        value: Scalar tensor M(u, v) where the pass computed it on the way, else None.
        details: Dictionary of further scalars for the report, or None.
    """

    loss: tf.Tensor
    player: Player
    value: tf.Tensor | None = None
    details: dict[str, tf.Tensor] | None = None


# What a player descends.
Objective: TypeAlias = Callable[[Player], Outcome]
# From the index of a draw within a step, an int or an int32 tensor, to a batch.
BatchFn: TypeAlias = Callable[[int | tf.Tensor], Any]
# `(u, v) -> scalar`, or `(u, v, batch) -> scalar` where there are batches.
ValueFn: TypeAlias = Callable[..., tf.Tensor]


class TwoPlayerGame(Protocol):
    """What schemes, searches and gaps ask of a game: see `Game`.

    Under replicas the losses and the value are this replica's parts of them.
    """

    @property
    def exact_minimizer_value(self) -> bool:
        """Whether the outcomes of `minimizer_objective` carry exactly `value`."""

    @property
    def exact_maximizer_value(self) -> bool:
        """Whether the outcomes of `maximizer_objective` carry exactly `value`."""

    def value(self, u: Player, v: Player, batch: Any) -> tf.Tensor:
        """Returns M(u, v), a scalar."""

    def minimizer_objective(
        self, opponents: Mixture, batch: Any, with_value: bool = False
    ) -> Objective:
        """Returns what the first player descends against a mixture of opponents."""

    def maximizer_objective(self, opponents: Mixture, batch: Any) -> Objective:
        """Returns what the second player descends against a mixture of opponents."""

    def project_minimizer(self, player: Player) -> Player:
        """Returns the nearest first player that is allowed."""

    def project_maximizer(self, player: Player) -> Player:
        """Returns the nearest second player that is allowed."""


class Game:
    """A two-player game given by its value function.

    The first player ``u`` minimises and the second player ``v`` maximises M(u, v).
    Every scheme, best-response search and gap of `keras_gamegan.games` takes a game;
    the Keras models hand the same functions a game made of networks.

    Mathematics: a pair (u*, v*) is a (pure) Nash equilibrium if

        M(u*, v) <= M(u*, v*) <= M(u, v*)    for all u, v.

    A game need not be zero-sum in its losses: a non-saturating GAN ranks generators
    as M does but descends another function. `minimizer_loss_fn` and
    `maximizer_loss_fn` say what each player descends; the value stays M.

    Args:
        value_fn: Function ``(u, v) -> scalar tensor``. ``u`` and ``v`` are tensors or
            nested structures of them, float32 or float64. When a batch is handed to
            the game it is called as ``value_fn(u, v, batch)``.
        minimizer_loss_fn: Same signature; what the first player descends. Default: M.
        maximizer_loss_fn: Same signature; what the second player descends.
            Default: -M.
        start: Pair (u0, v0), the customary starting point, if there is one.
        equilibrium: Pair (u*, v*), a known Nash equilibrium, if there is one.
        name: Name for pictures and messages. Default: the value function's name.

    Raises:
        TypeError: If one of the functions is not callable.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.Game(lambda u, v: u * v)
        >>> float(game.value(2.0, 3.0))
        6.0

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
    """

    # Whether the value in the outcome of `minimizer_objective`, and in that of
    # `maximizer_objective`, is exactly that of `value`.
    exact_minimizer_value = True
    exact_maximizer_value = True

    def __init__(
        self,
        value_fn: ValueFn,
        *,
        minimizer_loss_fn: ValueFn | None = None,
        maximizer_loss_fn: ValueFn | None = None,
        start: Sequence[Structure] | None = None,
        equilibrium: Sequence[Structure] | None = None,
        name: str | None = None,
    ) -> None:
        functions = {
            "value_fn": value_fn,
            "minimizer_loss_fn": minimizer_loss_fn,
            "maximizer_loss_fn": maximizer_loss_fn,
        }
        for argument, function in functions.items():
            optional = argument != "value_fn"
            if not callable(function) and not (optional and function is None):
                raise TypeError(
                    f"`{argument}` must be a function (u, v) -> scalar. "
                    f"Received: {argument}={function!r}. Pass a function or a lambda."
                )
        self._value_fn = value_fn
        self._minimizer_loss_fn = minimizer_loss_fn
        self._maximizer_loss_fn = maximizer_loss_fn
        self.start = start
        self.equilibrium = equilibrium
        self.name = name or getattr(value_fn, "__name__", type(value_fn).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    def value(self, u: Structure, v: Structure, batch: Any = None) -> tf.Tensor:
        """Returns M(u, v), a scalar tensor.

        Args:
            u: The minimising player: a `Player`, a tensor or a nested structure.
            v: The maximising player, likewise.
            batch: Handed on to the value function unless None.

        Returns:
            A scalar tensor of the players' dtype.
        """
        return _evaluate(self._value_fn, u, v, batch)

    def minimizer_objective(
        self, opponents: Mixture, batch: Any = None, with_value: bool = False
    ) -> Objective:
        """Returns what the first player descends against a mixture of opponents.

        Whatever depends on the opponents and the batch alone is computed here, once,
        however often the objective is then evaluated.

        Args:
            opponents: `Mixture` of maximising players.
            batch: Handed on to the loss function unless None.
            with_value: Whether the outcome must carry the value even where the loss
                does not need it. Default: False.

        Returns:
            A function ``Player -> Outcome``: the mean of the losses (not the loss of a
            mean opponent).
        """
        del with_value

        def objective(u: Player) -> Outcome:
            pairs = [(u, v) for v in opponents.members]
            value = self._mean(self._value_fn, pairs, opponents, batch)
            if self._minimizer_loss_fn is None:
                return Outcome(value, u, value)
            return Outcome(
                self._mean(self._minimizer_loss_fn, pairs, opponents, batch), u, value
            )

        return objective

    def maximizer_objective(self, opponents: Mixture, batch: Any = None) -> Objective:
        """Returns what the second player descends against a mixture of opponents.

        Args:
            opponents: `Mixture` of minimising players.
            batch: Handed on to the loss function unless None.

        Returns:
            A function ``Player -> Outcome``.
        """

        def objective(v: Player) -> Outcome:
            pairs = [(u, v) for u in opponents.members]
            value = self._mean(self._value_fn, pairs, opponents, batch)
            if self._maximizer_loss_fn is None:
                return Outcome(-value, v, value)
            return Outcome(
                self._mean(self._maximizer_loss_fn, pairs, opponents, batch), v, value
            )

        return objective

    def project_minimizer(self, player: Player) -> Player:
        """Returns the nearest first player that is allowed; here all are."""
        return player

    def project_maximizer(self, player: Player) -> Player:
        """Returns the nearest second player that is allowed; here all are."""
        return player

    def _mean(
        self,
        function: ValueFn,
        pairs: Sequence[tuple[Player, Player]],
        opponents: Mixture,
        batch: Any,
    ) -> tf.Tensor:
        results = [_evaluate(function, u, v, batch) for u, v in pairs]
        return structures.weighted_mean(results, opponents.probabilities)


def _evaluate(function: ValueFn, u: Structure, v: Structure, batch: Any) -> tf.Tensor:
    u = structures.as_player(u).weights
    v = structures.as_player(v).weights
    result = function(u, v) if batch is None else function(u, v, batch)
    result = tf.convert_to_tensor(result)
    if result.shape.rank not in (0, None):
        raise ValueError(
            "The value function of a game must return a scalar. "
            f"Received: a tensor of shape {result.shape}. Reduce it to its mean, "
            "for instance with tf.reduce_mean."
        )
    return result
