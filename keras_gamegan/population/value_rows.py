"""The values of stored minimisers, row by row, each row's own work done once."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gamegan.games import structures
from keras_gamegan.models.step import adversarial_game
from keras_gamegan.models.step.batch import Batch
from keras_gamegan.models.step.network_game import NetworkGame


class GeneratedRows:
    """Rows of a GAN: what each generator makes; a discriminator sees real data once.

    Args:
        game: An `AdversarialGame`.
        player: Function from a slot to a generator's `Player`.
        slots: int64 (m,).
        batch: A `Batch`.
    """

    def __init__(
        self,
        game: adversarial_game.AdversarialGame,
        player: Callable[[tf.Tensor], structures.Player],
        slots: tf.Tensor,
        batch: Batch,
    ) -> None:
        self._game, self._batch = game, batch
        shape = game.generator.output.shape[1:]
        self.rows = tf.map_fn(
            lambda slot: game.generate(player(slot), batch, False)[0],
            slots,
            fn_output_signature=tf.TensorSpec(
                [None, *shape], batch.examples.real.dtype
            ),
        )

    def prepared(self, v: structures.Player) -> Any:
        """Returns a discriminator with its logits of the real data."""
        return v, self._logits(v, self._batch.examples.real)

    def against(self, prepared: Any, row: tf.Tensor) -> tf.Tensor:
        """Returns the value of every example (n,) of a row."""
        v, of_real = prepared
        values = self._game.payoff.pair_term(of_real, self._logits(v, row))
        return adversarial_game.per_example(values)

    def _logits(self, v: structures.Player, data: tf.Tensor) -> tf.Tensor:
        labels = self._batch.examples.labels
        logits, *_ = self._game.logits(v, data, labels, self._batch, False)
        return tf.cast(logits, tf.float64)


class SlotRows:
    """Rows of any other game: nothing is common to a row's values but its minimiser.

    Args:
        game: A `NetworkGame`.
        player: Function from a slot to a minimiser's `Player`.
        slots: int64 (m,).
        batch: A `Batch`.
    """

    def __init__(
        self,
        game: NetworkGame,
        player: Callable[[tf.Tensor], structures.Player],
        slots: tf.Tensor,
        batch: Batch,
    ) -> None:
        self._game, self._player, self._batch = game, player, batch
        self.rows = slots

    def prepared(self, v: structures.Player) -> structures.Player:
        """Returns the maximiser."""
        return v

    def against(self, v: structures.Player, row: tf.Tensor) -> tf.Tensor:
        """Returns the value of every example (n,) of a row."""
        values = self._game.values(self._player(row), v, self._batch)
        return tf.cast(values, tf.float64)


def rows_of(game: Any, *arguments: Any) -> GeneratedRows | SlotRows:
    """Returns the rows of a game, as it can make them."""
    if isinstance(game, adversarial_game.AdversarialGame):
        return GeneratedRows(game, *arguments)
    return SlotRows(game, *arguments)
