"""How gradients move networks: the user's Keras optimizers, behind a guard."""

import operator
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gamegan.distribution import replicas
from keras_gamegan.games import structures
from keras_gamegan.games.structures import Player
from keras_gamegan.games.updates import Update
from keras_gamegan.models.step import plain_optimizers
from keras_gamegan.models.step.guard import StepGuard
from keras_gamegan.stateless_network import StatelessNetwork
from keras_gamegan.typing import Structure


class OptimizerStepper:
    """Moves both networks with Keras optimizers; the schemes' stepper for models.

    Args:
        names: What the minimiser and the maximiser are called.
        networks: Their `StatelessNetwork`.
        optimizers: Their built Keras optimizers.
        players: Pair (u, v) of `Player` as read at the beginning of the step.
        guard: The step's `guard.StepGuard`.
        share: This replica's `distribution.replicas.Share` of the batch.
    """

    def __init__(
        self,
        names: tuple[str, str],
        networks: Sequence[StatelessNetwork],
        optimizers: Sequence[keras.Optimizer],
        players: tuple[Player, Player],
        guard: StepGuard,
        share: replicas.Share,
    ) -> None:
        self._names = names
        self._networks = dict(zip(names, networks, strict=True))
        self._optimizers = dict(zip(names, optimizers, strict=True))
        self._read = dict(zip(names, players, strict=True))
        self._guard = guard
        self._share = share
        # Whose weights need not be looked at when they are written.
        self._finite = {
            name
            for name, network in self._networks.items()
            if plain_optimizers.stays_finite(
                self._optimizers[name], network.weight_variables
            )
        }
        self.minimizer_scale, self.maximizer_scale = map(loss_scale, optimizers)
        self.minimizer_missing, self.maximizer_missing = map(
            MissingGradients, names, networks
        )

    @property
    def search_options(self) -> dict[str, Any]:
        """How a best-response search runs here: see `games.search.search`."""
        several = replicas.num_replicas() > 1
        return {
            # An all-reduce cannot run inside a loop of the graph.
            "unroll": several,
            "reduce_gradients": self._sum_over_replicas if several else None,
            "loss_scales": list(self._scales),
        }

    def minimizer(self, player: Player, gradient: Structure) -> Player:
        """Applies the minimiser's optimizer and returns the moved minimiser."""
        return self._move(self._names[0], player, gradient)

    def maximizer(self, player: Player, gradient: Structure) -> Player:
        """Applies the maximiser's optimizer and returns the moved maximiser."""
        return self._move(self._names[1], player, gradient)

    def minimizer_trial(self, player: Player, gradient: Structure) -> Player:
        """Returns where the minimiser's optimizer leads; the minimiser stays."""
        return self._try(self._names[0], player, gradient)

    def maximizer_trial(self, player: Player, gradient: Structure) -> Player:
        """Returns where the maximiser's optimizer leads; the maximiser stays."""
        return self._try(self._names[1], player, gradient)

    def rules(self) -> list[tuple[Update, Structure]]:
        """Returns the pure rule of each player's optimizer, and its state now.

        Raises:
            ValueError: If an optimizer is no plain Adam or SGD.
        """
        return [
            plain_optimizers.rule_of(name, self._optimizers[name], network)
            for name, network in self._networks.items()
        ]

    def exact(self, gradients: tuple) -> tuple:
        """Returns the gradients of both players, unscaled and summed over replicas."""
        _check_pair("exact", gradients)
        unscaled = [
            _scaled(gradient, None if scale is None else 1.0 / scale)
            for gradient, scale in zip(gradients, self._scales, strict=True)
        ]
        if replicas.num_replicas() > 1:
            unscaled = self._sum_over_replicas(unscaled)
        return tuple(unscaled)

    def handed(self, gradients: tuple) -> tuple:
        """Returns exact gradients scaled, this replica's part of a sum."""
        _check_pair("handed", gradients)
        scales = self._scales
        if replicas.num_replicas() > 1:
            # By the size of the shares: of an empty one nothing counts.
            part = tf.cast(self._share.local_size / self._share.size, tf.float64)
            scales = tuple(
                part if scale is None else part * tf.cast(scale, tf.float64)
                for scale in scales
            )
        return tuple(
            _scaled(gradient, scale)
            for gradient, scale in zip(gradients, scales, strict=True)
        )

    def settle(self, u: Player, v: Player) -> tuple[Player, Player]:
        """Makes the networks what a scheme returned, where that is something else.

        Returns:
            The pair of `Player`.
        """
        of_u, of_v = self._names
        settled = self._settle(of_u, u), self._settle(of_v, v)
        written = dict(zip(self._names, settled, strict=True))
        self._guard.check_updates(
            {name: each for name, each in written.items() if name not in self._finite}
        )
        return settled

    @property
    def forgiving(self) -> bool:
        """Whether a step that overflows is left out, as loss scaling does."""
        return any(scale is not None for scale in self._scales)

    @property
    def _scales(self) -> tuple:
        return self.minimizer_scale, self.maximizer_scale

    def _settle(self, name: str, player: Player) -> Player:
        before = self._read[name]
        new, old = tf.nest.flatten(player), tf.nest.flatten(before)
        if len(new) == len(old) and all(map(operator.is_, new, old)):
            return before
        network = self._networks[name]
        _check_fits(name, network, player, before)
        player = self._guard.check_update(name, [], player, before, scaled=False)
        self._guard.keep(_written(network, player, before))
        self._guard.run(lambda: network.assign(player, before=before))
        self._read[name] = player
        return player

    def _try(self, name: str, player: Player, gradient: Structure) -> Player:
        before = self._read[name]
        moved = self._move(name, player, gradient)
        network = self._networks[name]
        self._guard.run(lambda: network.assign(before, before=moved))
        self._read[name] = before
        return moved

    def _sum_over_replicas(self, gradients: Structure) -> Structure:
        return replicas.sum_over_replicas(replicas.masked(gradients, self._share))

    def _averaged(self, player: Player, before: Player) -> Player:
        """Returns the player whose moved state is the same on every replica."""
        moved = [
            new is not old for new, old in zip(player.state, before.state, strict=True)
        ]
        values = [
            v for v, is_moved in zip(player.state, moved, strict=True) if is_moved
        ]
        means = iter(replicas.mean_over_replicas(values, self._share))
        state = [
            next(means) if is_moved else value
            for value, is_moved in zip(player.state, moved, strict=True)
        ]
        return player._replace(state=state)

    def _move(self, name: str, player: Player, gradient: Structure) -> Player:
        network, optimizer = self._networks[name], self._optimizers[name]
        if replicas.num_replicas() > 1:
            gradient = replicas.masked(gradient, self._share)
            player = self._averaged(player, self._read[name])
        before = self._read[name]
        scaled = loss_scale(optimizer) is not None
        rate = None
        if name in self._finite:
            rate = tf.cast(tf.convert_to_tensor(optimizer.learning_rate), tf.float32)
        player = self._guard.check_update(name, gradient, player, before, scaled, rate)
        self._guard.keep(_written(network, player, before))
        self._guard.keep((v, tf.convert_to_tensor(v)) for v in optimizer.variables)

        def write() -> None:
            network.assign(player, before=before)
            if network.weight_variables:
                plain_optimizers.apply(optimizer, gradient, network.weight_variables)

        self._guard.run(write)
        self._read[name] = network.player()
        return self._read[name]


