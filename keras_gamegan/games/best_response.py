"""The k-step search for a best response: the inner problem of the duality gap."""

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import gradients, structures, updates


class BestResponse:
    """How the worst opponents of the current players are searched for.

    From copies of the current players, opponents frozen, `num_steps` steps of a fresh
    optimizer are taken on both sides:

        u_w <- u_w - e grad_u M(u_w, v),        v_w <- v_w + e grad_v M(u, v_w).

    Args:
        num_steps: Steps k of each search, an integer >= 0. 0 turns the duality gap
            into simultaneous gradient descent. Default: 10.
        optimizer: "sgd", "momentum", "adam" or "rmsprop"; its state starts afresh at
            every search. Default: "adam".
        learning_rate: Step size e of the search, > 0. Default: 1e-3.
        through_gradient: Whether the outer gradient passes through the k steps
            ("unrolled"). Off, the worst players are constants (envelope theorem).
            Default: False.
        batches: "shared", every step on the outer step's batch; or "fresh", the batch
            is dealt out in k + 1 equal shares with latents of their own, one share to
            the outer step and one to each inner step. Default: "shared".
        sync: Under several replicas: "global", every inner step sums the gradients over
            the replicas and all find the same opponents, exactly those of one replica
            with the whole batch; or "local", each replica searches on its own share
            without communication. On one replica the two are the same.
            Default: "global".

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> response = kgg.BestResponse(5, optimizer="sgd", learning_rate=0.05)
        >>> response.num_steps
        5

    References:
        Grnarova, Kilcher, Levy, Lucchi, Hofmann: "Generative Minimization Networks:
        Training GANs Without Competition", 2021.
        Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks",
        2017 (gradient through the search).
    """

    def __init__(
        self,
        num_steps=10,
        optimizer="adam",
        learning_rate=1e-3,
        *,
        through_gradient=False,
        batches="shared",
        sync="global",
    ):
        self.num_steps = validation.check_integer(
            "num_steps", num_steps, 0, "Pass 0 for plain simultaneous updates."
        )
        self.optimizer = validation.check_choice(
            "optimizer",
            optimizer,
            updates.NAMES,
            "The search needs a pure rule by name.",
        )
        self.learning_rate = validation.check_number(
            "learning_rate", learning_rate, exclusive=True
        )
        if not isinstance(through_gradient, bool):
            raise TypeError(
                "`through_gradient` must be True or False. "
                f"Received: through_gradient={through_gradient!r}."
            )
        self.through_gradient = through_gradient
        self.batches = validation.check_choice("batches", batches, ("shared", "fresh"))
        self.sync = validation.check_choice("sync", sync, ("global", "local"))

    def get_config(self):
        """Returns the constructor's arguments as a dictionary."""
        return {
            "num_steps": self.num_steps,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "through_gradient": self.through_gradient,
            "batches": self.batches,
            "sync": self.sync,
        }

    @classmethod
    def from_config(cls, config):
        """Returns the object that `get_config` described."""
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(tuple(self.get_config().items()))

    def __repr__(self):
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"BestResponse({arguments})"


