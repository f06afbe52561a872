"""Schemes in which each player descends its own loss against the other's iterate."""

from typing import Any

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import gradients, structures
from keras_gamegan.games.game import BatchFn, Outcome, TwoPlayerGame
from keras_gamegan.games.schemes import scheme
from keras_gamegan.games.structures import Mixture, Player
from keras_gamegan.typing import Config, Structure


def simultaneous_gradients(
    game: TwoPlayerGame, u: Player, v: Player, stepper: scheme.Stepper, batch: Any
) -> tuple[tuple[Outcome, Structure], tuple[Outcome, Structure]]:
    """Differentiates both players' losses at the same point.

    Args:
        game: A game.
        u: The minimising `Player`.
        v: The maximising `Player`.
        stepper: A `Stepper`: its loss scales are in the gradients.
        batch: A batch, or None.

    Returns:
        Two pairs (outcome, gradient), the minimiser's and the maximiser's.

    Example:
        >>> import keras_gamegan as kgg
        >>> from keras_gamegan.games import descent_stepper, updates
        >>> u, v = kgg.games.schemes.players(2.0, 3.0)
        >>> stepper = descent_stepper.DescentStepper(updates.sgd(0.1), ((), ()))
        >>> of_u, of_v = kgg.games.schemes.simultaneous_gradients(
        ...     kgg.games.bilinear(), u, v, stepper, None
        ... )
        >>> float(of_u[1]), float(of_v[1])
        (3.0, -2.0)
    """
    of_u = gradients.loss_and_gradient(
        game.minimizer_objective(structures.pure(v), batch),
        u,
        stepper.minimizer_scale,
        stepper.minimizer_missing,
    )
    of_v = gradients.loss_and_gradient(
        game.maximizer_objective(structures.pure(u), batch),
        v,
        stepper.maximizer_scale,
        stepper.maximizer_missing,
    )
    return of_u, of_v


class Simultaneous(scheme.Scheme):
    """Simultaneous gradient descent-ascent: both gradients at the same point.

    u <- u - a grad_u M(u, v),   v <- v + a grad_v M(u, v).

    Example:
        >>> import keras_gamegan as kgg
        >>> scheme = kgg.games.schemes.Simultaneous()
        >>> kgg.games.solve(kgg.games.e3(), scheme=scheme).iterations
        87
        >>> kgg.games.solve(kgg.games.g1(), scheme=scheme).diverged
        True
    """

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
        (out_u, grad_u), (out_v, grad_v) = simultaneous_gradients(
            game, u, v, stepper, scheme.draw(batch_fn, 0)
        )
        return scheme.Step(
            stepper.minimizer(out_u.player, grad_u),
            stepper.maximizer(out_v.player, grad_v),
            scheme.next_state(state),
            scheme.report(out_u, out_v),
        )


class Alternating(scheme.Scheme):
    """Alternating gradient descent-ascent: the maximiser moves first.

    v <- v + a grad_v M(u, v), `maximizer_steps` times; then, against the new v,
    u <- u - a grad_u M(u, v), `minimizer_steps` times. Every inner step draws a batch.

    Args:
        maximizer_steps: Steps of the maximiser per step of the scheme, >= 1.
            Default: 1.
        minimizer_steps: Steps of the minimiser per step of the scheme, >= 1.
            Default: 1.

    Example:
        >>> import keras_gamegan as kgg
        >>> scheme = kgg.games.schemes.Alternating(maximizer_steps=5)
        >>> kgg.games.solve(kgg.games.e4(), scheme=scheme).iterations
        406
    """

    def __init__(self, maximizer_steps: int = 1, minimizer_steps: int = 1) -> None:
        self.maximizer_steps = validation.check_integer(
            "maximizer_steps", maximizer_steps
        )
        self.minimizer_steps = validation.check_integer(
            "minimizer_steps", minimizer_steps
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "maximizer_steps": self.maximizer_steps,
            "minimizer_steps": self.minimizer_steps,
        }

    def opponents_of_maximizer(self, u: Player, state: Any) -> Mixture:
        """Returns the `Mixture` the maximiser answers."""
        return structures.pure(u)

    def opponents_of_minimizer(self, v: Player, state: Any) -> Mixture:
        """Returns the `Mixture` the minimiser answers, once the maximiser has moved."""
        return structures.pure(v)

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
        opponents = self.opponents_of_maximizer(u, state)
        for index in range(self.maximizer_steps):
            out_v, grad_v = gradients.loss_and_gradient(
                game.maximizer_objective(opponents, scheme.draw(batch_fn, index)),
                v,
                stepper.maximizer_scale,
                stepper.maximizer_missing,
            )
            v = stepper.maximizer(out_v.player, grad_v)
        opponents = self.opponents_of_minimizer(v, state)
        for index in range(self.minimizer_steps):
            batch = scheme.draw(batch_fn, self.maximizer_steps + index)
            out_u, grad_u = gradients.loss_and_gradient(
                game.minimizer_objective(opponents, batch),
                u,
                stepper.minimizer_scale,
                stepper.minimizer_missing,
            )
            u = stepper.minimizer(out_u.player, grad_u)
        return scheme.Step(u, v, scheme.next_state(state), scheme.report(out_u, out_v))


