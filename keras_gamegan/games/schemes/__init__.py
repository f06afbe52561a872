"""The schemes: gradients for both players, as pure functions."""

from keras_gamegan.games.schemes.consensus import Consensus as Consensus
from keras_gamegan.games.schemes.descent import Alternating as Alternating
from keras_gamegan.games.schemes.descent import Extragradient as Extragradient
from keras_gamegan.games.schemes.descent import Optimistic as Optimistic
from keras_gamegan.games.schemes.descent import Simultaneous as Simultaneous
from keras_gamegan.games.schemes.descent import (
    simultaneous_gradients as simultaneous_gradients,
)
from keras_gamegan.games.schemes.duality_gap import DualityGap as DualityGap
from keras_gamegan.games.schemes.fictitious_play import FictitiousPlay as FictitiousPlay
from keras_gamegan.games.schemes.lookahead import Lookahead as Lookahead
from keras_gamegan.games.schemes.registry import NAMES as NAMES
from keras_gamegan.games.schemes.registry import get as get
from keras_gamegan.games.schemes.scheme import Scheme as Scheme
from keras_gamegan.games.schemes.scheme import State as State
from keras_gamegan.games.schemes.scheme import Step as Step
from keras_gamegan.games.schemes.scheme import Stepper as Stepper
from keras_gamegan.games.schemes.scheme import first_state as first_state
from keras_gamegan.games.schemes.scheme import players as players
from keras_gamegan.games.schemes.scheme import report as report
from keras_gamegan.games.schemes.unrolled import Unrolled as Unrolled

__all__ = [
    "NAMES",
    "Alternating",
    "Consensus",
    "DualityGap",
    "Extragradient",
    "FictitiousPlay",
    "Lookahead",
    "Optimistic",
    "Scheme",
    "Simultaneous",
    "State",
    "Step",
    "Stepper",
    "Unrolled",
    "first_state",
    "get",
    "players",
    "report",
    "simultaneous_gradients",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
