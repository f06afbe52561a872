"""The schemes: gradients for both players, as pure functions."""

from keras_gamegan.games.schemes.base import Scheme as Scheme
from keras_gamegan.games.schemes.base import Step as Step
from keras_gamegan.games.schemes.consensus import Consensus as Consensus
from keras_gamegan.games.schemes.descent import Alternating as Alternating
from keras_gamegan.games.schemes.descent import Extragradient as Extragradient
from keras_gamegan.games.schemes.descent import Optimistic as Optimistic
from keras_gamegan.games.schemes.descent import Simultaneous as Simultaneous
from keras_gamegan.games.schemes.duality_gap import DualityGap as DualityGap
from keras_gamegan.games.schemes.fictitious_play import FictitiousPlay as FictitiousPlay

__all__ = [
    "Alternating",
    "Consensus",
    "DualityGap",
    "Extragradient",
    "FictitiousPlay",
    "Optimistic",
    "Scheme",
    "Simultaneous",
    "Step",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
