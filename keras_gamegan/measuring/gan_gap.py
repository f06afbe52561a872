"""The duality gap of a GAN: a measure of both players, without labels or features."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.distribution import replicas
from keras_gamegan.games import best_response, gap, randomness, structures, updates
from keras_gamegan.measuring import held_out
from keras_gamegan.models import adversarial_game


class GapEstimate(NamedTuple):
    """A duality gap, its two halves and how sure they are.

    Attributes:
        gap: V(D_w, G) - V(D, G_w), signed; near 0 at equilibrium, but also where a
            saturated discriminator gives the search no gradient: read it with
            `minimax`.
        minimax: V(D_w, G), a measure of the generator alone; at best the payoff's
            `optimum` (-log 2 for "minimax" and "non_saturating").
        maximin: V(D, G_w), a measure of the discriminator alone.
        gap_error: Standard error of `gap` over the scoring batches.
        minimax_error: Standard error of `minimax`.
        maximin_error: Standard error of `maximin`.
        curves: Array (num_steps, 2): the losses of G_w and D_w during their searches.
        num_scored: Number of scoring examples.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
        >>> estimate = kgg.duality_gap(
        ...     gan, data[:128], data[128:], num_steps=3, batch_size=32, seed=0
        ... )
        >>> estimate.num_scored, estimate.curves.shape
        (128, (3, 2))
    """

    gap: float
    minimax: float
    maximin: float
    gap_error: float
    minimax_error: float
    maximin_error: float
    curves: Any
    num_scored: int


class GapEstimator:
    """Measures one model's gap again and again, compiling the searches once.

    Args:
        gan: A compiled `GAN`.
        finding_data: As in `duality_gap`.
        scoring_data: As in `duality_gap`.
        num_steps: As in `duality_gap`.
        learning_rate: As in `duality_gap`.
        optimizer: As in `duality_gap`.
        perturbation: As in `duality_gap`.
        batch_size: As in `duality_gap`.
    """

    def __init__(
        self,
        gan,
        finding_data,
        scoring_data,
        num_steps=300,
        learning_rate=5e-4,
        *,
        optimizer="adam",
        perturbation=None,
        batch_size=128,
    ):
        if not getattr(gan, "compiled", False):
            raise ValueError(
                "The gap is a gap in the model's own value, so the model must be "
                "compiled. Received: a model that is not. Call gan.compile(loss=...)."
            )
        validation.check_integer("num_steps", num_steps, 0)
        validation.check_integer("batch_size", batch_size)
        held_out.check_disjoint(finding_data, scoring_data)
        self._gan = gan
        self._num_steps = num_steps
        self._update = updates.get(optimizer, learning_rate)
        self._perturbation = gap.as_perturbation(perturbation)
        self._batch_size = batch_size
        dtype = gan.generator_network.dtype
        self._finding = held_out.collect(
            "finding_data", finding_data, gan.conditional, dtype, batch_size
        )
        self._scoring = held_out.collect(
            "scoring_data", scoring_data, gan.conditional, dtype, batch_size
        )
        # The worst players' searches, and the scoring, in one program, traced once.
        self._measure = tf.function(self._search_and_score).get_concrete_function(
            gan.generator_network.player(),
            gan.discriminator_network.player(),
            randomness.root(0),
        )

    def __call__(self, seed):
        """Returns the `GapEstimate` of the model's present weights."""
        gan = self._gan
        values, curves = self._measure(
            gan.generator_network.player(),
            gan.discriminator_network.player(),
            randomness.fold(randomness.root(seed), randomness.Purpose.EVALUATION),
        )
        values = values.numpy().astype(np.float64)
        columns = np.stack([values[:, 0] - values[:, 1], *values.T])
        means = columns.mean(axis=1)
        number = columns.shape[1]
        errors = np.full(3, np.nan)
        if number > 1:
            errors = columns.std(axis=1, ddof=1) / np.sqrt(number)
        return GapEstimate(
            *(float(mean) for mean in means),
            *(float(error) for error in errors),
            curves=None if curves is None else curves.numpy(),
            num_scored=number * self._batch_size,
        )

    def _batch(self, data, index, stream):
        """Returns the index-th batch of held-out data, going round and round."""
        size = self._batch_size
        number = tf.shape(data.real)[0]
        rows = (index * size + tf.range(size)) % number
        stream = randomness.fold(stream, index)
        latents = randomness.normal(
            randomness.fold(stream, randomness.Purpose.LATENTS),
            [size, *self._gan.latent_shape],
            data.real.dtype,
        )
        return adversarial_game.Batch(
            real=tf.gather(data.real, rows),
            labels=None if data.labels is None else tf.gather(data.labels, rows),
            latents=latents,
            stream=stream,
            share=replicas.Share(size, 0, size),
            num_replicas=1,
        )

    def _search_and_score(self, u, v, stream):
        game = self._gan.game
        frozen_u, frozen_v = structures.pure(u), structures.pure(v)
        finding = randomness.fold(stream, 0)
        noise = randomness.fold(stream, randomness.Purpose.PERTURBATION)

        def loss_of_u(player, step):
            batch = self._batch(self._finding, step, finding)
            return game.minimizer_objective(frozen_v, batch)(player)

        def loss_of_v(player, step):
            batch = self._batch(self._finding, step, finding)
            return game.maximizer_objective(frozen_u, batch)(player)

        (worst_u, worst_v), curves = best_response.search(
            [loss_of_u, loss_of_v],
            [
                gap.perturbed(u, self._perturbation, randomness.fold(noise, 0)),
                gap.perturbed(v, self._perturbation, randomness.fold(noise, 1)),
            ],
            self._update,
            self._num_steps,
            record=True,
        )
        scoring = randomness.fold(stream, 1)

        def score(index):
            batch = self._batch(self._scoring, index, scoring)
            return tf.stack(
                [game.value(u, worst_v, batch), game.value(worst_u, v, batch)]
            )

        number = self._scoring.real.shape[0] // self._batch_size
        values = tf.map_fn(
            score, tf.range(number), fn_output_signature=self._finding.real.dtype
        )
        return values, curves