class Extragradient(scheme.Scheme):
    """Extragradient: step with the gradient at a look-ahead point.

    (u', v') = (u, v) - e F(u, v);   (u, v) <- (u, v) - a F(u', v'),
    F = (grad_u M, -grad_v M).

    Without a step size of its own the look-ahead is the players' optimizers' step, with
    Adam for instance ExtraAdam: both gradients enter the optimizers' moments, which
    count two steps.

    Args:
        step_size: Size e of the look-ahead step, > 0. Default: None, the step that the
            players' own optimizers take.

    Example:
        >>> import keras_gamegan as kgg
        >>> scheme = kgg.games.schemes.Extragradient(step_size=0.05)
        >>> kgg.games.solve(kgg.games.e4(), scheme=scheme).iterations
        500

    References:
        Korpelevich: "The Extragradient Method for Finding Saddle Points and Other
        Problems", 1976.
        Gidel, Berard, Vignoud, Vincent, Lacoste-Julien: "A Variational Inequality
        Perspective on Generative Adversarial Networks", 2019 (ExtraAdam).
    """

    def __init__(self, step_size: float | None = None) -> None:
        if step_size is not None:
            step_size = validation.check_number("step_size", step_size, exclusive=True)
        self.step_size = step_size

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"step_size": self.step_size}

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
        batch = scheme.draw(batch_fn, 0)
        (out_u, grad_u), (out_v, grad_v) = simultaneous_gradients(
            game, u, v, stepper, batch
        )
        if self.step_size is None:
            ahead_u = stepper.minimizer_trial(out_u.player, grad_u)
            ahead_v = stepper.maximizer_trial(out_v.player, grad_v)
        else:
            ahead_u, ahead_v = (
                Player(
                    structures.add_scaled(player.weights, -self.step_size, gradient),
                    player.state,
                )
                for player, gradient in zip(
                    (u, v), stepper.exact((grad_u, grad_v)), strict=True
                )
            )
        (_, grad_u), (_, grad_v) = simultaneous_gradients(
            game, ahead_u, ahead_v, stepper, batch
        )
        return scheme.Step(
            stepper.minimizer(out_u.player, grad_u),
            stepper.maximizer(out_v.player, grad_v),
            scheme.next_state(state),
            scheme.report(out_u, out_v),
        )


class Optimistic(scheme.Scheme):
    """Optimistic gradient descent-ascent: the last step's change is expected again.

    w <- w - 2 a F_t + a F_{t-1}, with F_{-1} = F_0: the first step is an ordinary one.

    Example:
        >>> import keras_gamegan as kgg
        >>> scheme = kgg.games.schemes.Optimistic()
        >>> kgg.games.solve(kgg.games.e4(), scheme=scheme).iterations
        495

    References:
        Daskalakis, Ilyas, Syrgkanis, Zeng: "Training GANs with Optimism", 2018.
    """

    def initial_state(self, u: Player, v: Player) -> scheme.State:
        """Returns whether a step was taken, and the players' last gradients."""
        return scheme.first_state(
            own={"started": tf.zeros((), tf.bool)},
            u={"gradient": structures.zeros_like(u.weights)},
            v={"gradient": structures.zeros_like(v.weights)},
        )

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
        (out_u, grad_u), (out_v, grad_v) = simultaneous_gradients(
            game, u, v, stepper, scheme.draw(batch_fn, 0)
        )
        now = stepper.exact((grad_u, grad_v))
        last = state.u["gradient"], state.v["gradient"]
        expected = tf.nest.map_structure(
            lambda g, old: tf.where(state.own["started"], 2.0 * g - old, g), now, last
        )
        grad_u, grad_v = stepper.handed(expected)
        return scheme.Step(
            stepper.minimizer(out_u.player, grad_u),
            stepper.maximizer(out_v.player, grad_v),
            state.after_step(
                own={"started": tf.ones((), tf.bool)},
                u={"gradient": now[0]},
                v={"gradient": now[1]},
            ),
            scheme.report(out_u, out_v),
        )
