"""The GAN as a game: generator and discriminator as players, a payoff as the value."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import keras
import tensorflow as tf

from keras_gamegan.augment import Augmentation
from keras_gamegan.games import game, randomness, structures
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.labelled_network import LabelledNetwork
from keras_gamegan.models.step.batch import Batch, answers
from keras_gamegan.payoffs import Payoff, penalties

# Outputs, moved player, and the sum of the network's regularisation losses or None.
Applied: TypeAlias = tuple[tf.Tensor, Player, tf.Tensor | None]


class Examples(NamedTuple):
    """The examples of a GAN's batch.

    Attributes:
        real: Real data (b, ...).
        labels: Labels (b, ...), or None for unconditional networks.
        latents: Latents (b, ...), one for each real example; None until they are drawn.
    """

    real: tf.Tensor
    labels: tf.Tensor | None = None
    latents: tf.Tensor | None = None


class AdversarialGame:
    """Two networks that play the value V of a `Payoff`.

    Only the player that is being updated runs in training mode. A frozen opponent, be
    it the live one, a worst case or a stored one, is a fixed function: inference mode,
    its own BatchNorm statistics, no Dropout, no state moved, no gradient.

    Args:
        discriminator: `StatelessNetwork` of the maximiser.
        generator: `StatelessNetwork` of the minimiser.
        payoff: A `Payoff`.
        penalty: A `Penalty` or None.
        augment: An `augment.Augmentation` of what the discriminator is shown while a
            player is updated, or None.
        step: The train step, of a penalty's schedule: an int or a variable.
    """

    def __init__(
        self,
        discriminator: LabelledNetwork,
        generator: LabelledNetwork,
        payoff: Payoff,
        penalty: penalties.Penalty | None = None,
        augment: Augmentation | None = None,
        step: int | keras.Variable = 0,
    ) -> None:
        self._step = step
        self.discriminator = discriminator
        self.generator = generator
        self.payoff = payoff
        self.penalty = penalty
        self.augment = augment

    @property
    def exact_minimizer_value(self) -> bool:
        """Whether the generator's training mode computes the value of inference mode.

        True without BatchNorm, Dropout and the like; a gap between two values is only
        meaningful if both come from the same functions.
        """
        return not self.generator.has_modes

    @property
    def exact_maximizer_value(self) -> bool:
        """Whether the discriminator's training mode computes that value."""
        return not self.discriminator.has_modes

    def generate(self, player: Player, batch: Batch, training: bool) -> Applied:
        """Returns (data, moved player, regularisation) for the batch's latents."""
        inputs = (
            batch.examples.latents
            if batch.examples.labels is None
            else [batch.examples.latents, batch.examples.labels]
        )
        stream = batch.network_stream(0)
        return self.generator.apply(player, inputs, training, stream)

    def logits(
        self,
        player: Player,
        data: tf.Tensor,
        labels: tf.Tensor | None,
        batch: Batch,
        training: bool,
    ) -> Applied:
        """Returns (logits, moved player, regularisation) for the data.

        The logits are (n,), or (n, patches) of a discriminator that judges patches:
        what is computed of them is averaged by `per_example`.
        """
        inputs = data if labels is None else [data, labels]
        stream = batch.network_stream(1)
        logits, moved, loss = self.discriminator.apply(player, inputs, training, stream)
        if math.prod(side or 0 for side in self.discriminator.output.shape[1:]) == 1:
            logits = tf.reshape(logits, [-1])
        else:
            logits = tf.reshape(logits, [tf.shape(data)[0], -1])
        return logits, moved, loss

    def minimizer_objective(
        self, opponents: Mixture, batch: Batch, with_value: bool = False
    ) -> game.Objective:
        """Returns the generator's loss against a mixture of discriminators."""
        of_real = None
        if with_value or self.payoff.of_pairs:
            real = self._shown(batch.examples.real, batch, 0)
            of_real, _ = self._answers(opponents, real, batch)

        def objective(u: Player) -> game.Outcome:
            fake, moved, regularization = self.generate(u, batch, True)
            shown = self._shown(fake, batch, 1)
            logits, probabilities = self._answers(opponents, shown, batch)
            pairs = list(zip(of_real or [None] * len(logits), logits, strict=True))
            loss = _mean(self.payoff.generator_pair_term, pairs, probabilities, batch)
            loss = _regularized(loss, regularization, batch)
            value = None
            if with_value:
                value = _mean(self.payoff.pair_term, pairs, probabilities, batch)
            return game.Outcome(loss, moved, value)

        return objective

    def maximizer_objective(self, opponents: Mixture, batch: Batch) -> game.Objective:
        """Returns the discriminator's loss against a mixture of generators.

        Real and generated data go through the discriminator in one call: its BatchNorm
        sees the mixture of both, which is what its moving statistics describe too.
        """
        fakes, probabilities = self._fakes(opponents, batch)
        fakes = [self._shown(fake, batch, 1 + i) for i, fake in enumerate(fakes)]
        real = self._shown(tf.cast(batch.examples.real, fakes[0].dtype), batch, 0)
        data = tf.concat([real, *fakes], axis=0)
        flips = self._flips(batch, 1 + len(fakes))
        labels = None
        if batch.examples.labels is not None:
            labels = tf.concat([batch.examples.labels] * (1 + len(fakes)), axis=0)
        local = batch.share.local_size

        def objective(v: Player) -> game.Outcome:
            logits, moved, regularization = self.logits(v, data, labels, batch, True)
            parts = tf.split(logits, [local] * (1 + len(fakes)))
            pairs = [(parts[0], of_fake) for of_fake in parts[1:]]
            value = _mean(self.payoff.pair_term, pairs, probabilities, batch)
            learned = value
            if flips is not None:
                learned = self._with_label_noise(parts, flips, probabilities, batch)
            loss = _regularized(-learned, regularization, batch)
            if self.penalty is not None:
                loss += self._penalized(
                    self.penalty, v, real, fakes, probabilities, batch
                )
            details = _judgements(parts[0], parts[1:], probabilities, batch)
            if self.augment is not None:
                sign = per_example(tf.sign(tf.stop_gradient(parts[0])))
                details["real_sign"] = batch.mean(sign)
            return game.Outcome(loss, moved, value, details)

        return objective

    def _shown(self, data: tf.Tensor, batch: Batch, index: int) -> tf.Tensor:
        """Returns the data as the discriminator is shown them: 0 real, 1... made."""
        if self.augment is None:
            return data
        stream = randomness.fold(batch.stream, randomness.Purpose.AUGMENTATION, index)
        return self.augment.apply(data, stream, batch)

    def project_minimizer(self, player: Player) -> Player:
        """Returns the generator within its weights' Keras constraints."""
        return self.generator.constrained(player)

    def project_maximizer(self, player: Player) -> Player:
        """Returns the discriminator within its weights' Keras constraints."""
        return self.discriminator.constrained(player)

    def losses(self, u: Player, v: Player, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns this replica's parts of the logs, both players in inference mode."""
        fake = self.generate(u, batch, False)[0]
        real_logits = self.logits(
            v, batch.examples.real, batch.examples.labels, batch, False
        )[0]
        fake_logits = self.logits(v, fake, batch.examples.labels, batch, False)[0]
        pair = real_logits, fake_logits
        value = _mean(self.payoff.pair_term, [pair], None, batch)
        return {
            "maximizer_loss": -value,
            "minimizer_loss": _mean(
                self.payoff.generator_pair_term, [pair], None, batch
            ),
            "value": value,
            **_judgements(real_logits, [fake_logits], None, batch),
        }

    def value(self, u: Player, v: Player, batch: Batch) -> tf.Tensor:
        """Returns this replica's part of V(D, G), both players in inference mode."""
        return self.losses(u, v, batch)["value"]

    def _fakes(
        self, opponents: Mixture, batch: Batch
    ) -> tuple[list[tf.Tensor], tf.Tensor | None]:
        """Returns data of a mixture of generators, and the probability of each.

        The real data is not split: no generator has a part in it.
        """
        return answers(
            opponents, batch, lambda u, part: self.generate(u, part, False)[0]
        )

    def _answers(
        self, opponents: Mixture, data: tf.Tensor, batch: Batch
    ) -> tuple[list[tf.Tensor], tf.Tensor | None]:
        """Returns logits (b,) of a mixture of discriminators, and their probabilities.

        A sliced mixture gives one logit for each example, of its slice's player.
        """
        shown = batch._replace(examples=Examples(data, batch.examples.labels))

        def logits(v: Player, part: Batch) -> tf.Tensor:
            real, labels, _ = part.examples
            return self.logits(v, real, labels, part, False)[0]

        return answers(opponents, shown, logits)

    def _penalized(
        self,
        penalty: penalties.Penalty,
        v: Player,
        real: tf.Tensor,
        fakes: list[tf.Tensor],
        probabilities: tf.Tensor | None,
        batch: Batch,
    ) -> tf.Tensor:
        """Returns this replica's part of the mean penalty."""
        every = penalty.every
        stream = randomness.fold(batch.stream, randomness.Purpose.PENALTY)
        uniform = self._per_example(randomness.fold(stream, 0), batch)
        fake = fakes[0]
        if len(fakes) > 1:
            # Each real example is paired with one generator drawn from the mixture.
            draw = self._per_example(randomness.fold(stream, 1), batch)
            choice = randomness.categorical(draw, tf.cast(probabilities, draw.dtype))
            rows = tf.range(tf.size(choice, tf.int64), dtype=tf.int64)
            fake = tf.gather_nd(tf.stack(fakes), tf.stack([choice, rows], axis=1))
        # Every n-th of the global batch, wherever this replica's share begins.
        start = -batch.share.offset % every
        labels = (
            None
            if batch.examples.labels is None
            else batch.examples.labels[start::every]
        )

        def logits_fn(data: tf.Tensor) -> tf.Tensor:
            return per_example(self.logits(v, data, labels, batch, False)[0])

        found = penalty.at(tf.convert_to_tensor(self._step))(
            logits_fn, real[start::every], fake[start::every], uniform[start::every]
        )
        number = (batch.share.size + every - 1) // every
        number = tf.cast(tf.maximum(number, 1), found.dtype)
        return tf.reduce_sum(found) / number

    def _flips(self, batch: Batch, number: int) -> list[tf.Tensor] | None:
        """Returns which labels "real" and "generated" are flipped: booleans (b,) each.

        None without label noise.
        """
        if not self.payoff.label_noise:
            return None
        stream = randomness.fold(batch.stream, randomness.Purpose.LABEL_NOISE)
        return [
            self._per_example(randomness.fold(stream, index), batch)
            < self.payoff.label_noise
            for index in range(number)
        ]

    def _with_label_noise(
        self,
        parts: list[tf.Tensor],
        flips: list[tf.Tensor],
        probabilities: tf.Tensor | None,
        batch: Batch,
    ) -> tf.Tensor:
        """Returns this replica's part of the value with flipped labels."""
        if self.payoff.of_pairs:
            pair, real = self.payoff.pair_term, parts[0]
            means = [
                batch.mean(
                    tf.where(
                        flip,
                        per_example(pair(fake, real)),
                        per_example(pair(real, fake)),
                    )
                )
                for fake, flip in zip(parts[1:], flips[1:], strict=True)
            ]
            return structures.weighted_mean(means, probabilities)
        terms = [self.payoff.real_term, self.payoff.fake_term]
        values = []
        for index, (logits, flip) in enumerate(zip(parts, flips, strict=True)):
            own, other = terms[min(index, 1)], terms[1 - min(index, 1)]
            flipped = per_example(other(logits)), per_example(own(logits))
            values.append(batch.mean(tf.where(flip, *flipped)))
        return values[0] + structures.weighted_mean(values[1:], probabilities)

    def _per_example(self, stream: tf.Tensor, batch: Batch) -> tf.Tensor:
        """Returns one uniform number for each example, by its global index."""
        numbers = randomness.uniform(stream, [batch.share.size])
        return numbers[batch.share.offset :][: batch.share.local_size]


def per_example(values: tf.Tensor) -> tf.Tensor:
    """Returns values (n,) of those of each example (n,), or of its patches (n, p)."""
    return values if values.shape.rank == 1 else tf.reduce_mean(values, axis=1)


def _mean(
    term: Callable[..., tf.Tensor],
    logits: Sequence,
    probabilities: tf.Tensor | None,
    batch: Batch,
) -> tf.Tensor:
    """Returns this replica's part of the mean of a term over players and examples."""
    means = [batch.mean(per_example(term(*each))) for each in logits]
    return structures.weighted_mean(means, probabilities)


def _judgements(
    real_logits: tf.Tensor,
    fake_logits: Sequence[tf.Tensor],
    probabilities: tf.Tensor | None,
    batch: Batch,
) -> dict[str, tf.Tensor]:
    """Returns this replica's parts of what D makes of real and generated data.

    Means of its probability of being real, and how often it prefers the real one of a
    pair: P(D(x) > D(G(z))), where a tie counts one half.
    """
    real_logits, fake_logits = tf.nest.map_structure(
        tf.stop_gradient, (real_logits, list(fake_logits))
    )
    return {
        "d_real": _mean(tf.sigmoid, [(real_logits,)], None, batch),
        "d_fake": _mean(
            tf.sigmoid, [(each,) for each in fake_logits], probabilities, batch
        ),
        "d_accuracy": _mean(
            lambda real, fake: (1.0 + tf.sign(real - fake)) / 2.0,
            [(real_logits, each) for each in fake_logits],
            probabilities,
            batch,
        ),
    }


def _regularized(
    loss: tf.Tensor, regularization: tf.Tensor | None, batch: Batch
) -> tf.Tensor:
    return loss if regularization is None else loss + batch.part(regularization)
