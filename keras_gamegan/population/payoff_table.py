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
from keras_gamegan.models import adversarial_game
from keras_gamegan.population import members


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
                "Received: a model that is not. Call gan.compile(loss=...)."
            )
        validation.check_integer("batch_size", batch_size)
        if num_batches is not None:
            validation.check_integer("num_batches", num_batches)
        self._gan = gan
        self._batch_size = batch_size
        dtype = gan.generator_network.dtype
        self._data = held_out.collect("data", data, gan, batch_size)
        real = self._data.real
        self._number = len(real)
        if num_batches is not None:
            self._number = num_batches * batch_size
            if self._number > len(real):
                raise ValueError(
                    "`data` must hold `num_batches` batches of `batch_size` examples, "
                    f"{self._number} in all. Received: {len(real)} examples. Pass "
                    "more data, or fewer batches."
                )
        self._generators = members.Side(gan, "generator")
        self._discriminators = members.Side(gan, "discriminator")
        # One program for every size the banks grow to, and for the last, smaller batch.
        self._measure = tf.function(self._moments).get_concrete_function(
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, *gan.latent_shape], dtype),
        )

    def __call__(self, seed: int) -> PayoffMatrix:
        """Returns the `PayoffMatrix` of the models stored at present."""
        slots = [
            tf.constant(side.order(), tf.int64)
            for side in (self._generators, self._discriminators)
        ]
        stream = randomness.fold(
            randomness.root(seed), randomness.Purpose.EVALUATION, 0
        )
        # Drawn at once, so that they do not depend on the batch size.
        latents = randomness.normal(
            randomness.fold(stream, randomness.Purpose.LATENTS),
            [self._number, *self._gan.latent_shape],
            self._data.real.dtype,
        )
        sizes, means, squares = [], [], []
        for begin in range(0, self._number, self._batch_size):
            end = min(begin + self._batch_size, self._number)
            mean, square = self._measure(
                *slots, tf.range(begin, end), latents[begin:end]
            )
            sizes.append(end - begin)
            means.append(mean.numpy())
            squares.append(square.numpy())
        values, errors = _pooled(np.array(sizes), np.array(means), np.array(squares))
        return PayoffMatrix(
            values,
            errors,
            self._generators.steps(),
            self._discriminators.steps(),
            self._number,
        )

    def _moments(
        self,
        generator_slots: tf.Tensor,
        discriminator_slots: tf.Tensor,
        rows: tf.Tensor,
        latents: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each pair's mean over a batch, and the sum of squares about it."""
        game, data = self._gan.game, self._data
        real = tf.gather(data.real, rows)
        labels = None if data.labels is None else tf.gather(data.labels, rows)
        size = tf.size(rows)
        batch = adversarial_game.Batch(
            real=real,
            labels=labels,
            latents=latents,
            stream=randomness.root(0),  # Inference mode draws nothing.
            share=replicas.Share(size, 0, size),
            num_replicas=1,
        )

        def generate(slot: tf.Tensor) -> tf.Tensor:
            return game.generate(self._generators.player(slot), batch, False)[0]

        shape = self._gan.generator_network.output.shape[1:]
        fakes = tf.map_fn(
            generate,
            generator_slots,
            fn_output_signature=tf.TensorSpec([None, *shape], real.dtype),
        )

        def column(slot: tf.Tensor) -> tf.Tensor:
            v = self._discriminators.player(slot)
            logits, *_ = game.logits(v, real, labels, batch, False)
            of_real = adversarial_game.per_example(game.payoff.real_term(logits))
            of_real = tf.cast(of_real, tf.float64)

            def entry(fake: tf.Tensor) -> tf.Tensor:
                logits, *_ = game.logits(v, fake, labels, batch, False)
                of_fake = adversarial_game.per_example(game.payoff.fake_term(logits))
                value = of_real + tf.cast(of_fake, tf.float64)
                mean = tf.reduce_mean(value)
                return tf.stack([mean, tf.reduce_sum((value - mean) ** 2)])

            return tf.map_fn(
                entry, fakes, fn_output_signature=tf.TensorSpec([2], tf.float64)
            )

        columns = tf.map_fn(
            column,
            discriminator_slots,
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
    to uniform shares.

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
