"""A GAN whose data live on finitely many points, solved exactly in function space."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan import validation
from keras_gamegan.games import distributions, randomness
from keras_gamegan.games import memory as memories
from keras_gamegan.games.game import Game
from keras_gamegan.games.retention import Retention

KINDS = ("jsd", "wasserstein")

# log(1 - D) at D = 1 counts as log of this, so that means over a history stay finite.
_SMALLEST = 2.0**-52


class FinitePlay(NamedTuple):
    """What `FiniteGAN.fictitious_play` returns, as NumPy arrays.

    Attributes:
        average_generator: (n,), the mixture of remembered generators: what converges.
        average_discriminator: (n,), the mixture of remembered discriminators.
        total_variation: (num_rounds + 1,), distance of the mixture of generators from
            the data after 0, 1, ... rounds.
        generator_plays: (num_rounds + 1, n), the start and then each round's best
            response, a point mass.
        discriminator_plays: (num_rounds, n), each round's best response.

    Example:
        >>> import keras_gamegan as kgg
        >>> result = kgg.games.FiniteGAN([0.75, 0.25]).fictitious_play([0.9, 0.1], 10)
        >>> result.generator_plays.shape, result.discriminator_plays.shape
        ((11, 2), (10, 2))
    """

    average_generator: np.ndarray
    average_discriminator: np.ndarray
    total_variation: np.ndarray
    generator_plays: np.ndarray
    discriminator_plays: np.ndarray


class FiniteGAN(Game):
    """The GAN game on n points, with exact best responses of both players.

    The generator plays a probability vector p, the discriminator one output D per
    point. On it one sees without any network what fictitious play promises, and what a
    bounded history keeps of the promise.

    Mathematics: with data probabilities d,

        M(p, D) = 1/2 sum_i d_i f0(D_i) + 1/2 sum_i p_i f1(D_i),

    "jsd": f0 = log D, f1 = log(1 - D), D in (0, 1). The maximiser answers p with
    D = d / (d + p); max_D M = JSD(d, p) - log 2.
    "wasserstein": f0 = D, f1 = -D, D clipped to [0, 1]. The maximiser answers p with
    D = 1 where d > p, else 0; max_D M is half the total variation.

    M is linear in p: the generator's best response is a point mass, so alternating best
    responses cycle for ever, while the *average* generator of fictitious play
    converges to d. (p, D) = (d, 1/2) is an equilibrium of both kinds.

    As a `Game` its players are p and D themselves, which gradient steps would drive out
    of their ranges; `in_logits` gives the same game without constraints.

    Args:
        data_probabilities: (n,) numbers >= 0 that sum to 1, n >= 2.
        kind: "jsd" or "wasserstein". Default: "jsd".

    Raises:
        ValueError: If the probabilities are none, or the kind is unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.FiniteGAN([0.75, 0.25])
        >>> game.alternating_best_response([0.9, 0.1], num_rounds=6).tolist()
        [1, 0, 1, 0, 1, 0]
        >>> result = game.fictitious_play([0.9, 0.1], num_rounds=1000)
        >>> [round(float(result.total_variation[t]), 4) for t in (10, 100, 1000)]
        [0.0591, 0.0183, 0.0061]

    References:
        Ge, Xia, Chen, Berry, Wu: "Fictitious GAN: Training GANs with Historical
        Models", 2018.
        Brown: "Iterative Solution of Games by Fictitious Play", 1951.
    """

    def __init__(self, data_probabilities: ArrayLike, kind: str = "jsd") -> None:
        self.kind = validation.check_choice("kind", kind, KINDS)
        self.data_probabilities = distributions.check(
            "data_probabilities", data_probabilities, minimum_size=2
        )
        self.num_points = self.data_probabilities.size
        half = np.full(self.num_points, 0.5)
        super().__init__(
            self._strategic_value,
            start=(np.full(self.num_points, 1 / self.num_points), half),
            equilibrium=(self.data_probabilities, half),
            name=f"finite_gan_{kind}",
        )

    def in_logits(self) -> Game:
        """Returns the same game on unconstrained players, for gradient play.

        The generator is p = softmax(u), the discriminator D = sigmoid(v).

        Returns:
            A `Game` that starts at p uniform, D = 0.62.

        Example:
            >>> import keras_gamegan as kgg
            >>> game = kgg.games.FiniteGAN([0.75, 0.25]).in_logits()
            >>> result = kgg.games.solve(game, step_size=0.5, max_iterations=5000)
            >>> [round(float(p), 3) for p in tf.nn.softmax(result.solution[0])]
            [0.75, 0.25]
        """
        data = tf.constant(self.data_probabilities)

        def value(u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
            p, d = tf.nn.softmax(u), tf.cast(data, v.dtype)
            if self.kind == "jsd":
                return -0.5 * tf.reduce_sum(
                    d * tf.nn.softplus(-v) + p * tf.nn.softplus(v)
                )
            return 0.5 * tf.reduce_sum((d - p) * tf.sigmoid(v))

        with np.errstate(divide="ignore"):
            equilibrium = np.log(self.data_probabilities), np.zeros(self.num_points)
        return Game(
            value,
            start=(np.zeros(self.num_points), np.full(self.num_points, 0.5)),
            equilibrium=equilibrium,
            name=f"{self.name}_in_logits",
        )

    def total_variation(self, generator: ArrayLike) -> float:
        """Returns the total variation 1/2 sum |p - d| between ``generator`` and data.

        Args:
            generator: (n,) probabilities.

        Returns:
            A float in [0, 1].

        Raises:
            ValueError: If ``generator`` is no distribution on n points.
        """
        generator = distributions.check("generator", generator, self.num_points)
        return float(0.5 * np.abs(generator - self.data_probabilities).sum())

    def best_discriminator(self, generator: ArrayLike) -> np.ndarray:
        """Returns the exact best response to a generator or a mixture of them.

        M is linear in p, so the response to a mixture is that to the average.

        Args:
            generator: (n,) probabilities.

        Returns:
            (n,) outputs, NumPy float64: d / (d + p), 1/2 where both are 0; or 1 where
            d > p and 0 elsewhere.

        Raises:
            ValueError: If ``generator`` is no distribution on n points.
        """
        generator = distributions.check("generator", generator, self.num_points)
        return self._answer_to_generators(tf.constant(generator)).numpy()

    def best_generator(self, discriminators: ArrayLike) -> np.ndarray:
        """Returns the exact best response to a history of discriminators.

        It minimises the mean of the losses, mean_w f1(D_w), not f1 of the mean output.

        Args:
            discriminators: (n,) outputs or (m, n), a history of them, equally weighted.

        Returns:
            (n,) probabilities, NumPy float64: a point mass, on the first of the best
            points if there are several.

        Raises:
            ValueError: If an output is outside [0, 1] or there are not n of them.
        """
        outputs = np.atleast_2d(np.asarray(discriminators, np.float64))
        inside = outputs.size and np.all((outputs >= 0) & (outputs <= 1))
        if outputs.shape[1:] != (self.num_points,) or not inside:
            raise ValueError(
                f"`discriminators` must be outputs in [0, 1] of shape "
                f"({self.num_points},) or (m, {self.num_points}). "
                f"Received: discriminators={discriminators!r}."
            )
        losses = self._generator_losses(tf.constant(outputs)).numpy().mean(axis=0)
        return np.eye(self.num_points)[np.argmin(losses)]

    def duality_gap(self, generator: ArrayLike, discriminator: ArrayLike) -> float:
        """Returns the exact duality gap max_D' M(p, D') - min_p' M(p', D).

        Args:
            generator: (n,) probabilities.
            discriminator: (n,) outputs in [0, 1].

        Returns:
            A float >= 0, zero exactly at an equilibrium.

        Raises:
            ValueError: If an argument is out of range.
        """
        best_p = self.best_generator(discriminator)
        best_d = self.best_discriminator(generator)
        generator = np.asarray(generator, np.float64)
        discriminator = np.asarray(discriminator, np.float64)
        gap = self.value(generator, best_d) - self.value(best_p, discriminator)
        return float(gap)

    def alternating_best_response(
        self, start: ArrayLike, num_rounds: int
    ) -> np.ndarray:
        """Plays best responses to the opponent's last play, without any history.

        Args:
            start: (n,), the initial generator.
            num_rounds: Rounds, >= 1; in each D answers p, then p answers D.

        Returns:
            (num_rounds,) int64 NumPy array: the point on which each round's generator
            puts all its mass.

        Raises:
            TypeError: If the number of rounds is no integer.
            ValueError: If an argument is out of range.
        """
        generator = distributions.check("start", start, self.num_points)
        points = np.zeros(validation.check_integer("num_rounds", num_rounds), np.int64)
        for index in range(num_rounds):
            generator = self.best_generator(self.best_discriminator(generator))
            points[index] = np.argmax(generator)
        return points

    def fictitious_play(
        self,
        start: ArrayLike,
        num_rounds: int,
        retention: str | Retention = "all",
        *,
        capacity: int | None = None,
        current_weight: float | str | None = None,
        seed: int = 0,
    ) -> FinitePlay:
        """Plays exact best responses to the opponent's remembered plays.

        In round t = 1, 2, ... the discriminator answers the mixture of remembered
        generators (before round 1 that is ``start``); then the generator answers the
        mixture of remembered discriminators, that of this round included.

        Args:
            start: (n,), the initial generator, which is remembered as any other.
            num_rounds: Rounds, >= 1.
            retention: What is remembered. "all": everything, equally weighted.
                "geometric": everything, discounted exactly at the rate 1 / capacity
                (which function space affords). "fifo", "thinned", "reservoir" or a
                `retention.Retention`, `retention.Geometric()` included: a bank of
                `capacity` plays under that rule. Default: "all".
            capacity: Number of remembered plays, >= 1; needed unless "all".
            current_weight: With a bank, the weight of the latest play: None, as every
                other; a number in [0, 1]; or "1/n", its part of all n plays so far.
            seed: Integer; what a random rule drops. Default: 0.

        Returns:
            A `FinitePlay`.

        Raises:
            TypeError: If a number is not one.
            ValueError: If an argument is out of range, or the capacity missing.

        Example:
            >>> import keras_gamegan as kgg
            >>> game = kgg.games.FiniteGAN([0.75, 0.25], kind="wasserstein")
            >>> result = game.fictitious_play([0.9, 0.1], num_rounds=100)
            >>> round(game.total_variation(result.average_generator), 4)
            0.0015
        """
        start = distributions.check("start", start, self.num_points)
        num_rounds = validation.check_integer("num_rounds", num_rounds)
        memory = memories.make(retention, capacity, current_weight)
        stream = randomness.fold(randomness.root(seed), randomness.Purpose.RETENTION)
        numbers = randomness.uniform(stream, (num_rounds, 2), tf.float64)
        average_p, average_d, distances, points, outputs = (
            part.numpy() for part in self._play(memory, tf.constant(start), numbers)
        )
        plays = np.eye(self.num_points)[points]
        return FinitePlay(
            average_generator=average_p,
            average_discriminator=average_d,
            total_variation=np.append(self.total_variation(start), distances),
            generator_plays=np.concatenate([start[np.newaxis], plays]),
            discriminator_plays=outputs,
        )

    def _play(
        self, memory: memories.Memory, start: tf.Tensor, numbers: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        data = tf.constant(self.data_probabilities)

        @tf.function
        def play(start: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, ...]:
            num_rounds = tf.shape(numbers)[0]

            def answer(generators: Any) -> tuple[tf.Tensor, tf.Tensor]:
                outputs = self._answer_to_generators(memory.mean(generators))
                # The generator needs the mean loss, the caller the mean output.
                return outputs, tf.stack([outputs, self._generator_losses(outputs)])

            def one_round(
                index: tf.Tensor,
                generators: Any,
                discriminators: Any,
                records: tuple[tf.TensorArray, ...],
            ) -> tuple:
                outputs, entry = answer(generators)
                # The first discriminator is the whole of its history.
                discriminators = tf.cond(
                    index > 0,
                    lambda: memory.add(discriminators, entry, numbers[index, 0]),
                    lambda: discriminators,
                )
                point = tf.argmin(memory.mean(discriminators)[1])
                mass = tf.one_hot(point, self.num_points, dtype=tf.float64)
                generators = memory.add(generators, mass, numbers[index, 1])
                distance = 0.5 * tf.reduce_sum(tf.abs(memory.mean(generators) - data))
                records = tuple(
                    record.write(index, item)
                    for record, item in zip(
                        records, (distance, point, outputs), strict=True
                    )
                )
                return index + 1, generators, discriminators, records

            generators = memory.init(start)
            _, generators, discriminators, records = tf.while_loop(
                lambda index, *_: index < num_rounds,
                one_round,
                (
                    tf.constant(0),
                    generators,
                    memory.init(answer(generators)[1]),
                    (
                        tf.TensorArray(tf.float64, num_rounds, element_shape=()),
                        tf.TensorArray(tf.int64, num_rounds, element_shape=()),
                        tf.TensorArray(
                            tf.float64, num_rounds, element_shape=(self.num_points,)
                        ),
                    ),
                ),
            )
            return (
                memory.mean(generators),
                memory.mean(discriminators)[0],
                *(record.stack() for record in records),
            )

        # Through its concrete function: a fresh one per call is no retracing.
        return play.get_concrete_function(start, numbers)(start, numbers)

    def _strategic_value(self, p: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        data = tf.cast(self.data_probabilities, outputs.dtype)
        if self.kind == "jsd":
            terms = tf.math.xlogy(data, outputs) + tf.math.xlog1py(p, -outputs)
        else:
            terms = (data - p) * outputs
        return 0.5 * tf.reduce_sum(terms)

    def _answer_to_generators(self, p: tf.Tensor) -> tf.Tensor:
        data = tf.constant(self.data_probabilities)
        if self.kind == "wasserstein":
            return tf.cast(data > p, tf.float64)
        total = data + p
        return tf.where(total > 0, tf.math.divide_no_nan(data, total), 0.5)

    def _generator_losses(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns f1 of the outputs."""
        if self.kind == "wasserstein":
            return -outputs
        return tf.math.log(tf.maximum(1 - outputs, _SMALLEST))
