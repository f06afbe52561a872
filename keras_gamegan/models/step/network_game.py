"""Two networks that play a value function of the user's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gamegan.games import game, randomness, structures
from keras_gamegan.models.step import batch as batches
from keras_gamegan.models.step import guard
from keras_gamegan.stateless_network import StatelessNetwork
from keras_gamegan.typing import Structure


class Functions(NamedTuple):
    """What a user's game says of a batch: functions of two callables and a batch.

    Attributes:
        value: M for each example.
        minimizer_loss: What the minimiser descends; None: M.
        maximizer_loss: What the maximiser descends; None: -M.
    """

    value: Callable[..., Any]
    minimizer_loss: Callable[..., Any] | None = None
    maximizer_loss: Callable[..., Any] | None = None


def functions_of(game: Any) -> Functions:
    """Returns the `Functions` of a function, or of an object with methods.

    Args:
        game: Function ``value(minimizer, maximizer, batch)``, or an object with such a
            method and, if the players descend other losses, `minimizer_loss` and
            `maximizer_loss`.

    Raises:
        TypeError: If it is neither.
    """
    if not isinstance(game, type):
        value = getattr(game, "value", None)
        if callable(value):
            losses = (
                getattr(game, name, None)
                for name in ("minimizer_loss", "maximizer_loss")
            )
            return Functions(value, *losses)
        if callable(game):
            return Functions(game)
    raise TypeError(
        "`game` must be a function value(minimizer, maximizer, batch), or an object "
        f"with such a method. Received: game={game!r}. Return one number for each "
        "example, for instance tf.square(minimizer(x) - maximizer(x))[:, 0]."
    )


class PlayerFunction:
    """A player as the function that a game calls: inputs -> outputs.

    In training mode what one call moves (BatchNorm statistics) is what the next one
    starts from.

    Args:
        network: The player's `StatelessNetwork`.
        player: The `Player`.
        training: Whether it is being updated: training mode. A frozen player is a fixed
            function.
        stream: Random stream of Dropout and the like.
    """

    def __init__(
        self,
        network: StatelessNetwork,
        player: structures.Player,
        training: bool,
        stream: tf.Tensor,
    ) -> None:
        self._network = network
        self._training = training
        self._stream = stream
        self._number_of_calls = 0
        self.player = player
        self.regularization: tf.Tensor | None = None

    def __call__(self, inputs: Structure) -> Structure:
        """Returns what the network makes of the inputs, with this player's weights."""
        stream = self._stream
        if self._number_of_calls:
            stream = randomness.fold(stream, self._number_of_calls)
        outputs, moved, losses = self._network.apply(
            self.player, inputs, self._training, stream
        )
        if self._training:
            self.player = moved
            self._add(losses)
        self._number_of_calls += 1
        return outputs

    def _add(self, losses: tf.Tensor | None) -> None:
        """Adds a call's regularisation: of its activities, and once of the weights."""
        if losses is None:
            return
        if self.regularization is None:
            self.regularization = losses
        else:
            of_weights = self._network.weight_regularization(self.player)
            self.regularization += losses - tf.cast(of_weights, losses.dtype)


