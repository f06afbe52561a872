"""Settings that train well together, by name."""

from keras_gamegan.recipes.recipe import Recipe as Recipe
from keras_gamegan.recipes.recipe import get as get
from keras_gamegan.recipes.recipe import names as names

__all__ = ["Recipe", "get", "names"]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
