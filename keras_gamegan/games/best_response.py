"""The best responses to both players: the inner problem of the duality gap."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from keras_gamegan import representation, validation
from keras_gamegan.games import perturbation as perturbations
from keras_gamegan.games import search, sides, starts, structures, updates
from keras_gamegan.games.game import BatchFn, Objective, Outcome, TwoPlayerGame
from keras_gamegan.games.structures import Player
from keras_gamegan.games.updates import Update
from keras_gamegan.typing import Config, Structure

_LEARNING_RATE = 1e-3

# Whom a search answers.
Opponent: TypeAlias = (
    structures.Mixture | Callable[[Player, Any], structures.Mixture] | None
)


class BestResponse:
    """How the worst opponents of the current players are searched for.

    Opponents frozen, `num_steps` steps of an optimizer are taken on both sides:

        u_w <- u_w - e grad_u M(u_w, v),        v_w <- v_w + e grad_v M(u, v_w).

    `start` says from where. "current": from copies of the current players, with a fresh
    optimizer. "perturbed": the same with noise on the searching player, which frees a
    search that stands at a critical point. "persistent": from the worst players of the
    last step, with the optimizer where it was; before the search they are pulled
    towards the current players,

        u_w <- u_w + pull (u - u_w),            v_w <- v_w + pull (v - v_w),

    and so are the moving statistics of BatchNorm and the like. An outer
    step with `num_steps=1` then costs about two plain ones. With "sgd" and players that
    stand still the worst players drift as far as num_steps / pull steps would take
    them. The pull is what couples the players: without it u_w and v, and u and v_w,
    play two separate games.

    Args:
        num_steps: Steps k of each search, an integer >= 0. 0 turns the duality gap
            into simultaneous gradient descent; at equal gradient evaluations 1 did
            best (`docs/results/methods.md`). Default: 1.
        optimizer: "sgd", "momentum", "adam" or "rmsprop"; its state starts afresh at
            every search, unless `start` is "persistent". Or "player": each search goes
            on as the searching player itself would, from copies of its optimizer's
            moments and at its rate, a plain Adam's or SGD's. Default: "adam".
        learning_rate: Step size e of the search, > 0; none with `optimizer="player"`.
            Default: None, which is 1e-3.
        through_gradient: Whether the outer gradient passes through the k steps
            ("unrolled"). Off, the worst players are constants (envelope theorem).
            Default: False.
        batches: "shared", every step on the outer step's batch; or "fresh", the batch
            is dealt out in k + 1 equal slices with latents of their own, one slice to
            the outer step and one to each inner step. Default: "shared".
        sync: Under several replicas: "global", every inner step sums the gradients over
            the replicas and all find the same opponents, exactly those of one replica
            with the whole batch; or "local", each replica searches on its own share
            without communication. On one replica the two are the same.
            Default: "global".
        start: "current"; "perturbed", or a `kgg.games.Perturbation`; "persistent", or a
            `kgg.games.Persistent`. The last needs `num_steps` >= 1, `sync="global"` and
            no `through_gradient`. Default: "current".
        pull: With `start="persistent"`, that of `kgg.games.Persistent`. Default: None,
            which is 0.05.
        side: Whose best response is searched: "both"; "generator" (or "minimizer"), of
            u_w alone, so that the discriminator learns against it and the generator
            against the live discriminator; or "discriminator" (or "maximizer"), of v_w
            alone. What is not searched is the live player, and the logged gap is of
            the one search. Default: "both".
        perturbation: With `start="perturbed"`: the size of the noise, a number >= 0 or
            a `kgg.games.Perturbation`. Default: None, which is 0.01.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range, a name unknown, or an argument given
            that the chosen `start` has no use for.

    Example:
        >>> import keras_gamegan as kgg
        >>> response = kgg.BestResponse(5, optimizer="sgd", learning_rate=0.05)
        >>> response.num_steps
        5
        >>> kgg.BestResponse(1, start=kgg.games.Persistent(pull=0.2)).start
        'persistent'

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
        Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks",
        2017 (gradient through the search).
        Martin, Sandholm: "ApproxED: Approximate Exploitability Descent via Learned
        Best Responses", 2023 (best responses that persist).
    """

    def __init__(
        self,
        num_steps: int = 1,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        *,
        through_gradient: bool = False,
        batches: str = "shared",
        sync: str = "global",
        start: str | perturbations.Perturbation | starts.Persistent = "current",
        pull: float | None = None,
        perturbation: perturbations.Perturbation | float | None = None,
        side: str = "both",
    ) -> None:
        self.num_steps = validation.check_integer(
            "num_steps", num_steps, 0, "Pass 0 for plain simultaneous updates."
        )
        self.optimizer = validation.check_choice(
            "optimizer",
            optimizer,
            (*updates.NAMES, "player"),
            "The search needs a pure rule by name.",
        )
        if optimizer != "player":
            learning_rate = validation.check_number(
                "learning_rate",
                _LEARNING_RATE if learning_rate is None else learning_rate,
                exclusive=True,
            )
        elif learning_rate is not None:
            raise ValueError(
                "With optimizer='player' the search has the player's own rate. "
                f"Received: learning_rate={learning_rate!r}. Leave it out."
            )
        self.learning_rate = learning_rate
        if not isinstance(through_gradient, bool):
            raise TypeError(
                "`through_gradient` must be True or False. "
                f"Received: through_gradient={through_gradient!r}."
            )
        self.through_gradient = through_gradient
        self.batches = validation.check_choice("batches", batches, ("shared", "fresh"))
        self.sync = validation.check_choice("sync", sync, ("global", "local"))
        self.side = sides.check_side(side)
        self.begin = starts.get(start, pull, perturbation)
        if self.start == "persistent":
            self._check_persistent()

    @property
    def start(self) -> str:
        """Name of where the search sets out from."""
        return self.begin.name

    @property
    def pull(self) -> float | None:
        """How far worst players that persist are drawn back; None: they do not."""
        return getattr(self.begin, "pull", None)

    @property
    def perturbation(self) -> perturbations.Perturbation | None:
        """The noise of the start, or None."""
        return getattr(self.begin, "perturbation", None)

    def _check_persistent(self) -> None:
        refused = {
            "optimizer": self.optimizer == "player"
            and "they have an optimizer of their own: name a rule",
            "num_steps": self.num_steps == 0
            and "players that take no step are no best responses: pass num_steps=1",
            "through_gradient": self.through_gradient
            and "nearly all of their steps lie in the past, where no gradient reaches: "
            "leave through_gradient out",
            "sync": self.sync == "local"
            and "they are the same on every replica, which needs sync='global'",
        }
        for name, reason in refused.items():
            if reason:
                raise ValueError(
                    "With start='persistent' the worst players live on from step to "
                    f"step. Received: {name}={getattr(self, name)!r}; {reason}."
                )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "num_steps": self.num_steps,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "through_gradient": self.through_gradient,
            "batches": self.batches,
            "sync": self.sync,
            "start": self.start,
            "pull": self.pull,
            "perturbation": self.perturbation and self.perturbation.get_config(),
            "side": self.side,
        }

    @classmethod
    def from_config(cls, config: Config) -> "BestResponse":
        """Returns the object that `get_config` described."""
        config = dict(config)
        if config.get("perturbation") is not None:
            config["perturbation"] = perturbations.Perturbation.from_config(
                config["perturbation"]
            )
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        arguments = {name: getattr(self, name) for name in self.get_config()}
        if self.learning_rate == _LEARNING_RATE:
            arguments["learning_rate"] = None
        return representation.short(self, arguments)


def initial_state(response: BestResponse, u: Player, v: Player) -> tuple:
    """Returns what a `BestResponse` carries from step to step, before the first one.

    "current" carries nothing, "perturbed" the number of steps taken, and "persistent"
    that, the pair (u_w, v_w) and the pair of their optimizers' states.
    """

    def begin(weights: Structure) -> Structure:
        return updates.get(response.optimizer, response.learning_rate).init(weights)

    return response.begin.initial_state(u, v, begin)


def best_responses(
    game: TwoPlayerGame,
    u: Player,
    v: Player,
    response: BestResponse,
    *,
    batch_fn: BatchFn | None = None,
    step_options: Mapping[str, Any] | None = None,
    rules: Sequence[tuple[Update, Structure]] | None = None,
    state: tuple = (),
    seed: int | tf.Tensor = 0,
    opponents: tuple[Opponent, Opponent] = (None, None),
) -> tuple[tuple[Player, Player], tuple, tf.Tensor | None]:
    """Searches both worst opponents of (u, v) at once.

    Args:
        game: A game (`minimizer_objective`, `maximizer_objective`).
        u: `Player`, the minimising player; frozen while v_w is searched.
        v: `Player`, the maximising player; frozen while u_w is searched.
        response: A `BestResponse`.
        batch_fn: Function from the index of a draw (0 is the outer step's, j + 1 the
            j-th inner step's fresh one) to a batch. Default: None, no batches.
        step_options: Keyword arguments of `search` (reduction over replicas, loss
            scales, unrolling, recording). Default: None.
        rules: Pair of (`updates.Update`, its state) of both players, with which the
            search goes on; of `optimizer="player"`. Default: None.
        state: What `initial_state` or the last call returned. Default: (), enough for
            `start="current"`.
        seed: Integer seed of the noise of `start="perturbed"`. Default: 0.
        opponents: Pair of `Mixture`, of minimisers that v_w answers and of maximisers
            that u_w answers; or, of fresh batches, a function from the searching player
            and the step to one. None stands for u, or v, alone. Default: (None, None).

    Returns:
        A triple ((u_w, v_w), state, losses): two `Player`, constants unless
        ``response.through_gradient``, the state for the next call, and the losses met
        on the way (num_steps, searches) if they are recorded, else None.
    """
    frozen_u: Any
    frozen_v: Any
    frozen_u, frozen_v = (
        structures.pure(player) if mixture is None else mixture
        for player, mixture in zip((u, v), opponents, strict=True)
    )
    step_options = dict(step_options or {})
    if response.sync == "local":
        # Without communication there is nothing a loop of the graph cannot hold.
        step_options.update(reduce_gradients=None, unroll=False)
        batch_fn = getattr(batch_fn, "local", batch_fn)
    if response.batches == "fresh":
        loss_fns = [
            _on_fresh_batches(objective, opponent, batch_fn)
            for objective, opponent in (
                (game.minimizer_objective, frozen_v),
                (game.maximizer_objective, frozen_u),
            )
        ]
    else:
        # Outside the loop: what depends on the opponents alone is computed once.
        batch = _draw(batch_fn, 0)
        loss_of_u = game.minimizer_objective(frozen_v, batch)
        loss_of_v = game.maximizer_objective(frozen_u, batch)
        loss_fns = [
            lambda player, step: loss_of_u(player),
            lambda player, step: loss_of_v(player),
        ]
    projections = game.project_minimizer, game.project_maximizer
    players = [
        project(player)
        for project, player in zip(
            projections, response.begin.players(u, v, state, seed), strict=True
        )
    ]
    if rules is None:
        update = updates.get(response.optimizer, response.learning_rate)
        kept = response.begin.optimizer_states(state)
        rules = [
            (update, update.init(player.weights) if kept is None else kept[place])
            for place, player in enumerate(players)
        ]
    searched = [
        place
        for place, is_chosen in enumerate(sides.chosen(response.side))
        if is_chosen
    ]
    scales = step_options.pop("loss_scales", None) or (None, None)
    found, states, losses = search.descend(
        [loss_fns[place] for place in searched],
        [players[place] for place in searched],
        [rules[place][1] for place in searched],
        [rules[place][0] for place in searched],
        response.num_steps,
        projections=[projections[place] for place in searched],
        loss_scales=[scales[place] for place in searched],
        **step_options,
    )
    players, optimizer_states = [u, v], [each for _, each in rules]
    for place, player, reached in zip(searched, found, states, strict=True):
        players[place], optimizer_states[place] = player, reached
    worst = players[0], players[1]
    if not response.through_gradient:
        worst = structures.stop_gradient(worst)
    state = response.begin.next_state(state, worst, tuple(optimizer_states))
    return worst, state, losses


def _on_fresh_batches(
    objective: Callable[..., Objective], opponent: Any, batch_fn: BatchFn | None
) -> search.StepLoss:
    """Returns the loss of a search whose every step has a batch of its own."""

    def loss(player: Player, step: Any) -> Outcome:
        met = opponent(player, step) if callable(opponent) else opponent
        return objective(met, _draw(batch_fn, step + 1))(player)

    return loss


def _draw(batch_fn: BatchFn | None, index: Any) -> Any:
    return None if batch_fn is None else batch_fn(index)
