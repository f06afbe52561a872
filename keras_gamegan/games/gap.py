"""The duality gap of a game at a point: a measure of both players."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import best_response, randomness, structures, updates
from keras_gamegan.games import perturbation as perturbations
from keras_gamegan.games import proximal as proximity
from keras_gamegan.games.best_response import BestResponse
from keras_gamegan.games.game import Game, TwoPlayerGame
from keras_gamegan.games.perturbation import Perturbation
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Structure


class Gap(NamedTuple):
    """The duality gap and its two halves.

    Attributes:
        gap: M(u, v_w) - M(u_w, v), signed: >= 0 if the searches were exact.
        minimax: M(u, v_w), a measure of the minimiser alone.
        maximin: M(u_w, v), a measure of the maximiser alone.
        worst_u: u_w, the best response found to v.
        worst_v: v_w, the best response found to u.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.Game(lambda u, v: u**2 - v**2)
        >>> result = kgg.games.duality_gap(game, 1.0, 1.0, 300, 0.1, optimizer="sgd")
        >>> float(result.gap), float(result.minimax), float(result.maximin)
        (2.0, 1.0, -1.0)
    """

    gap: tf.Tensor
    minimax: tf.Tensor
    maximin: tf.Tensor
    worst_u: Structure
    worst_v: Structure


class WorstPlayers(NamedTuple):
    """What the searches found.

    Attributes:
        u: `Player` u_w, the best response found to v.
        v: `Player` v_w, the best response found to u.
        answer: `Player` that u_w is measured against: v, or v~ of a proximal gap.
    """

    u: Player
    v: Player
    answer: Player


class SearchBatchFn(Protocol):
    """From the step of a search, and that of a proximal answer in it, to a batch."""

    def __call__(self, step: Any, inner: Any = None) -> Any:
        """Returns the batch."""


def worst_players(
    game: TwoPlayerGame,
    u: Player,
    v: Player,
    response: BestResponse,
    stream: tf.Tensor,
    *,
    perturbation: Perturbation | None = None,
    proximal: proximity.Proximal | None = None,
    distance: proximity.Distance = proximity.weight_distance,
    batch_fn: SearchBatchFn | None = None,
    record: bool = False,
) -> tuple[WorstPlayers, tf.Tensor | None]:
    """Searches the worst opponents of (u, v) of a gap that is measured.

    Args:
        game: A game (`minimizer_objective`, `maximizer_objective`).
        u: `Player`, the minimiser.
        v: `Player`, the maximiser.
        response: `BestResponse` of fresh batches: number of steps, optimizer and step
            size.
        stream: Random stream of the perturbation.
        perturbation: `Perturbation` or None.
        proximal: `Proximal` or None.
        distance: Function (player, center, batch) -> scalar; of `proximal`.
        batch_fn: Function from the step, and the step of a proximal answer or None, to
            a batch. Default: None, no batches.
        record: Whether to return the losses met on the way.

    Returns:
        A pair (`WorstPlayers`, losses of u_w and v_w (num_steps, 2) or None).
    """
    batch_fn = batch_fn or (lambda step, inner=None: None)

    def answer(player: Player, step: Any) -> Player:
        if proximal is None:
            return v
        return proximity.answer(
            game,
            player,
            v,
            proximal,
            response,
            lambda inner: batch_fn(step, inner),
            distance,
        )

    # The noise moves who searches, not who is answered.
    noisy_u, noisy_v = (
        perturbations.perturbed(player, perturbation, randomness.fold(stream, side))
        for side, player in enumerate((u, v))
    )
    (worst_u, worst_v), _, losses = best_response.best_responses(
        game,
        noisy_u,
        noisy_v,
        response,
        batch_fn=lambda index: batch_fn(index - 1),
        step_options={"record": record},
        opponents=(
            structures.pure(u),
            structures.pure(v)
            if proximal is None
            else lambda player, step: structures.pure(answer(player, step)),
        ),
    )
    worst = WorstPlayers(worst_u, worst_v, answer(worst_u, response.num_steps))
    return worst, losses


def values(
    game: TwoPlayerGame,
    u: Player,
    v: Player,
    worst: WorstPlayers,
    proximal: proximity.Proximal | None = None,
    distance: proximity.Distance = proximity.weight_distance,
    batch: Any = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns (minimax, maximin) of the worst players found, two scalars.

    Args:
        game: A game (`value`).
        u: `Player`, the minimiser.
        v: `Player`, the maximiser.
        worst: `WorstPlayers`.
        proximal: As in `worst_players`.
        distance: As in `worst_players`.
        batch: A batch or None.
    """
    minimax = game.value(u, worst.v, batch)
    maximin = game.value(worst.u, worst.answer, batch)
    if proximal is not None:
        moved = distance(worst.answer, v, batch)
        maximin -= structures.number(proximal.weight, maximin.dtype) * moved
    return minimax, maximin