def search(
    loss_fns,
    players,
    update,
    num_steps,
    *,
    reduce_gradients=None,
    loss_scales=None,
    unroll=False,
    record=False,
):
    """Takes ``num_steps`` descent steps on several independent losses in one loop.

    The losses do not depend on one another's players, so their steps overlap; under
    replicas their gradients share one all-reduce.

    Args:
        loss_fns: List of functions ``(Player, step) -> Outcome``; ``step`` is the
            index of the inner step, an int or an int32 tensor.
        players: List of `Player`, the starting points.
        update: An `updates.Update`.
        num_steps: Number of steps, a Python int >= 0.
        reduce_gradients: Function applied to the list of gradients at every step (sums
            over replicas). Default: None, nothing.
        loss_scales: List of scalars by which each loss is scaled during
            differentiation (mixed precision). Default: None.
        unroll: Whether to write the steps out instead of a graph loop. Needed where a
            collective cannot run inside a loop. Default: False.
        record: Whether to return the values met on the way. Default: False.

    Returns:
        A pair (players, values): the players found, and, if ``record``, a tensor
        (num_steps, number of losses) of each step's loss before the step, else None.
    """
    loss_fns, players = list(loss_fns), list(players)
    loss_scales = loss_scales or [None] * len(players)
    optimizer_states = [update.init(player.weights) for player in players]

    def one_step(step, players, optimizer_states):
        outcomes, slopes = [], []
        for loss_fn, player, loss_scale in zip(
            loss_fns, players, loss_scales, strict=True
        ):
            outcome, slope = gradients.loss_and_gradient(
                lambda candidate, loss_fn=loss_fn: loss_fn(candidate, step),
                player,
                loss_scale,
            )
            outcomes.append(outcome)
            slopes.append(_unscale(slope, loss_scale))
        if reduce_gradients is not None:
            slopes = reduce_gradients(slopes)
        found, states = [], []
        for outcome, slope, state in zip(
            outcomes, slopes, optimizer_states, strict=True
        ):
            weights, state = update.apply(slope, state, outcome.player.weights)
            found.append(structures.Player(weights, outcome.player.state))
            states.append(state)
        return found, states, tf.stack([outcome.loss for outcome in outcomes])

    if num_steps == 0:
        return players, None
    if unroll:
        values = []
        for step in range(num_steps):
            players, optimizer_states, losses = one_step(
                step, players, optimizer_states
            )
            values.append(losses)
        return players, (tf.stack(values) if record else None)
    return _graph_loop(one_step, players, optimizer_states, num_steps, record)


def _graph_loop(one_step, players, optimizer_states, num_steps, record):
    """Runs ``one_step`` in a `tf.while_loop`, whose graph does not grow with k."""
    dtype = tf.nest.flatten(players[0].weights)[0].dtype
    values = tf.zeros((num_steps if record else 0, len(players)), dtype)

    def body(step, players, optimizer_states, values):
        players, optimizer_states, losses = one_step(step, players, optimizer_states)
        if record:
            row = tf.cast(losses, values.dtype)
            values = tf.tensor_scatter_nd_update(values, [[step]], [row])
        return step + 1, players, optimizer_states, values

    _, players, _, values = tf.while_loop(
        lambda step, *_: step < num_steps,
        body,
        (tf.constant(0), players, optimizer_states, values),
        maximum_iterations=num_steps,
    )
    return players, (values if record else None)


def _unscale(gradient, loss_scale):
    if loss_scale is None:
        return gradient

    def unscale(g):
        g = g / tf.cast(loss_scale, g.dtype)
        # A float16 overflow skips this inner step, as loss scaling does outside.
        return tf.where(tf.math.is_finite(g), g, tf.zeros_like(g))

    return tf.nest.map_structure(unscale, gradient)


def best_responses(game, u, v, response, *, batch_fn=None, step_options=None):
    """Searches both worst opponents of (u, v) at once.

    Args:
        game: A game (`minimizer_objective`, `maximizer_objective`).
        u: `Player`, the minimising player; frozen while v_w is searched.
        v: `Player`, the maximising player; frozen while u_w is searched.
        response: A `BestResponse`.
        batch_fn: Function from the index of a draw (0 is the outer step's, j + 1 the
            j-th inner step's fresh one) to a batch. Default: None, no batches.
        step_options: Keyword arguments of `search` (reduction over replicas, loss
            scales, unrolling). Default: None.

    Returns:
        A pair (u_w, v_w) of `Player`; constants unless ``response.through_gradient``.
    """
    frozen_u, frozen_v = structures.pure(u), structures.pure(v)
    step_options = dict(step_options or {})
    if response.sync == "local":
        # Without communication there is nothing a loop of the graph cannot hold.
        step_options.update(reduce_gradients=None, unroll=False)
        batch_fn = getattr(batch_fn, "local", batch_fn)
    if response.batches == "fresh":
        loss_fns = [
            lambda player, step: game.minimizer_objective(
                frozen_v, _draw(batch_fn, step + 1)
            )(player),
            lambda player, step: game.maximizer_objective(
                frozen_u, _draw(batch_fn, step + 1)
            )(player),
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
    (worst_u, worst_v), _ = search(
        loss_fns,
        [u, v],
        updates.get(response.optimizer, response.learning_rate),
        response.num_steps,
        **step_options,
    )
    if response.through_gradient:
        return worst_u, worst_v
    return structures.stop_gradient(worst_u), structures.stop_gradient(worst_v)


def _draw(batch_fn, index):
    return None if batch_fn is None else batch_fn(index)