def _check_pair(name: str, gradients: Any) -> None:
    """Raises if these are the gradients of one player only."""
    if len(gradients) != 2 or any(tf.is_tensor(each) for each in gradients):
        raise TypeError(
            f"`stepper.{name}` takes the gradients of both players, each a list with "
            f"a tensor a weight: stepper.{name}((of_u, of_v)). Received: "
            f"{len(gradients)} of {'tensors' if len(gradients) else 'nothing'}."
        )


def _check_fits(
    name: str, network: StatelessNetwork, player: Player, before: Player
) -> None:
    """Raises if a scheme returned tensors that are none of a network's."""
    for new, old in (
        (player.weights, before.weights),
        (player.state, before.state),
    ):
        if len(new) != len(old) or any(
            not tf.is_tensor(one)
            or one.dtype != other.dtype
            or not one.shape.is_compatible_with(other.shape)
            for one, other in zip(new, old, strict=False)
        ):
            raise ValueError(
                f"What a scheme returns of the {name} must be tensors of the shapes "
                f"and types that it has. Received: {_specifications(new)} instead of "
                f"{_specifications(old)} of {network.model.name!r}. Change them by "
                "TensorFlow's functions, one for each weight."
            )


def _specifications(tensors: Sequence) -> list[str]:
    return [
        f"{getattr(each, 'dtype', type(each).__name__)!s} "
        f"{tuple(getattr(each, 'shape', ()))}"
        for each in tensors
    ]


def _written(
    network: StatelessNetwork, player: Player, before: Player
) -> Iterator[tuple[keras.Variable, tf.Tensor]]:
    """Yields a network's variables that an update writes, and their values before."""
    old, new = network.unpack(before), network.unpack(player)
    weights = {id(variable) for variable in network.weight_variables}
    for variable in network.variables:
        place = id(variable)
        if place in weights or new[place] is not old[place]:
            yield variable, old[place]


def _scaled(gradient: Structure, factor: tf.Tensor | None) -> list[tf.Tensor]:
    """Returns dense gradients times a factor; as they are without one."""
    dense = [tf.convert_to_tensor(slope) for slope in gradient]
    return dense if factor is None else structures.scale(dense, factor)


def loss_scale(optimizer: keras.Optimizer) -> tf.Tensor | None:
    """Returns the factor the optimizer wants its loss scaled by, or None."""
    scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if not scaling and getattr(optimizer, "loss_scale_factor", None) is None:
        return None
    return optimizer.scale_loss(tf.constant(1.0))


class MissingGradients:
    """Raises if no weight of a player has a gradient, warns if some have none.

    Args:
        name: What the player is called.
        network: Its `StatelessNetwork`.
    """

    def __init__(self, name: str, network: StatelessNetwork) -> None:
        self._name = name
        self._network = network

    def __call__(self, missing: list[int]) -> None:
        """Says which weights have no gradient.

        Args:
            missing: Their numbers among the network's trainable weights.

        Raises:
            ValueError: If they are all.
        """
        variables = self._network.weight_variables
        if len(missing) == len(variables):
            raise ValueError(
                f"The loss of the {self._name} must depend on its weights, or it never "
                "moves. Received: no gradient for any of them. An argmax, a rounding, "
                "a cast to integers or a NumPy function cuts it off: use a "
                "differentiable stand-in (softmax, Gumbel-softmax, straight-through), "
                f"or freeze the player: {self._name}.trainable = False."
            )
        new = [i for i in missing if id(variables[i]) not in self._network.told]
        if not new:
            return
        self._network.told.update(id(variables[index]) for index in new)
        listed = ", ".join(repr(variables[index].path) for index in new)
        warnings.warn(
            f"The loss of the {self._name} does not depend on these weights, which "
            f"therefore stay as they are: {listed}. If that is meant, freeze or remove "
            "them.",
            UserWarning,
            stacklevel=2,
        )
