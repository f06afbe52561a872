"""What a scheme carries from step to step, as non-trainable variables of a model."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import keras
import tensorflow as tf

from keras_gamegan import history, stateless_network, variable_store
from keras_gamegan.distribution import replicas
from keras_gamegan.games import schemes, structures
from keras_gamegan.games.schemes import histories
from keras_gamegan.history import settings as history_settings

Networks: TypeAlias = tuple[
    stateless_network.StatelessNetwork, stateless_network.StatelessNetwork
]
Bank: TypeAlias = history.WeightBank | None
Banks: TypeAlias = tuple[Bank, Bank]


@keras.saving.register_keras_serializable(package="keras_gamegan")
class SchemeState(variable_store.VariableStore):
    """Keeps the `schemes.State` of a scheme between the steps of a model.

    What is computed with it is the scheme's; here it is only kept: in the dtype that
    the scheme gives it, the same on every replica. The number of steps is the model's,
    and histories are kept in banks.

    Args:
        scheme: A `schemes.Scheme`.
        names: What the minimiser and the maximiser are called.
        networks: Their `StatelessNetwork`.
        banks: Their `WeightBank`, or None.
        name: Layer name.

    Raises:
        TypeError: If the scheme's first state is no `schemes.State` of tensors.
    """

    def __init__(
        self,
        scheme: schemes.Scheme,
        names: tuple[str, str],
        networks: Networks,
        banks: Banks,
        name: str = "scheme_state",
    ) -> None:
        super().__init__(name=name)
        self._scheme = scheme
        self._networks = dict(zip(names, networks, strict=True))
        self._pair = lambda: networks
        # In a function: Keras would look for layers in an attribute.
        self._banks = lambda: banks
        self.refresh()
        self.built = True

    def refresh(self) -> None:
        """Begins to keep what weights that have become trainable need."""
        state = _first(self._scheme, self._pair(), self.banks)
        for key, network, weight, value in self._entries(state):
            if self.kept(key, weight) is None:
                dtype = value.dtype.name
                self.keep(key, value.shape, dtype, network, weight).assign(value)
        template = tf.nest.map_structure(lambda value: None, state)
        # In a function: Keras would look for variables in an attribute.
        self._template = lambda: template

    @property
    def banks(self) -> Banks:
        """Banks of the minimiser's and the maximiser's history, None without one."""
        return self._banks()

    def make_room(self, key: str, place: int) -> None:
        """Makes the slot of a weight that is frozen here, but not in a file."""
        for name, network in self._networks.items():
            if key.startswith(f"{name}_") and place < len(network.stored_variables):
                weight = network.stored_variables[place]
                self.keep(key, weight.shape, weight.dtype, network, weight)

    def read(self, step: Any) -> schemes.State:
        """Returns the state after so many steps.

        Args:
            step: int64 scalar, the steps taken so far.
        """

        def value(key: str, weight: Any = None) -> tf.Tensor:
            return tf.convert_to_tensor(self.kept(key, weight))

        def filled(key: str, part: Any, network: Any) -> Any:
            if isinstance(part, structures.Player):
                variables = network.variables
                return network.pack({id(v): value(key, v) for v in variables})
            if isinstance(part, list):
                return [value(key, weight) for weight in network.weight_variables]
            if isinstance(part, tuple):
                return tuple(filled(k, p, network) for k, p in _parts(key, part))
            return value(key)

        template = self._template()
        own = {name: value(f"own_{name}") for name in template.own}
        sides = (
            {
                name: filled(f"{side}_{name}", part, network)
                for name, part in dict(parts).items()
            }
            for (side, network), parts in zip(
                self._networks.items(), (template.u, template.v), strict=True
            )
        )
        return _with_banks(schemes.State(step, own, *sides), self.banks)

    def write(self, state: Any, share: replicas.Share, forgiving: bool = False) -> None:
        """Writes a state.

        Args:
            state: A `schemes.State`, but for its number of steps.
            share: This replica's `distribution.replicas.Share` of the batch. What a
                forward pass moved on each replica (BatchNorm statistics) is averaged.
            forgiving: Whether a state with numbers that are not finite is left out, as
                loss scaling leaves out a step.

        Raises:
            TypeError: If the state is not made up as the scheme's first one.
        """
        state = _recorded(state, self.banks)
        _check_same(self._scheme, self._template(), state)
        entries = list(self._entries(_averaged(state, share)))
        values = [value for *_, value in entries]
        if forgiving:
            floating = [value for value in values if value.dtype.is_floating]
            fine = tf.reduce_all(
                [tf.reduce_all(tf.math.is_finite(value)) for value in floating]
            )
            values = [
                tf.where(fine, value, tf.convert_to_tensor(self.kept(key, weight)))
                for (key, _, weight, _), value in zip(entries, values, strict=True)
            ]
        for (key, _, weight, _), value in zip(entries, values, strict=True):
            self.kept(key, weight).assign(value)

    def _entries(self, state: schemes.State) -> Iterator[tuple]:
        """Yields (key, network, weight, value) of everything that is kept, in order."""

        def entries(key: str, part: Any, network: Any) -> Iterator[tuple]:
            if isinstance(part, structures.Player):
                values = network.unpack(part)
                for weight in network.stored_variables:
                    yield key, network, weight, values[id(weight)]
            elif isinstance(part, list):
                for weight, value in zip(network.weight_variables, part, strict=True):
                    yield key, network, weight, value
            elif isinstance(part, tuple):
                for name, each in _parts(key, part):
                    yield from entries(name, each, network)
            else:
                yield key, None, None, part

        for name, value in dict(state.own).items():
            yield f"own_{name}", None, None, value
        # By name, then by side: the order of the files of version 0.1.
        for name in dict.fromkeys([*state.u, *state.v]):
            for (side, network), parts in zip(
                self._networks.items(), (state.u, state.v), strict=True
            ):
                if name in parts:
                    yield from entries(f"{side}_{name}", parts[name], network)


class NoState:
    """Stands for the state of a scheme that carries no tensor from step to step.

    Args:
        banks: As in `SchemeState`.
    """

    def __init__(self, banks: Banks) -> None:
        # In a function: Keras would look for layers in an attribute.
        self._banks = lambda: banks

    @property
    def banks(self) -> Banks:
        """As in `SchemeState`."""
        return self._banks()

    def read(self, step: Any) -> schemes.State:
        """Returns the state after so many steps."""
        return _with_banks(schemes.State(step), self.banks)

    def write(self, state: Any, share: replicas.Share, forgiving: bool = False) -> None:
        """Writes the histories."""
        _recorded(state, self.banks)


def keep(
    scheme: schemes.Scheme, names: tuple[str, str], networks: Networks
) -> SchemeState | NoState:
    """Returns what keeps a scheme's state, and its banks.

    Args:
        scheme: A `schemes.Scheme`.
        names: What the minimiser and the maximiser are called.
        networks: Their `StatelessNetwork`.
    """
    banks = _make_banks(scheme, names, networks)
    if not any(_first(scheme, networks, banks)[1:]):
        return NoState(banks)
    return SchemeState(scheme, names, networks, banks)


class _BankHistory(NamedTuple):
    """A bank as a scheme's history: what is recorded is written with the state.

    Attributes:
        bank: A `WeightBank`.
        recorded: `Player` to be written, or None.
    """

    bank: history.WeightBank
    recorded: structures.Player | None = None

    def mixture(self, current: structures.Player) -> structures.Mixture:
        """Returns the `Mixture` to be answered."""
        return self.bank.mixture(current)

    def record(self, player: structures.Player) -> "_BankHistory":
        """Returns the history with the live player stored."""
        return self._replace(recorded=player)


def _make_banks(
    scheme: schemes.Scheme, names: tuple[str, str], networks: Networks
) -> Banks:
    """Returns the banks of both players' histories, None for a side without one."""
    settings = scheme.history
    if settings is None:
        return None, None
    if not isinstance(settings, history.History):
        raise TypeError(
            "A model keeps histories in banks: `history` must be a kgg.History. "
            f"Received: {settings!r} in {scheme!r}. Pass, for instance, "
            "kgg.History(capacity=5, interval=100)."
        )
    banks = (
        history.WeightBank(
            network,
            settings,
            mixture=scheme.mixture,
            seed=history_settings.side_seed(getattr(scheme, "seed", 0), index),
            name=f"{names[index]}_bank",
        )
        if is_kept
        else None
        for index, (is_kept, network) in enumerate(
            zip(settings.sides, networks, strict=True)
        )
    )
    return tuple(banks)  # type: ignore[return-value]


