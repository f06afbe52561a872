"""Which weights a model's optimizers have slots for, by place and not by order."""

from typing import Any

import numpy as np

from keras_gamegan.distribution import keras_private


def networks(model: Any) -> dict:
    """Returns the `StatelessNetwork` that each optimizer moves, by its attribute."""
    roles = model._roles
    return {
        roles.maximizer_optimizer: model.maximizer_network,
        roles.minimizer_optimizer: model.minimizer_network,
    }


def places(model: Any) -> dict[str, list[int]]:
    """Returns the places of the weights that each optimizer was built for.

    Those of layers that were frozen since are among them: their slots are kept.

    Args:
        model: A compiled `GAN`.

    Returns:
        Lists of places in `StatelessNetwork.stored_variables`, by attribute.
    """
    found = {}
    for name, network in networks(model).items():
        place = {id(v): index for index, v in enumerate(network.stored_variables)}
        known = keras_private.variables_of(getattr(model, name))
        found[name] = [place[id(variable)] for variable in known]
    return found


def check(model: Any, store: Any) -> None:
    """Raises if a file's slots would go to other weights of the same shapes.

    Keras reads them by their order; of another number it says so itself.

    Raises:
        ValueError: If so.
    """
    if not model.compiled:
        return
    for name, mine in places(model).items():
        if name not in set(store.keys()) or len(getattr(model, name).variables) <= 2:
            continue
        theirs = np.asarray(store[name]).tolist()
        if len(theirs) == len(mine) and theirs != mine:
            raise ValueError(
                "An optimizer's slots belong to weights. Received: a file in which "
                f"`{name}` moves the weights number {theirs} of its network, and a "
                f"model in which it moves {mine}. Freeze the same layers before "
                "compile(), or load before compiling."
            )


class SlotsInFiles:
    """Gives a `GAN` files that say whose its optimizers' slots are."""

    def save_own_variables(self, store: Any) -> None:
        """Writes the model's own variables to a file; called by Keras."""
        super().save_own_variables(store)  # type: ignore[misc]
        if self.compiled:  # type: ignore[attr-defined]
            for name, found in places(self).items():
                store[name] = np.array(found, "int64")

    def load_own_variables(self, store: Any) -> None:
        """Reads them from a file; called by Keras."""
        check(self, store)
        own = {key: store[key] for key in set(store.keys()) if key.isdecimal()}
        super().load_own_variables(own)  # type: ignore[misc]
