"""The value of every stored generator against every stored discriminator."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.distribution import replicas
from keras_gamegan.games import matrix_game, randomness
from keras_gamegan.measuring import held_out
from keras_gamegan.models.step import batch as batches
from keras_gamegan.population import members, value_rows
from keras_gamegan.typing import Structure


@dataclasses.dataclass(frozen=True)
class PayoffMatrix:
    """The values V(D_j, G_i), how sure they are, and whose they are.

    Attributes:
        values: (m, n) float64: row i is a generator, which minimises, column j a
            discriminator, which maximises; oldest first, the live one last.
        standard_errors: (m, n) float64, the standard error of each value.
        generator_steps: (m,) int64, training step of each generator's weights.
        discriminator_steps: (n,) int64, likewise.
        num_examples: Number of held-out examples.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> steps = np.array([100, 200])
        >>> table = kgg.PayoffMatrix(
        ...     np.array([[3.0, -1.0], [-2.0, 1.0]]), np.zeros((2, 2)), steps, steps, 64
        ... )
        >>> table.equilibrium().p.round(3).tolist()
        [0.429, 0.571]
    """

    values: np.ndarray
    standard_errors: np.ndarray
    generator_steps: np.ndarray
    discriminator_steps: np.ndarray
    num_examples: int

    def equilibrium(self) -> matrix_game.MatrixEquilibrium:
        """Returns the mixed Nash equilibrium: generators p, discriminators q, value.

        Returns:
            A `games.MatrixEquilibrium`, one of them if there are several.

        Raises:
            ValueError: If a value is NaN or infinite.
        """
        return matrix_game.MatrixGame(self.values).nash()

    def exploitability(self, p: np.ndarray, q: np.ndarray) -> float:
        """Returns what a player gains on average by its best stored model against p, q.

        Args:
            p: (m,) probabilities of the generators.
            q: (n,) probabilities of the discriminators.

        Returns:
            A float >= 0, zero exactly at an equilibrium of this matrix.
        """
        return matrix_game.MatrixGame(self.values).exploitability(p, q)


class PayoffEstimator:
    """Measures one model's payoff matrix again and again, compiling it once.

    Args:
        gan: A compiled `GAN`.
        data: As in `payoff_matrix`.
        num_batches: As in `payoff_matrix`.
        batch_size: As in `payoff_matrix`.
    """

    def __init__(
        self,
        gan: keras.Model,
        data: Any,
        *,
        num_batches: int | None = None,
        batch_size: int = 128,
    ) -> None:
        if not getattr(gan, "compiled", False):
            raise ValueError(
                "The payoff is the model's own value, so the model must be compiled. "
                "Received: a model that is not. Call its compile() first."
            )
        validation.check_integer("batch_size", batch_size)
        if num_batches is not None:
            validation.check_integer("num_batches", num_batches)
        self._gan = gan
        self._batch_size = batch_size
        self._data = held_out.collect("data", data, gan, batch_size)
        size = len(held_out.first(self._data))
        self._number = size
        if num_batches is not None:
            self._number = num_batches * batch_size
            if self._number > size:
                raise ValueError(
                    "`data` must hold `num_batches` batches of `batch_size` examples, "
                    f"{self._number} in all. Received: {size} examples. Pass "
                    "more data, or fewer batches."
                )
        self._minimizers, self._maximizers = (
            members.Side(gan, name) for name in gan._roles.names
        )
        # One program for every size the banks grow to, and for the last, smaller batch.
        self._measure = tf.function(self._moments).get_concrete_function(
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None], tf.int64),
            batches.present(
                lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype),
                self._drawn(0),
            ),
        )

    def __call__(self, seed: int) -> PayoffMatrix:
        """Returns the `PayoffMatrix` of the models stored at present."""
        slots = [
            tf.constant(side.order(), tf.int64)
            for side in (self._minimizers, self._maximizers)
        ]
        examples = self._drawn(seed)
        sizes, means, squares = [], [], []
        for begin in range(0, self._number, self._batch_size):
            rows = slice(begin, min(begin + self._batch_size, self._number))
            mean, square = self._measure(
                *slots, batches.present(lambda leaf, rows=rows: leaf[rows], examples)
            )
            sizes.append(rows.stop - rows.start)
            means.append(mean.numpy())
            squares.append(square.numpy())
        values, errors = _pooled(np.array(sizes), np.array(means), np.array(squares))
        return PayoffMatrix(
            values,
            errors,
            self._minimizers.steps(),
            self._maximizers.steps(),
            self._number,
        )

    def _drawn(self, seed: int) -> Structure:
        """Returns the examples with what is drawn: at once, not batch by batch."""
        stream = randomness.fold(
            randomness.root(seed), randomness.Purpose.EVALUATION, 0
        )
        number = self._number
        used = batches.present(lambda leaf: leaf[:number], self._data)
        share = replicas.Share(number, 0, number)
        return self._gan._data_form.drawn(used, stream, share)

    def _moments(
        self,
        minimizer_slots: tf.Tensor,
        maximizer_slots: tf.Tensor,
        examples: Structure,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each pair's mean over a batch, and the sum of squares about it."""
        # Inference mode draws nothing.
        batch = held_out.as_batch(examples, randomness.root(0))
        rows = value_rows.rows_of(
            self._gan.game, self._minimizers.player, minimizer_slots, batch
        )

        def column(slot: tf.Tensor) -> tf.Tensor:
            def entry(row: tf.Tensor) -> tf.Tensor:
                value = tf.cast(rows.against(v, row), tf.float64)
                mean = tf.reduce_mean(value)
                return tf.stack([mean, tf.reduce_sum((value - mean) ** 2)])

            v = rows.prepared(self._maximizers.player(slot))
            return tf.map_fn(
                entry, rows.rows, fn_output_signature=tf.TensorSpec([2], tf.float64)
            )

        columns = tf.map_fn(
            column,
            maximizer_slots,
            fn_output_signature=tf.TensorSpec([None, 2], tf.float64),
        )
        means, squares = tf.unstack(tf.transpose(columns, [2, 1, 0]))
        return means, squares


