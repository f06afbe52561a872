"""Worst players that live on from step to step, as non-trainable variables."""

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan import stateless, variable_store
from keras_gamegan.distribution import replicas
from keras_gamegan.games import best_response, structures


@keras.saving.register_keras_serializable(package="keras_gamegan")
class PersistentResponses(variable_store.VariableStore):
    """Keeps u_w, v_w and the state of their optimizers between the steps of a model.

    What is computed with them is `games.best_response`; here they are only kept: in
    the dtype of the networks' variables, the same on every replica.

    Args:
        generator: `StatelessNetwork` of the minimiser.
        discriminator: `StatelessNetwork` of the maximiser.
        response: A `BestResponse` with `start="persistent"`.
        name: Layer name.
    """

    def __init__(
        self,
        generator: stateless.StatelessNetwork,
        discriminator: stateless.StatelessNetwork,
        response: best_response.BestResponse,
        name: str = "persistent_responses",
    ) -> None:
        super().__init__(name=name)
        self._sides = (("generator", generator), ("discriminator", discriminator))
        self._response = response
        self.refresh()
        self.built = True

    def refresh(self) -> None:
        """Begins to keep what weights that have become trainable need."""
        players = [network.player() for _, network in self._sides]
        _, *initial = best_response.initial_state(self._response, *players)
        for key, network, weight, value in self._entries(*initial):
            if self.kept(key, weight) is None:
                dtype = value.dtype.name
                self.keep(key, value.shape, dtype, network, weight).assign(value)
        template = tf.nest.map_structure(lambda value: None, initial[1])
        # In a function: Keras would look for variables in an attribute.
        self._template = lambda: template

    def make_room(self, key: str, place: int) -> None:
        """Makes the slot of a weight that is frozen here, but not in a file."""
        for name, network in self._sides:
            if key.startswith(f"{name}_") and place < len(network.stored_variables):
                weight = network.stored_variables[place]
                self.keep(key, weight.shape, weight.dtype, network, weight)

    def read(self) -> list:
        """Returns [(u_w, v_w), (state of u_w's optimizer, state of v_w's)]."""

        def value(key, weight=None):
            return tf.convert_to_tensor(self.kept(key, weight))

        def filled(key, state, network):
            if isinstance(state, list):
                return [value(key, weight) for weight in network.weight_variables]
            if isinstance(state, tuple):
                return tuple(filled(*part, network) for part in _parts(key, state))
            return value(key)

        players = tuple(
            network.pack({id(v): value(f"{name}_player", v) for v in network.variables})
            for name, network in self._sides
        )
        states = tuple(
            filled(f"{name}_optimizer", state, network)
            for (name, network), state in zip(
                self._sides, self._template(), strict=True
            )
        )
        return [players, states]

    def write(self, players: tuple, optimizer_states: tuple, share: Any) -> None:
        """Writes players and optimizer states.

        Args:
            players: Pair (u_w, v_w) of `Player`.
            optimizer_states: Pair of the states of their optimizers.
            share: This replica's `distribution.replicas.Share` of the batch. What a
                forward pass moved on each replica (BatchNorm statistics) is averaged.
        """
        moved = tf.nest.flatten([player.state for player in players])
        means = tf.nest.pack_sequence_as(
            [player.state for player in players],
            replicas.mean_over_replicas(moved, share),
        )
        players = tuple(
            structures.Player(player.weights, state)
            for player, state in zip(players, means, strict=True)
        )
        for key, _, weight, value in self._entries(players, optimizer_states):
            self.kept(key, weight).assign(value)

    def _entries(self, players: Any, optimizer_states: Any) -> Iterator[tuple]:
        """Yields (key, network, weight, value) of everything that is kept, in order."""

        def slots(key, state, network):
            if isinstance(state, list):
                for weight, value in zip(network.weight_variables, state, strict=True):
                    yield key, network, weight, value
            elif isinstance(state, tuple):
                for part in _parts(key, state):
                    yield from slots(*part, network)
            else:
                yield key, None, None, state

        for (name, network), player in zip(self._sides, players, strict=True):
            values = network.unpack(player)
            for weight in network.stored_variables:
                yield f"{name}_player", network, weight, values[id(weight)]
        for (name, network), state in zip(self._sides, optimizer_states, strict=True):
            yield from slots(f"{name}_optimizer", state, network)


def _parts(key: str, state: tuple) -> list[tuple]:
    return [(f"{key}_{index}", part) for index, part in enumerate(state)]
