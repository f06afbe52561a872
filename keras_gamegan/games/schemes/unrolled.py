"""Unrolled descent: the minimiser learns through the maximiser's next steps."""

from typing import Any

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import gradients, search, structures, updates
from keras_gamegan.games.game import BatchFn, TwoPlayerGame
from keras_gamegan.games.schemes import scheme
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config


class Unrolled(scheme.Scheme):
    """Unrolled descent: the minimiser learns through n steps of the maximiser.

    v_0 = v,   v_{j+1} = v_j + e grad_v M(u, v_j);

        u <- u - a d/du M(u, v_n(u)),       v <- v + a grad_v M(u, v),

    where d/du passes through all n steps. The maximiser itself goes one ordinary step.

    Args:
        num_steps: Steps n of the maximiser, >= 0; 0 is simultaneous descent. Default:
            5.
        optimizer: Rule of these steps: "sgd", "momentum", "adam" or "rmsprop". The
            first step of a fresh "adam" has a fixed length and hardly a derivative.
            Default: "sgd".
        learning_rate: Step size e of these steps, > 0. Default: 0.05.

    Raises:
        TypeError: If a number is not one.
        ValueError: If a number is out of range, or the name unknown.

    Example:
        >>> import keras_gamegan as kgg
        >>> plain = kgg.games.solve(kgg.games.bilinear(), scheme="simultaneous")
        >>> unrolled = kgg.games.solve(kgg.games.bilinear(), scheme="unrolled")
        >>> plain.converged, unrolled.converged
        (False, True)

    References:
        Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks",
        2017.
    """

    def __init__(
        self,
        num_steps: int = 5,
        optimizer: str = "sgd",
        learning_rate: float = 0.05,
    ) -> None:
        self.num_steps = validation.check_integer("num_steps", num_steps, 0)
        self.optimizer = validation.check_choice("optimizer", optimizer, updates.NAMES)
        self.learning_rate = validation.check_number(
            "learning_rate", learning_rate, exclusive=True
        )

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {
            "num_steps": self.num_steps,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
        }

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
        options = {**(stepper.search_options or {})}
        options["loss_scales"] = [stepper.maximizer_scale]
        scale = stepper.minimizer_scale
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(u.weights)
            loss_of_v = game.maximizer_objective(structures.pure(u), batch)
            (answer,), _ = search.search(
                [lambda player, step: loss_of_v(player)],
                [v],
                updates.get(self.optimizer, self.learning_rate),
                self.num_steps,
                projections=[game.project_maximizer],
                **options,
            )
            out_u = game.minimizer_objective(structures.pure(answer), batch)(u)
            target = out_u.loss
            if scale is not None:
                target = target * tf.cast(scale, target.dtype)
        grad_u = gradients.gradient(tape, target, u.weights, stepper.minimizer_missing)
        out_v, grad_v = gradients.loss_and_gradient(
            loss_of_v, v, stepper.maximizer_scale, stepper.maximizer_missing
        )
        return scheme.Step(
            stepper.minimizer(out_u.player, grad_u),
            stepper.maximizer(out_v.player, grad_v),
            scheme.next_state(state),
            scheme.report(out_u, out_v),
        )