def payoff_matrix(
    gan: keras.Model,
    data: Any,
    *,
    num_batches: int | None = None,
    batch_size: int = 128,
    seed: int = 0,
) -> PayoffMatrix:
    """Measures every stored generator against every stored discriminator.

    The stored models of both players are the pure strategies of a matrix game; its
    equilibrium is a mixture of them that no stored opponent can exploit, an alternative
    to uniform probabilities.

    Mathematics: entry (i, j) is the mean over the data x and latents z of

        V(D_j, G_i) = E f0(D_j(x)) + E f1(D_j(G_i(z))),

    both in inference mode, accumulated in double precision. Every entry sees the same x
    and z, so that the differences between entries are surer than the entries. The
    standard error counts each pair (x, z) as one independent example.

    Cost for m generators and n discriminators: m calls of the generator and n + m n of
    the discriminator a batch, in one compiled function. The model is untouched.

    Args:
        gan: A compiled `GAN`, or a subclass. A side without a bank, or a model without
            history, plays its live network alone: one row or column.
        data: Real data, held out from training, in any form that `kgg.duality_gap`
            takes.
        num_batches: Batches to use, >= 1. Default: all the data, a last smaller batch
            included.
        batch_size: Examples in a batch, >= 1; it changes memory, not the result.
            Default: 128.
        seed: Integer seed of the latents. Default: 0.

    Returns:
        A `PayoffMatrix`.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If the model is not compiled, or the data are too few, not finite
            or misshapen.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4, seed=0)
        >>> history = kgg.History(capacity=3, interval=2, retention="fifo")
        >>> gan = kgg.FictitiousGAN(*pair, history=history, seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
        >>> _ = gan.fit(data[:256], verbose=0)
        >>> table = kgg.payoff_matrix(gan, data[256:])
        >>> table.values.shape, table.generator_steps.tolist()
        ((3, 3), [4, 6, 8])

    References:
        Aung, Wang, Yu, An, Jayavelu, Li: "DO-GAN: A Double Oracle Framework for
        Generative Adversarial Networks", 2021.
    """
    estimator = PayoffEstimator(
        gan, data, num_batches=num_batches, batch_size=batch_size
    )
    return estimator(validation.check_seed("seed", seed))


def _pooled(
    sizes: np.ndarray, means: np.ndarray, squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard error from the moments of parts (Chan et al., 1983)."""
    number = sizes.sum()
    weights = sizes[:, np.newaxis, np.newaxis]
    mean = (weights * means).sum(axis=0) / number
    total = squares.sum(axis=0) + (weights * (means - mean) ** 2).sum(axis=0)
    if number == 1:
        return mean, np.full(mean.shape, np.nan)
    return mean, np.sqrt(total / (number - 1) / number)
