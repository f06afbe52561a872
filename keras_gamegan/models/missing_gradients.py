"""Weights that a loss does not depend on: said while a step is traced."""

import warnings

from keras_gamegan import stateless


class Missing:
    """Raises if no weight of a player has a gradient, warns if some have none.

    Args:
        name: What the player is called.
        network: Its `StatelessNetwork`.
    """

    def __init__(self, name: str, network: stateless.StatelessNetwork) -> None:
        self._name = name
        self._network = network

    def __call__(self, missing: list[int]) -> None:
        """Says which weights have no gradient.

        Args:
            missing: Their numbers among the network's trainable weights.

        Raises:
            ValueError: If they are all.
        """
        variables = self._network.weight_variables
        if len(missing) == len(variables):
            raise ValueError(
                f"The loss of the {self._name} must depend on its weights, or it never "
                "moves. Received: no gradient for any of them. An argmax, a rounding, "
                "a cast to integers or a NumPy function cuts it off: use a "
                "differentiable stand-in (softmax, Gumbel-softmax, straight-through), "
                f"or freeze the player: {self._name}.trainable = False."
            )
        new = [i for i in missing if id(variables[i]) not in self._network.told]
        if not new:
            return
        self._network.told.update(id(variables[index]) for index in new)
        listed = ", ".join(repr(variables[index].path) for index in new)
        warnings.warn(
            f"The loss of the {self._name} does not depend on these weights, which "
            f"therefore stay as they are: {listed}. If that is meant, freeze or remove "
            "them.",
            UserWarning,
            stacklevel=2,
        )