def _histories(banks: Banks) -> histories.Pair:
    of_u, of_v = (None if bank is None else _BankHistory(bank) for bank in banks)
    return of_u, of_v


def _with_banks(state: schemes.State, banks: Banks) -> schemes.State:
    if not any(banks):
        return state
    return histories.with_histories(state, _histories(banks))


def _recorded(state: Any, banks: Banks) -> Any:
    """Returns a state without its histories, which are written to their banks."""
    if not any(banks):
        return state
    for past in histories.of_state(state):
        if isinstance(past, _BankHistory) and past.recorded is not None:
            past.bank.record(past.recorded)
    return histories.without(state)


def _parts(key: str, part: tuple) -> list[tuple]:
    return [(f"{key}_{index}", each) for index, each in enumerate(part)]


def _averaged(state: schemes.State, share: replicas.Share) -> schemes.State:
    """Returns the state whose players' own states are the same on every replica."""
    if replicas.num_replicas() == 1:
        return state

    def is_player(part: Any) -> bool:
        return isinstance(part, structures.Player)

    moved = [
        player.state
        for parts in (state.u, state.v)
        for player in dict(parts).values()
        if is_player(player)
    ]
    means = replicas.mean_over_replicas(tf.nest.flatten(moved), share)
    left = iter(tf.nest.pack_sequence_as(moved, means))
    sides = (
        {
            name: part._replace(state=next(left)) if is_player(part) else part
            for name, part in dict(parts).items()
        }
        for parts in (state.u, state.v)
    )
    return schemes.State(state.step, state.own, *sides)


