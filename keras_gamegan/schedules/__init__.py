"""How learning rates change over a run."""

from keras_gamegan.schedules.linear_decay import LinearDecay as LinearDecay

__all__ = ["LinearDecay"]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