def duality_gap(
    gan,
    finding_data,
    scoring_data,
    num_steps=300,
    learning_rate=5e-4,
    perturbation=None,
    seed=None,
    *,
    optimizer="adam",
    batch_size=128,
):
    """Measures how far a GAN is from an equilibrium of its own game.

    Mathematics: DG(G, D) = max_D' V(D', G) - min_G' V(D, G'). The worst discriminator
    D_w and the worst generator G_w are searched for from copies of the current players,
    opponents frozen, on the finding data; both values are then taken on the scoring
    data. The model itself is untouched.

    Args:
        gan: A compiled `GAN`, or a subclass.
        finding_data: Real data, held out from training: array (n, ...), pair (array,
            labels) for class-conditional networks, or `tf.data.Dataset` of batches.
        scoring_data: Likewise, disjoint from `finding_data`; at least 6,400 examples
            give a steady figure.
        num_steps: Steps of each search, >= 0. Default: 300.
        learning_rate: Step size of the searches, > 0. Default: 5e-4.
        perturbation: Noise on the searching player before its search: the root mean
            square, or a `kgg.games.Perturbation`. Default: None.
        seed: Integer; the same seed gives the same figure. Default: drawn anew.
        optimizer: "adam", "sgd", "momentum" or "rmsprop", fresh at each search.
        batch_size: Examples per search step and per scoring batch, >= 1. Default: 128.

    Returns:
        A `GapEstimate`.

    Raises:
        ValueError: If the model is not compiled, the two data sets are the same, or
            there is less than a batch of either.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
        >>> estimate = kgg.duality_gap(
        ...     gan, data[:256], data[256:], num_steps=5, seed=0, batch_size=64
        ... )
        >>> estimate.gap == estimate.minimax - estimate.maximin
        True

    References:
        Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann, Krause: "A Domain
        Agnostic Measure for Monitoring and Evaluating GANs", 2019.
        Sidheekh, Aimen, Madan, Krishnan: "On Duality Gap as a Measure for Monitoring
        GAN Training", 2020 (perturbation).
    """
    estimator = GapEstimator(
        gan,
        finding_data,
        scoring_data,
        num_steps,
        learning_rate,
        optimizer=optimizer,
        perturbation=perturbation,
        batch_size=batch_size,
    )
    return estimator(randomness.new_seed() if seed is None else seed)
