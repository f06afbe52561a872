"""Descent on the duality gap: each player learns against the other's best response."""

from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan import representation
from keras_gamegan.games import best_response, gradients, structures
from keras_gamegan.games.best_response import BestResponse
from keras_gamegan.games.game import BatchFn, Objective, Outcome, TwoPlayerGame
from keras_gamegan.games.schemes import histories, scheme
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config, Structure

_Pair: TypeAlias = tuple[Player, Player]
# Worst players, new state, and (outcome, gradient) of both players.
_Gradients: TypeAlias = tuple[
    _Pair, Any, tuple[Outcome, Structure], tuple[Outcome, Structure]
]


class DualityGap(scheme.Scheme):
    """Minimises DG(u, v) = max_v' M(u, v') - min_u' M(u', v).

    The worst opponents u_w, v_w are found by k steps from the current players. By the
    envelope theorem

        grad_u DG = grad_u M(u, v_w),     grad_v DG = -grad_v M(u_w, v),

    so both players then take one ordinary step, each against its worst opponent. With
    `BestResponse(through_gradient=True)` the whole of DG is differentiated, the k
    steps included. The scheme's state is what the response carries from step to step.

    Args:
        response: A `BestResponse`.
        seed: Integer seed of the noise of `BestResponse(start="perturbed")`, and of a
            history's draws. Default: 0.
        history: A `kgg.History`: u_w answers the mixture of v's past, v_w that of u's
            past, the live ones among them. Each player then descends the gap of the
            mixtures, of which it is the newest member; the logged gap, M(u, v_w) -
            M(u_w, v), stays that of the live players, against those worst ones.
            Default: None, the live opponent alone.
        mixture: As in `FictitiousGAN`. Default: "sampled".

    Raises:
        ValueError: If a history meets `BestResponse(through_gradient=True)`.

    Example:
        >>> import keras_gamegan as kgg
        >>> response = kgg.BestResponse(5, optimizer="sgd", learning_rate=0.05)
        >>> scheme = kgg.games.schemes.DualityGap(response)
        >>> kgg.games.solve(kgg.games.g1(), scheme=scheme).iterations
        101

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
    """

    def __init__(
        self,
        response: BestResponse,
        seed: int = 0,
        *,
        history: Any = None,
        mixture: str = "sampled",
    ) -> None:
        if history is not None and response.through_gradient:
            raise ValueError(
                "Past opponents are constants: a gap against a history is not "
                "differentiated through its search. Received: history= and "
                "BestResponse(through_gradient=True). Leave out one of the two."
            )
        self.response = response
        self.seed = seed
        self.history = history
        self.mixture = histories.check_mixture(mixture)

    log_names = ("duality_gap",)

    @property
    def num_shares(self) -> int:  # type: ignore[override]  # Schemes may set theirs.
        """Number of slices in which a step's batch is dealt out to its draws."""
        return self.response.num_steps + 1 if self.response.batches == "fresh" else 1

    def initial_state(
        self, u: Player, v: Player, begun: histories.Pair | None = None
    ) -> scheme.State:
        """Returns the response's state, if it persists, and the histories.

        Args:
            u: The minimising `Player`.
            v: The maximising `Player`.
            begun: Pair of histories that have begun. Default: None, they begin here.
        """
        state = _as_state(
            scheme.first_state(), best_response.initial_state(self.response, u, v)
        )
        if self.history is None:
            return state
        if begun is None:
            begun = self.history.begin(u, v, self.mixture, self.seed)
        return histories.with_histories(state, begun)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        config: Config = {"response": self.response.get_config(), "seed": self.seed}
        if self.history is not None:
            config.update(history=self.history, mixture=self.mixture)
        return config

    def __repr__(self) -> str:
        shown: Config = {"response": self.response}
        if self.history is not None:
            shown.update(history=self.history, mixture=self.mixture)
        return representation.short(self, shown)

    @classmethod
    def from_config(cls, config: Config) -> "DualityGap":
        """Returns the scheme that `get_config` described."""
        config = dict(config)
        response = BestResponse.from_config(config.pop("response"))
        return cls(response, **histories.deserialized(config))

    def step(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: scheme.Stepper,
        batch_fn: BatchFn | None = None,
    ) -> scheme.Step:
        """Updates both players once; see `Scheme.step`."""
        differentiate = (
            self._through_gradients
            if self.response.through_gradient
            else self._envelope_gradients
        )
        worst, state, of_u, of_v = differentiate(game, u, v, state, stepper, batch_fn)
        (out_u, grad_u), (out_v, grad_v) = of_u, of_v
        # What the gradients have computed on their way is not computed again.
        (worst_u, worst_v), batch = worst, scheme.draw(batch_fn, 0)
        upper: tf.Tensor = out_u.value
        lower: tf.Tensor = out_v.value
        if not game.exact_minimizer_value:
            upper = game.value(u, worst_v, batch)
        if not game.exact_maximizer_value:
            lower = game.value(worst_u, v, batch)
        moved_u = stepper.minimizer(out_u.player, grad_u)
        moved_v = stepper.maximizer(out_v.player, grad_v)
        return scheme.Step(
            moved_u,
            moved_v,
            histories.recorded(state, moved_u, moved_v),
            scheme.report(out_u, out_v, duality_gap=upper - lower),
        )

    def _losses(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: scheme.Stepper,
        batch_fn: BatchFn | None,
    ) -> tuple[_Pair, Any, Objective, Objective]:
        """Returns worst players, new state and the gap's two terms as functions."""
        (worst_u, worst_v), carried, _ = best_response.best_responses(
            game,
            u,
            v,
            self.response,
            batch_fn=batch_fn,
            step_options=stepper.search_options,
            rules=stepper.rules() if self.response.optimizer == "player" else None,
            state=_carried(state),
            seed=self.seed,
            opponents=(
                histories.opponent(state, self.history, 0, u),
                histories.opponent(state, self.history, 1, v),
            ),
        )
        state = _as_state(scheme.next_state(state), carried)
        batch = scheme.draw(batch_fn, 0)
        loss_of_u = game.minimizer_objective(
            structures.pure(worst_v), batch, with_value=game.exact_minimizer_value
        )
        loss_of_v = game.maximizer_objective(structures.pure(worst_u), batch)
        return (worst_u, worst_v), state, loss_of_u, loss_of_v

    def _envelope_gradients(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: scheme.Stepper,
        batch_fn: BatchFn | None,
    ) -> _Gradients:
        worst, state, loss_of_u, loss_of_v = self._losses(
            game, u, v, state, stepper, batch_fn
        )
        return (
            worst,
            state,
            gradients.loss_and_gradient(
                loss_of_u, u, stepper.minimizer_scale, stepper.minimizer_missing
            ),
            gradients.loss_and_gradient(
                loss_of_v, v, stepper.maximizer_scale, stepper.maximizer_missing
            ),
        )

    def _through_gradients(
        self,
        game: TwoPlayerGame,
        u: Player,
        v: Player,
        state: Any,
        stepper: scheme.Stepper,
        batch_fn: BatchFn | None,
    ) -> _Gradients:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((u.weights, v.weights))
            worst, state, loss_of_u, loss_of_v = self._losses(
                game, u, v, state, stepper, batch_fn
            )
            out_u, out_v = loss_of_u(u), loss_of_v(v)
            total = out_u.loss + out_v.loss
            scales = stepper.minimizer_scale, stepper.maximizer_scale
            # One pass serves both players, though only one of them may be scaled.
            common = next((scale for scale in scales if scale is not None), 1.0)
            total = total * structures.number(common, total.dtype)
        number = len(tf.nest.flatten(u.weights))

        def tell(missing: list[int]) -> None:
            for told, indices in (
                (stepper.minimizer_missing, [i for i in missing if i < number]),
                (
                    stepper.maximizer_missing,
                    [i - number for i in missing if i >= number],
                ),
            ):
                if indices and told is not None:
                    told(indices)

        grad_u, grad_v = gradients.gradient(tape, total, (u.weights, v.weights), tell)
        grad_u, grad_v = (
            gradient
            if scale is common
            else structures.scale(gradient, (1.0 if scale is None else scale) / common)
            for gradient, scale in zip((grad_u, grad_v), scales, strict=True)
        )
        return worst, state, (out_u, grad_u), (out_v, grad_v)


def _as_state(state: Any, carried: tuple) -> Any:
    """Returns a scheme's state with what a response carries from step to step."""
    if len(carried) < 3:
        return state
    sides = (
        {**dict(before), "player": player, "optimizer": optimizer}
        for before, player, optimizer in zip(
            (state.u, state.v), *carried[1:], strict=True
        )
    )
    return state._replace(**dict(zip(("u", "v"), sides, strict=True)))


def _carried(state: Any) -> tuple:
    """Returns what a response carries, as `best_response.best_responses` takes it."""
    if not isinstance(state, scheme.State):
        return ()
    if "player" not in state.u:
        return (state.step,)
    return (
        state.step,
        (state.u["player"], state.v["player"]),
        (state.u["optimizer"], state.v["optimizer"]),
    )
