"""GAN values and penalties."""

from keras_gamegan.payoffs import penalties as penalties
from keras_gamegan.payoffs.lookup import get as get
from keras_gamegan.payoffs.payoff import Hinge as Hinge
from keras_gamegan.payoffs.payoff import LeastSquares as LeastSquares
from keras_gamegan.payoffs.payoff import Minimax as Minimax
from keras_gamegan.payoffs.payoff import NonSaturating as NonSaturating
from keras_gamegan.payoffs.payoff import Payoff as Payoff
from keras_gamegan.payoffs.payoff import Wasserstein as Wasserstein
from keras_gamegan.payoffs.relativistic import PairPayoff as PairPayoff
from keras_gamegan.payoffs.relativistic import Relativistic as Relativistic
from keras_gamegan.payoffs.tfgan import from_tfgan as from_tfgan

__all__ = [
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "PairPayoff",
    "Payoff",
    "Relativistic",
    "Wasserstein",
    "from_tfgan",
    "get",
    "penalties",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
