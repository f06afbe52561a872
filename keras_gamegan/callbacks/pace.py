"""How far training moves the functions that two networks are, and rates from that."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan.games import randomness


class Pace(NamedTuple):
    """How far both functions have moved since they were looked at last.

    Attributes:
        generator: Root mean square change of the generator's outputs, in standard
            deviations of the data.
        discriminator: Root mean square change of the logits, in standard deviations of
            those before.
    """

    generator: float
    discriminator: float


class Probe:
    """Inputs on which a GAN's networks are looked at again and again.

    Both run in inference mode; the discriminator is shown the real data, and what the
    generator made when it was looked at last.

    Args:
        model: A `GAN`.
        real: Real data (n, ...).
        labels: Their labels; default: None, the networks take none.
    """

    def __init__(
        self, model: Any, real: np.ndarray, labels: np.ndarray | None = None
    ) -> None:
        self._model = model
        self._real = tf.constant(real, model.generator_network.dtype)
        self._labels = None if labels is None else tf.constant(labels)
        stream = randomness.fold(randomness.root(model.seed), randomness.Purpose.PACE)
        shape = [len(real), *model.latent_shape]
        self._latents = randomness.normal(stream, shape, self._real.dtype)
        self._spread = max(float(np.std(np.asarray(real, np.float64))), 1e-12)
        self._run = tf.function(self._look)

    def look(self, before: Sequence[Any] | None) -> tuple[list[tf.Tensor], Any]:
        """Returns what the networks make now, and how far that is from before.

        Args:
            before: What the last look returned first, as tensors or arrays, or None.

        Returns:
            A pair ([samples, logits of the real data and of them], `Pace` or None).
        """
        if before is None:
            return list(self._run(None, None)[:2]), None
        made, logits, moved = self._run(*map(tf.constant, before))
        return [made, logits], Pace(*moved.numpy().tolist())

    def _look(self, made_before: Any, logits_before: Any) -> tuple[Any, ...]:
        model, number = self._model, tf.shape(self._real)[0]
        made = self._apply(model.generator_network, self._latents, self._labels)
        shown, labels = [self._real, made], self._labels
        shown += [] if made_before is None else [made_before]
        if labels is not None:
            labels = tf.concat([labels] * len(shown), axis=0)
        data = tf.concat([tf.cast(each, made.dtype) for each in shown], axis=0)
        logits = self._apply(model.discriminator_network, data, labels)
        now = logits[: 2 * number]
        if made_before is None:
            return made, now, None
        again = tf.concat([logits[:number], logits[2 * number :]], axis=0)
        moved = [
            _root_mean_square(made - made_before) / self._spread,
            _root_mean_square(again - logits_before) / _spread(logits_before),
        ]
        return made, now, tf.stack(moved)

    def _apply(self, network: Any, inputs: tf.Tensor, labels: Any) -> tf.Tensor:
        given = inputs if labels is None else [inputs, labels]
        stream = tf.zeros([2], tf.int64)
        return network.apply(network.player(), given, False, stream)[0]


def next_rate(
    rate: float,
    moved: float,
    target: float,
    gain: float,
    limits: tuple[float, float],
) -> float:
    """Returns a learning rate one step nearer to the one that moves by the target.

    log rate <- log rate + gain log(target / moved), within the limits.

    Args:
        rate: The learning rate, > 0.
        moved: How far it moved the function, >= 0.
        target: How far it should, > 0.
        gain: Fraction of the way taken, in (0, 1].
        limits: Pair of the lowest and highest rate.
    """
    low, high = limits
    if not math.isfinite(moved) or moved <= 0.0 or rate <= 0.0:
        return rate
    changed = math.log(rate) + gain * math.log(target / moved)
    return min(max(math.exp(changed), low), high)


def _spread(logits: tf.Tensor) -> tf.Tensor:
    # Logits that are all the same have none: any step is a large one.
    return tf.maximum(tf.math.reduce_std(tf.cast(logits, tf.float64)), 1e-6)


def _root_mean_square(difference: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(tf.cast(difference, tf.float64))))
