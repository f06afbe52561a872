"""Whose part something is: a GAN's names of the players, or a game's."""

from keras_gamegan import validation

NAMES = ("both", "discriminator", "generator", "maximizer", "minimizer")


def check_side(side: str) -> str:
    """Returns ``side``, or raises unless it is one of `NAMES`."""
    return validation.check_choice("side", side, NAMES)


def chosen(side: str) -> tuple[bool, bool]:
    """Returns whether a side takes in the minimiser, and the maximiser."""
    return (
        side in ("both", "generator", "minimizer"),
        side in ("both", "discriminator", "maximizer"),
    )
