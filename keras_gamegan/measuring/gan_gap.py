"""The duality gap of a GAN: a measure of both players, without labels or features."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import best_response, gap, randomness, updates
from keras_gamegan.games import perturbation as perturbations
from keras_gamegan.games import proximal as proximity
from keras_gamegan.games.structures import Player
from keras_gamegan.measuring import held_out, progress, sobolev_distance
from keras_gamegan.measuring import snapshots as stored
from keras_gamegan.models.step.batch import Batch
from keras_gamegan.typing import Structure


class GapEstimate(NamedTuple):
    """A duality gap, its two halves and how sure they are.

    Attributes:
        gap: V(D_w, G) - V(D, G_w), signed; near 0 at equilibrium, but also where a
            saturated discriminator gives the search no gradient: read it with
            `minimax`.
        minimax: V(D_w, G), a measure of the generator alone; at best the payoff's
            `optimum` (-log 2 for "minimax" and "non_saturating").
        maximin: V(D, G_w), a measure of the discriminator alone.
        gap_error: Standard error of `gap` over the scoring batches; NaN of a single
            batch: a smaller `batch_size` gives more.
        minimax_error: Standard error of `minimax`.
        maximin_error: Standard error of `maximin`.
        curves: Array (num_steps, 2): the losses of G_w and D_w during their searches;
            None without a search.
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

    def __repr__(self) -> str:
        names = ("gap", "minimax", "maximin")
        told = [
            f"{name}={getattr(self, name):.4g} ± {getattr(self, f'{name}_error'):.2g}"
            for name in names
        ]
        return f"GapEstimate({', '.join(told)}, num_scored={self.num_scored})"


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
        proximal: As in `duality_gap`.
        snapshots: As in `duality_gap`.
        batch_size: As in `duality_gap`.
        verbose: As in `duality_gap`. Default: 0.
    """

    def __init__(
        self,
        gan: Any,
        finding_data: Any,
        scoring_data: Any,
        num_steps: int = 300,
        learning_rate: float = 5e-4,
        *,
        optimizer: str = "adam",
        perturbation: Any = None,
        proximal: Any = None,
        snapshots: Any = None,
        batch_size: int = 128,
        verbose: int | str = 0,
    ) -> None:
        if not getattr(gan, "compiled", False):
            raise ValueError(
                "The gap is a gap in the model's own value, so the model must be "
                "compiled. Received: a model that is not. Call its compile() first."
            )
        # No player's own: what is measured must not depend on how it was trained.
        validation.check_choice("optimizer", optimizer, updates.NAMES)
        response = best_response.BestResponse(
            num_steps, optimizer, learning_rate, batches="fresh"
        )
        validation.check_integer("batch_size", batch_size)
        progress.check(verbose)
        self._gan = gan
        self._response = response
        self._perturbation = perturbations.as_perturbation(perturbation)
        self._proximal = proximity.as_proximal(proximal)
        self._snapshots = None
        if snapshots is not None and snapshots is not False:
            self._snapshots = stored.check(gan, snapshots)
            if perturbation is not None or proximal is not None:
                raise ValueError(
                    "`perturbation` and `proximal` change a search, and `snapshots` "
                    "replaces the search. Received: both. Leave one of the two out."
                )
        self._batch_size = batch_size
        self._finding, self._scoring = held_out.collect_pair(
            gan, finding_data, scoring_data, batch_size
        )
        networks = gan.minimizer_network, gan.maximizer_network
        players = [network.player() for network in networks]
        self._bar = None
        # The worst players' searches, and the scoring, in one program, traced once.
        if self._snapshots is None:
            if progress.is_shown(verbose, num_steps):
                self._bar = progress.Bar(num_steps)
            self._measure = tf.function(self._search_and_score).get_concrete_function(
                *players, randomness.root(0)
            )
        else:
            self._measure = tf.function(self._choose_and_score).get_concrete_function(
                *players,
                randomness.root(0),
                *(stored.specification(network) for network in networks),
            )

    def __call__(self, seed: int) -> GapEstimate:
        """Returns the `GapEstimate` of the model's present weights."""
        gan = self._gan
        arguments = [
            gan.minimizer_network.player(),
            gan.maximizer_network.player(),
            randomness.fold(randomness.root(seed), randomness.Purpose.EVALUATION),
        ]
        if self._snapshots is not None:
            arguments += stored.candidates(gan, self._snapshots)
        if self._bar is not None:
            self._bar.start()
        values, curves = self._measure(*arguments)
        if self._bar is not None:
            self._bar.finish()
        values = values.numpy().astype(np.float64)
        columns = np.stack([values[:, 0] - values[:, 1], *values.T])
        means = columns.mean(axis=1)
        number = columns.shape[1]
        errors = np.full(3, np.nan)
        if number > 1:
            errors = columns.std(axis=1, ddof=1) / np.sqrt(number)
        _, minimax, maximin = map(float, means)
        gap_error, minimax_error, maximin_error = map(float, errors)
        return GapEstimate(
            # Not the mean of differences, which rounds apart from its two halves.
            minimax - maximin,
            minimax,
            maximin,
            gap_error,
            minimax_error,
            maximin_error,
            curves=None if curves is None else curves.numpy(),
            num_scored=number * self._batch_size,
        )

    def _batch(self, data: Structure, index: Any, stream: tf.Tensor) -> Batch:
        """Returns the index-th batch of held-out data, going round and round."""
        size = self._batch_size
        return held_out.batch(
            self._gan, data, size, index * size, randomness.fold(stream, index)
        )

    def _search_and_score(self, u: Player, v: Player, stream: tf.Tensor) -> tuple:
        game = self._gan.game
        distance = sobolev_distance.distance_of(game)
        finding = randomness.fold(stream, 0)

        def draw(step: Any, inner: Any = None) -> Batch:
            if inner is None:
                if self._bar is not None:
                    self._bar.at(step)
                return self._batch(self._finding, step, finding)
            # A proximal answer's own latents, and data from another place.
            return self._batch(
                self._finding, step + inner + 1, randomness.fold(finding, 1, step)
            )

        worst, curves = gap.worst_players(
            game,
            u,
            v,
            self._response,
            randomness.fold(stream, randomness.Purpose.PERTURBATION),
            perturbation=self._perturbation,
            proximal=self._proximal,
            distance=distance,
            batch_fn=draw,
            record=True,
        )
        return self._score(u, v, worst, stream, distance), curves

    def _choose_and_score(
        self,
        u: Player,
        v: Player,
        stream: tf.Tensor,
        generators: Player,
        players: Player,
    ) -> tuple:
        game = self._gan.game
        finding = randomness.fold(stream, 0)
        number = held_out.first(self._finding).shape[0] // self._batch_size

        def mean_value(u: Player, v: Player) -> tf.Tensor:
            def add(total: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
                batch = self._batch(self._finding, index, finding)
                return total + game.value(u, v, batch)

            zero = tf.zeros((), self._gan._data_form.dtype)
            return tf.foldl(add, tf.range(number), zero) / number

        worst = gap.WorstPlayers(
            stored.worst(generators, lambda player: -mean_value(player, v)),
            stored.worst(players, lambda player: mean_value(u, player)),
            v,
        )
        return self._score(u, v, worst, stream), None

    def _score(
        self,
        u: Player,
        v: Player,
        worst: gap.WorstPlayers,
        stream: tf.Tensor,
        distance: Any = None,
    ) -> tf.Tensor:
        """Returns the values of every scoring batch, (number, 2)."""
        scoring = randomness.fold(stream, 1)

        def score(index: tf.Tensor) -> tf.Tensor:
            batch = self._batch(self._scoring, index, scoring)
            return tf.stack(
                gap.values(self._gan.game, u, v, worst, self._proximal, distance, batch)
            )

        number = held_out.first(self._scoring).shape[0] // self._batch_size
        return tf.map_fn(
            score, tf.range(number), fn_output_signature=self._gan._data_form.dtype
        )


def duality_gap(
    gan: Any,
    finding_data: Any,
    scoring_data: Any,
    num_steps: int = 300,
    learning_rate: float = 5e-4,
    perturbation: Any = None,
    seed: int | None = None,
    *,
    proximal: Any = None,
    snapshots: Any = None,
    optimizer: str = "adam",
    batch_size: int = 128,
    verbose: int | str = "auto",
) -> GapEstimate:
    """Measures how far a GAN is from an equilibrium of its own game.

    Mathematics: DG(G, D) = max_D' V(D', G) - min_G' V(D, G'). The worst discriminator
    D_w and the worst generator G_w are searched for from copies of the current players,
    opponents frozen, on the finding data; both values are then taken on the scoring
    data. The model itself is untouched.

    Up to the scoring's error the gap is >= 0, and 0 where neither search finds anything
    better; a search that gets nowhere reads 0 too, so read it beside `minimax`.

    Args:
        gan: A compiled `GAN`, or a subclass.
        finding_data: Real data, held out from training: array (n, ...), pair (array,
            labels) for class-conditional networks, or batches of either that end:
            `tf.data.Dataset`, `keras.utils.PyDataset`, `ShuffledStream` (one epoch),
            generator. Dictionaries need the names of the discriminator's inputs as
            keys.
        scoring_data: Likewise, with no example of `finding_data`; at least 6,400
            examples give a steady figure.
        num_steps: Steps of each search, >= 0. Default: 300.
        learning_rate: Step size of the searches, > 0. Default: 5e-4.
        perturbation: Noise on the searching player before its search: the root mean
            square, or a `kgg.games.Perturbation`. Default: None.
        seed: Integer; the same seed gives the same figure. Default: drawn anew.
        proximal: Weight l > 0 of the proximal gap, or a `kgg.games.Proximal`: G_w is
            measured against the discriminator's best answer near D. About ten times the
            cost of the plain gap, which l -> infinity gives. Default: None.
        snapshots: Chooses the worst players among stored ones (and the live one) on the
            finding data, instead of searching: True or "bank", the members of the
            model's banks (a side without a bank has its live network alone); or a list
            of pairs (discriminator weights, generator weights) as `get_weights`
            returns. A lower bound of the gap, at the cost of evaluating them. Default:
            None, search.
        optimizer: "adam", "sgd", "momentum" or "rmsprop", fresh at each search.
        batch_size: Examples per search step and per scoring batch, >= 1. Default: 128.
        verbose: 1, a progress bar of the search; 0, none; "auto", one for long searches
            on a terminal or in a notebook. Default: "auto".

    Returns:
        A `GapEstimate`.

    Raises:
        ValueError: If the model is not compiled, the two data sets share memory or more
            examples than chance explains, there is less than a batch of either, or
            there are no stored models.

    Warns:
        UserWarning: If the data sets share a few examples that may be chance.

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
        Sidheekh, Aimen, Krishnan: "On Characterizing GAN Convergence Through Proximal
        Duality Gap", 2021 (proximal).
    """
    estimator = GapEstimator(
        gan,
        finding_data,
        scoring_data,
        num_steps,
        learning_rate,
        optimizer=optimizer,
        perturbation=perturbation,
        proximal=proximal,
        snapshots=snapshots,
        batch_size=batch_size,
        verbose=verbose,
    )
    return estimator(randomness.new_seed() if seed is None else seed)
