"""Consensus optimisation: gradient descent that also shrinks the vector field."""

from typing import Any

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import structures
from keras_gamegan.games.game import BatchFn, TwoPlayerGame
from keras_gamegan.games.schemes import descent, scheme
from keras_gamegan.games.structures import Player
from keras_gamegan.typing import Config


class Consensus(scheme.Scheme):
    """Consensus optimisation: descent that also shrinks the vector field F.

    w <- w - a (F + gamma grad R),   R = |F|^2,   F = (grad_u M, -grad_v M).

    The paper writes R with a factor 1/2: its gamma is twice this one.

    Args:
        gamma: Weight of the regulariser R, >= 0. Default: 0.1.

    Example:
        >>> import keras_gamegan as kgg
        >>> scheme = kgg.games.schemes.Consensus(gamma=0.1)
        >>> kgg.games.solve(kgg.games.e3(), scheme=scheme).iterations
        56

    References:
        Mescheder, Nowozin, Geiger: "The Numerics of GANs", 2017.
    """

    def __init__(self, gamma: float = 0.1) -> None:
        self.gamma = validation.check_number("gamma", gamma)

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"gamma": self.gamma}

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
        weights = u.weights, v.weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            (out_u, grad_u), (out_v, grad_v) = descent.simultaneous_gradients(
                game, u, v, stepper, batch
            )
        found = grad_u, grad_v
        # grad R = 2 J^T F: F is exact, J stays this replica's part, scaled as F was.
        # One pass serves both players, though only one of them may be scaled.
        scales = stepper.minimizer_scale, stepper.maximizer_scale
        common: Any = next((scale for scale in scales if scale is not None), None)
        field = tuple(
            gradient
            if scale is common
            else structures.scale(gradient, common / (1.0 if scale is None else scale))
            for gradient, scale in zip(stepper.exact(found), scales, strict=True)
        )
        pull = tape.gradient(
            found,
            weights,
            output_gradients=structures.scale(field, 2.0),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        pull_u, pull_v = (
            gradient
            if scale is common
            else structures.scale(gradient, (1.0 if scale is None else scale) / common)
            for gradient, scale in zip(pull, scales, strict=True)
        )
        return scheme.Step(
            stepper.minimizer(
                out_u.player, structures.add_scaled(grad_u, self.gamma, pull_u)
            ),
            stepper.maximizer(
                out_v.player, structures.add_scaled(grad_v, self.gamma, pull_v)
            ),
            scheme.next_state(state),
            scheme.report(out_u, out_v),
        )