def _check_same(scheme: schemes.Scheme, first: schemes.State, state: Any) -> None:
    """Raises if a step returns a state that is not made up as the first one."""
    try:
        made = [[dict(part) for part in each[1:]] for each in (first, state)]
        tf.nest.assert_same_structure(*made)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "A step must return a state that is made up as the one of `initial_state`, "
            "for instance state.after_step(u=...). Received: another one from "
            f"{scheme!r}, {type(state).__name__}."
        ) from error


def _first(scheme: schemes.Scheme, networks: Networks, banks: Banks) -> schemes.State:
    """Returns a scheme's state before the first step, if a model can keep it."""
    players = [network.player() for network in networks]
    state: Any
    if any(banks):
        state = scheme.initial_state(*players, _histories(banks))  # type: ignore[call-arg]
        state = histories.without(state)
    else:
        state = scheme.initial_state(*players)
    if isinstance(state, tuple) and not state:
        return schemes.State(0)
    fits = isinstance(state, schemes.State) and all(
        isinstance(part, dict) or (isinstance(part, tuple) and not part)
        for part in state[1:]
    )
    if fits and all(tf.is_tensor(leaf) for leaf in tf.nest.flatten(state[1:])):
        return state
    raise TypeError(
        "A model keeps a scheme's state in variables: `initial_state` must return a "
        "kgg.games.schemes.State whose own, u and v are dictionaries of tensors. "
        f"Received: {state!r} from {scheme!r}."
    )