def duality_gap(
    game: Game,
    u: Structure,
    v: Structure,
    num_steps: int = 500,
    learning_rate: float = 5e-3,
    perturbation: Perturbation | float | None = None,
    seed: int | None = None,
    *,
    proximal: proximity.Proximal | float | None = None,
    optimizer: str = "adam",
    dtype: str = "float64",
) -> Gap:
    """Measures how far (u, v) is from an equilibrium of a closed-form game.

    Mathematics: DG(u, v) = max_v' M(u, v') - min_u' M(u', v), with both extrema
    searched by `num_steps` steps from copies of the players. DG >= 0, and 0 exactly at
    a Nash equilibrium. A search that starts at a critical point stays there; see
    `perturbation`. With `proximal` the second term is min_u' V^l(u', v), see
    `Proximal`: smaller than DG, and 0 where v only has to answer to be unbeaten.

    Args:
        game: A `Game`.
        u: The minimiser: scalar, array or nested structure.
        v: The maximiser, likewise.
        num_steps: Steps of each search, >= 0. Default: 500.
        learning_rate: Step size of the search, > 0. Default: 5e-3.
        perturbation: Noise on the searching player before its search: the standard
            deviation, or a `Perturbation`. Default: None.
        seed: Integer seed of the noise. Default: None, drawn anew.
        proximal: Weight l > 0 of the proximal gap, or a `Proximal`. Default: None, the
            plain gap.
        optimizer: "adam", "sgd", "momentum" or "rmsprop". Default: "adam".
        dtype: "float64" or "float32". Default: "float64".

    Returns:
        A `Gap` of tensors.

    Raises:
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.exponential()
        >>> round(float(kgg.games.duality_gap(game, -8.67366, -12.467547).gap), 4)
        0.0019

    References:
        Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann, Krause: "A Domain
        Agnostic Measure for Monitoring and Evaluating GANs", 2019.
        Sidheekh, Aimen, Krishnan: "On Characterizing GAN Convergence Through Proximal
        Duality Gap", 2021 (proximal).
    """
    validation.check_choice("dtype", dtype, ("float32", "float64"))
    validation.check_choice("optimizer", optimizer, updates.NAMES)
    response = BestResponse(num_steps, optimizer, learning_rate, batches="fresh")
    noise, near = (
        perturbations.as_perturbation(perturbation),
        proximity.as_proximal(proximal),
    )
    stream = randomness.fold(
        randomness.root(randomness.new_seed() if seed is None else seed),
        randomness.Purpose.PERTURBATION,
    )
    u, v = (
        Player(tf.nest.map_structure(lambda x: tf.convert_to_tensor(x, dtype), part))
        for part in (u, v)
    )

    @tf.function
    def measure(u: Player, v: Player, stream: tf.Tensor) -> Gap:
        worst, _ = worst_players(
            game, u, v, response, stream, perturbation=noise, proximal=near
        )
        minimax, maximin = values(game, u, v, worst, near)
        return Gap(
            minimax - maximin, minimax, maximin, worst.u.weights, worst.v.weights
        )

    return measure.get_concrete_function(u, v, stream)(u, v, stream)
