"""What schemes do with the histories of both players, which are part of their state."""

from typing import Any, Protocol, TypeAlias

from keras_gamegan import validation
from keras_gamegan.games import bookkeeping, structures
from keras_gamegan.games.schemes import scheme

_NAME = "history"


class PlayerHistory(Protocol):
    """What a scheme asks of a history of one player."""

    def mixture(self, current: structures.Player) -> structures.Mixture:
        """Returns the `Mixture` to be answered, the live player being ``current``."""

    def record(self, player: structures.Player) -> "PlayerHistory":
        """Returns the history with the live player stored."""


# Of the minimiser and of the maximiser; None: no history is kept of that side.
Pair: TypeAlias = tuple[PlayerHistory | None, PlayerHistory | None]


def check_mixture(mixture: str) -> str:
    """Returns how a mixture is answered, known to be one of these."""
    return validation.check_choice("mixture", mixture, bookkeeping.MIXTURES)


def of_state(state: Any) -> Pair:
    """Returns the histories of both players, None where there is none."""
    if not isinstance(state, scheme.State):
        return None, None
    return dict(state.u).get(_NAME), dict(state.v).get(_NAME)


def with_histories(state: scheme.State, begun: Pair) -> scheme.State:
    """Returns a state with the histories of both players, but for those that are None.

    Args:
        state: A `State`.
        begun: Pair of `PlayerHistory`.
    """
    sides = (
        dict(side) if past is None else {**dict(side), _NAME: past}
        for side, past in zip((state.u, state.v), begun, strict=True)
    )
    return state._replace(**dict(zip(("u", "v"), sides, strict=True)))


def without(state: scheme.State) -> scheme.State:
    """Returns a state without its histories."""
    sides = (
        {name: part for name, part in dict(side).items() if name != _NAME}
        for side in (state.u, state.v)
    )
    return state._replace(**dict(zip(("u", "v"), sides, strict=True)))


def opponent(
    state: Any, settings: Any, side: int, live: structures.Player
) -> structures.Mixture:
    """Returns what is answered of one side: the mixture of its past, or the live one.

    Args:
        state: A `State`.
        settings: The scheme's `kgg.History`, which says whose past is answered.
        side: 0, the minimiser's past; 1, the maximiser's.
        live: The live `Player` of that side.
    """
    past = of_state(state)[side]
    answered = getattr(settings, "answered_sides", (True, True))[side]
    return (
        past.mixture(live) if past is not None and answered else structures.pure(live)
    )


def recorded(
    state: scheme.State, u: structures.Player, v: structures.Player
) -> scheme.State:
    """Returns the state whose histories have the live players stored."""
    if not isinstance(state, scheme.State):
        return state
    return with_histories(
        state,
        tuple(  # type: ignore[arg-type]
            None if past is None else past.record(player)
            for past, player in zip(of_state(state), (u, v), strict=True)
        ),
    )


def deserialized(config: dict[str, Any]) -> dict[str, Any]:
    """Returns arguments of which `history` is an object, whatever form it had."""
    if not isinstance(config.get(_NAME), dict):
        return config
    # Files are read by Keras; a game that is played without one needs none.
    import keras

    return {**config, _NAME: keras.saving.deserialize_keras_object(config[_NAME])}