class NetworkGame:
    """Two networks that play the value of a `Functions`.

    Only the player that is being updated runs in training mode. A frozen opponent, be
    it the live one, a worst case or a stored one, is a fixed function.

    Args:
        minimizer: `StatelessNetwork` of the minimiser.
        maximizer: `StatelessNetwork` of the maximiser.
        functions: `Functions`.
    """

    def __init__(
        self,
        minimizer: StatelessNetwork,
        maximizer: StatelessNetwork,
        functions: Functions,
    ) -> None:
        self._networks = minimizer, maximizer
        self._functions = functions

    @property
    def exact_minimizer_value(self) -> bool:
        """Whether the minimiser's training mode computes the value of inference."""
        return not self._networks[0].has_modes

    @property
    def exact_maximizer_value(self) -> bool:
        """Whether the maximiser's training mode computes that value."""
        return not self._networks[1].has_modes

    def minimizer_objective(
        self,
        opponents: structures.Mixture,
        batch: batches.Batch,
        with_value: bool = False,
    ) -> Callable[[structures.Player], game.Outcome]:
        """Returns what the minimiser descends against a mixture of maximisers."""
        return lambda u: self._outcome(0, u, opponents, batch, with_value)

    def maximizer_objective(
        self, opponents: structures.Mixture, batch: batches.Batch
    ) -> Callable[[structures.Player], game.Outcome]:
        """Returns what the maximiser descends against a mixture of minimisers."""
        return lambda v: self._outcome(1, v, opponents, batch, True)

    def project_minimizer(self, player: structures.Player) -> structures.Player:
        """Returns the minimiser within its weights' Keras constraints."""
        return self._networks[0].constrained(player)

    def project_maximizer(self, player: structures.Player) -> structures.Player:
        """Returns the maximiser within its weights' Keras constraints."""
        return self._networks[1].constrained(player)

    def values(
        self, u: structures.Player, v: structures.Player, batch: batches.Batch
    ) -> tf.Tensor:
        """Returns the value of each example (n,), both players in inference mode."""
        players = self._frozen(0, u, batch), self._frozen(1, v, batch)
        values = self._functions.value(*players, batch.examples)
        return _per_example("value", values, batch)

    def value(
        self, u: structures.Player, v: structures.Player, batch: batches.Batch
    ) -> tf.Tensor:
        """Returns this replica's part of M(u, v), both players in inference mode."""
        return batch.mean(self.values(u, v, batch))

    def losses(
        self, u: structures.Player, v: structures.Player, batch: batches.Batch
    ) -> dict[str, tf.Tensor]:
        """Returns this replica's parts of what is reported, both in inference mode."""
        value = self.value(u, v, batch)
        players = self._frozen(0, u, batch), self._frozen(1, v, batch)
        told = {"value": value, "minimizer_loss": value, "maximizer_loss": -value}
        for name in ("minimizer_loss", "maximizer_loss"):
            function = getattr(self._functions, name)
            if function is not None:
                told[name] = _mean(name, function(*players, batch.examples), batch)
        return told

    def _frozen(
        self, side: int, player: structures.Player, batch: batches.Batch
    ) -> PlayerFunction:
        stream = batch.network_stream(side)
        return PlayerFunction(self._networks[side], player, False, stream)

    def _outcome(
        self,
        side: int,
        player: structures.Player,
        opponents: structures.Mixture,
        batch: batches.Batch,
        with_value: bool,
    ) -> game.Outcome:
        """Returns the outcome of one side's loss: 0 the minimiser's, 1 the other's."""
        runs = [
            self._against(side, player, opponent, part, with_value)
            for opponent, part in zip(
                opponents.members, batch.dealt_to(opponents), strict=True
            )
        ]
        losses, values, functions = zip(*runs, strict=True)
        probabilities = opponents.probabilities if len(runs) > 1 else None
        # The parts of slices sum to the mean over the batch.
        number = len(runs) if opponents.sliced else 1
        loss = number * structures.weighted_mean(losses, probabilities)
        regularization = [each.regularization for each in functions]
        if regularization[0] is not None:
            loss += batch.part(structures.weighted_mean(regularization, probabilities))
        value = None
        if with_value:
            value = number * structures.weighted_mean(values, probabilities)
        moved = [each.player for each in functions]
        return game.Outcome(loss, _mean_player(moved, player, probabilities), value)

    def _against(
        self,
        side: int,
        player: structures.Player,
        opponent: structures.Player,
        batch: batches.Batch,
        with_value: bool,
    ) -> tuple[tf.Tensor, tf.Tensor | None, PlayerFunction]:
        """Returns (loss, value or None, the player's function) against one opponent."""
        stream = batch.network_stream(side)
        mine = PlayerFunction(self._networks[side], player, True, stream)
        name = ("minimizer_loss", "maximizer_loss")[side]
        function = getattr(self._functions, name)

        def mean(name: str, function: Callable[..., Any], own: Any) -> tf.Tensor:
            other = self._frozen(1 - side, opponent, batch)
            pair = (own, other) if side == 0 else (other, own)
            return _mean(name, function(*pair, batch.examples), batch)

        if function is None:
            value = mean("value", self._functions.value, mine)
            return (value if side == 0 else -value), value, mine
        loss, value = mean(name, function, mine), None
        if with_value:
            # Beside the loss: it moves nothing, and is regularised by nothing.
            again = PlayerFunction(self._networks[side], player, True, stream)
            value = mean("value", self._functions.value, again)
        return loss, value, mine


def _mean(name: str, values: Any, batch: batches.Batch) -> tf.Tensor:
    """Returns this replica's part of the mean of what a user's function returned."""
    return batch.mean(_per_example(name, values, batch))


def _per_example(name: str, values: Any, batch: batches.Batch) -> tf.Tensor:
    """Returns what a user's function returned, known to be a number an example."""
    # Not the share's size: a slice has fewer.
    first = next(x for x in tf.nest.flatten(batch.examples) if x is not None)
    size = first.shape[0]
    expected = (
        f"The {name} of a game must be one floating number for each example, of shape "
        "(n,): the mean is taken over the whole batch, on all replicas."
    )
    try:
        values = tf.convert_to_tensor(values)
    except (TypeError, ValueError) as error:
        hint = "Return it." if values is None else "Return one tensor."
        raise TypeError(
            f"{expected} Received: {values!r} (of type {type(values).__name__}). {hint}"
        ) from error
    if not values.dtype.is_floating:
        raise TypeError(
            f"{expected} Received: numbers of dtype {values.dtype.name}. Compute it of "
            "the networks' outputs, and cast what is not."
        )
    if values.shape.rank != 1:
        hint = "Leave out the mean over the batch."
        if values.shape.rank:
            hint = "Take the mean or the sum over the other axes: axis=-1, or [:, 0]."
        raise ValueError(f"{expected} Received: shape {values.shape}. {hint}")
    given = values.shape[0]
    if size is not None and given is not None:
        if given != size:
            raise ValueError(
                f"{expected} Received: {given} numbers for a batch of {size} examples. "
                "Where an example has several, take their mean."
            )
    else:
        found = tf.shape(values)[0]
        found = guard.require(
            tf.equal(found, tf.shape(first)[0]),
            f"{expected} Received: not as many numbers as the batch has examples, but",
            found,
        )
        with tf.control_dependencies([found]):
            values = tf.identity(values)
    return values


def _mean_player(
    moved: list[structures.Player],
    before: structures.Player,
    probabilities: tf.Tensor | None,
) -> structures.Player:
    """Returns the mean of what passes against several opponents have moved."""

    def mean(old: tf.Tensor, *new: tf.Tensor) -> tf.Tensor:
        if all(each is new[0] for each in new) or not old.dtype.is_floating:
            return new[0]
        return structures.weighted_mean(list(new), probabilities)

    leaves = [tf.nest.flatten(each) for each in (before, *moved)]
    return tf.nest.pack_sequence_as(
        before, [mean(*each) for each in zip(*leaves, strict=True)]
    )
