"""What a scheme is: one update of both players, as a pure function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from keras_gamegan import representation
from keras_gamegan.games import structures
from keras_gamegan.games.game import BatchFn, Outcome, TwoPlayerGame
from keras_gamegan.games.structures import Player
from keras_gamegan.games.updates import Update
from keras_gamegan.typing import Config, Structure


class State(NamedTuple):
    """What a scheme carries from step to step.

    A model keeps it in variables of its own, which are saved, restored and the same on
    every replica. What belongs to a player is told apart, because players have weights
    that can be frozen: in ``u`` and ``v``, a list has one tensor for each weight.

    Attributes:
        step: int64 scalar, steps taken so far.
        own: Dictionary of tensors that belong to no player. Default: (), none, as for
            the next two.
        u: Dictionary of what belongs to the minimiser: a `Player`, a structure like
            `Player.weights`, a tensor, or a tuple of these; as "history", a history.
        v: The same of the maximiser.

    Example:
        >>> import keras_gamegan as kgg
        >>> state = kgg.games.schemes.Optimistic().initial_state(
        ...     *kgg.games.schemes.players(1.0, 2.0)
        ... )
        >>> sorted(state.own), sorted(state.u)
        (['started'], ['gradient'])
    """

    step: tf.Tensor
    own: Any = ()
    u: Any = ()
    v: Any = ()

    def after_step(self, **changed: Any) -> "State":
        """Returns the state one step later, with these parts changed."""
        return self._replace(step=self.step + 1, **changed)


def first_state(**parts: Any) -> State:
    """Returns the `State` before the first step.

    Args:
        **parts: `own`, `u` and `v` of the state.

    Example:
        >>> import keras_gamegan as kgg
        >>> int(kgg.games.schemes.first_state(own={}).step)
        0
    """
    return State(tf.zeros((), tf.int64), **parts)


def next_state(state: Any) -> Any:
    """Returns the state one step later; what is no `State` as it is."""
    return state.after_step() if isinstance(state, State) else state


def players(u: Structure, v: Structure) -> tuple[Player, Player]:
    """Returns the two `Player` whose weights are structures of numbers.

    Example:
        >>> import keras_gamegan as kgg
        >>> u, v = kgg.games.schemes.players(1.0, [2.0, 3.0])
        >>> float(u.weights), len(v.weights)
        (1.0, 2)
    """
    return structures.as_player(u), structures.as_player(v)


class Step(NamedTuple):
    """What one step of a scheme gives back.

    Attributes:
        u: The minimising `Player` after the step.
        v: The maximising `Player` after the step.
        state: The scheme's own state (previous gradients, histories).
        report: Dictionary of scalars: "minimizer_loss", "maximizer_loss", "value", the
            details of the maximiser's outcome and the scheme's `log_names`.

    Example:
        >>> import keras_gamegan as kgg
        >>> step = kgg.games.schemes.Step(u=1.0, v=2.0, state=(), report={})
        >>> step.v
        2.0
    """

    u: Player
    v: Player
    state: Any
    report: dict[str, tf.Tensor]


class Stepper(Protocol):
    """Moves players by gradients: a descent rule, or the user's Keras optimizers.

    The contract of gradients: what `games.gradients` returns is scaled by the loss
    scale and is this replica's part of a sum; `minimizer`, `maximizer` and the two
    trials take such gradients. A scheme that consumes a gradient in a formula asks for
    the `exact` one, unscaled and summed over replicas, and hands a formula's result on
    through `handed`.

    Attributes:
        minimizer_scale: Loss scale of the minimiser, or None.
        maximizer_scale: Loss scale of the maximiser, or None.
        minimizer_missing: Told of the minimiser's weights without a gradient, or None.
        maximizer_missing: The same for the maximiser.
        search_options: Keyword arguments of `games.search.search`, or None.

    Example:
        >>> import keras_gamegan as kgg
        >>> class Signs(kgg.games.schemes.Simultaneous):
        ...     def step(self, game, u, v, state, stepper, batch_fn=None):
        ...         (out_u, grad_u), (out_v, grad_v) = (
        ...             kgg.games.schemes.simultaneous_gradients(
        ...                 game, u, v, stepper, batch_fn and batch_fn(0)
        ...             )
        ...         )
        ...         exact = stepper.exact((grad_u, grad_v))
        ...         signs = tf.nest.map_structure(tf.sign, exact)
        ...         grad_u, grad_v = stepper.handed(signs)
        ...         return kgg.games.schemes.Step(
        ...             stepper.minimizer(out_u.player, grad_u),
        ...             stepper.maximizer(out_v.player, grad_v),
        ...             state,
        ...             kgg.games.schemes.report(out_u, out_v),
        ...         )
        >>> import tensorflow as tf
        >>> result = kgg.games.solve(kgg.games.e4(), scheme=Signs(), max_iterations=3)
        >>> [round(float(x), 2) for x in result.trajectory[0] - result.trajectory[0][0]]
        [0.0, -0.05, -0.1, -0.15]
    """

    minimizer_scale: tf.Tensor | None
    maximizer_scale: tf.Tensor | None
    minimizer_missing: Callable[[list[int]], None] | None
    maximizer_missing: Callable[[list[int]], None] | None

    @property
    def search_options(self) -> Mapping[str, Any] | None:
        """Keyword arguments of `games.search.search`, or None."""

    def minimizer(self, player: Player, gradient: Structure) -> Player:
        """Returns the minimiser, one step from ``player``."""

    def maximizer(self, player: Player, gradient: Structure) -> Player:
        """Returns the maximiser, one step from ``player``."""

    def minimizer_trial(self, player: Player, gradient: Structure) -> Player:
        """Returns where `minimizer` would lead; the minimiser stays where it is."""

    def maximizer_trial(self, player: Player, gradient: Structure) -> Player:
        """Returns where `maximizer` would lead; the maximiser stays where it is."""

    def rules(self) -> Sequence[tuple[Update, Structure]]:
        """Returns the pure rule by which each player moves, and its state now."""

    def exact(self, gradients: tuple) -> tuple:
        """Returns the pair of gradients for use in a formula."""

    def handed(self, gradients: tuple) -> tuple:
        """Returns the pair of exact gradients as `minimizer` and `maximizer` want."""


class Scheme:
    """Turns players and a batch into updated players.

    A scheme owns no variables and knows nothing of Keras. It differentiates the game's
    losses and hands each gradient to a *stepper*, which moves the player: a pure
    descent rule in a closed-form game, the user's Keras optimizer in a model. The same
    scheme therefore trains a bilinear game and a GAN, and what its step returns is what
    the model becomes.

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

    # Names in the report that other schemes' reports lack.
    log_names: tuple[str, ...] = ()
    # In how many equal slices a step's batch is dealt out to its draws.
    num_shares = 1
    # The `kgg.History` of a scheme whose players remember their opponents' past, and
    # how it is answered; `initial_state` then takes histories that have begun.
    history: Any = None
    mixture = "sampled"

    def initial_state(self, u: Player, v: Player) -> Any:
        """Returns the scheme's `State` before the first step."""
        del u, v
        return first_state()

    def step(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: Stepper,
        batch_fn: BatchFn | None = None,
    ) -> Step:
        """Updates both players once.

        Args:
            game: A game (`minimizer_objective`, `maximizer_objective`).
            u: The minimising `Player`.
            v: The maximising `Player`.
            state: What `initial_state` or the last step returned.
            stepper: A `Stepper`.
            batch_fn: Function from the index of a draw within this step to a batch.
                Default: None, no batches.

        Returns:
            A `Step`.
        """
        raise TypeError(
            f"{type(self).__name__} is not a scheme yet: a subclass of Scheme must "
            "define step(game, u, v, state, stepper, batch_fn)."
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Scheme":
        """Returns the scheme that `get_config` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scheme) or type(self) is not type(other):
            return False
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return representation.short(self)


def check_step(scheme: Scheme, taken: Any) -> None:
    """Raises unless what a scheme's step returned is a `Step`."""
    if not isinstance(taken, Step):
        raise TypeError(
            "`step` of a scheme must return a kgg.games.schemes.Step(u, v, state, "
            f"report). Received: {taken!r} (of type {type(taken).__name__}) from "
            f"{type(scheme).__name__}."
        )
    missing = {"minimizer_loss", "maximizer_loss", "value"} - set(taken.report)
    if missing:
        raise ValueError(
            "The report of a scheme's step must have the losses of both players and "
            f"the value: schemes.report(of_u, of_v). Received: one of "
            f"{type(scheme).__name__} without {sorted(missing)}."
        )


def draw(batch_fn: BatchFn | None, index: int | tf.Tensor) -> Any:
    """Returns the batch of that draw, or None where the game has no batches."""
    return None if batch_fn is None else batch_fn(index)


def report(
    minimizer_outcome: Outcome, maximizer_outcome: Outcome, **more: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns a step's report, in which value and details are the maximiser's.

    Args:
        minimizer_outcome: `Outcome` of the minimiser's loss.
        maximizer_outcome: `Outcome` of the maximiser's loss.
        **more: The scheme's own scalars, by the names of its `log_names`.

    Example:
        >>> import keras_gamegan as kgg
        >>> from keras_gamegan.games import game
        >>> outcome = game.Outcome(loss=1.0, player=None, value=-1.0)
        >>> sorted(kgg.games.schemes.report(outcome, outcome))
        ['maximizer_loss', 'minimizer_loss', 'value']
    """
    return {
        "minimizer_loss": minimizer_outcome.loss,
        "maximizer_loss": maximizer_outcome.loss,
        "value": maximizer_outcome.value,
        **(maximizer_outcome.details or {}),
        **more,
    }
