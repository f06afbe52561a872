"""Train GANs as what they are: two-player games, under `model.fit`."""

import keras as _keras

if _keras.backend.backend() != "tensorflow":
    raise ValueError(
        "keras_gamegan runs on Keras' TensorFlow backend. Received: "
        f"keras.backend.backend() == {_keras.backend.backend()!r}. Set the environment "
        "variable KERAS_BACKEND=tensorflow before Keras is imported."
    )

from keras_gamegan import augment as augment
from keras_gamegan import callbacks as callbacks
from keras_gamegan import compat as compat
from keras_gamegan import datasets as datasets
from keras_gamegan import games as games
from keras_gamegan import history as history
from keras_gamegan import metrics as metrics
from keras_gamegan import networks as networks
from keras_gamegan import payoffs as payoffs
from keras_gamegan import recipes as recipes
from keras_gamegan import schedules as schedules
from keras_gamegan.distribution.lost_worker import WorkerLostError as WorkerLostError
from keras_gamegan.games import BestResponse as BestResponse
from keras_gamegan.history import History as History
from keras_gamegan.history import WeightBank as WeightBank
from keras_gamegan.measuring import GapEstimate as GapEstimate
from keras_gamegan.measuring import duality_gap as duality_gap
from keras_gamegan.models import GAN as GAN
from keras_gamegan.models import DualityGapGAN as DualityGapGAN
from keras_gamegan.models import FictitiousGAN as FictitiousGAN
from keras_gamegan.models import NonFiniteError as NonFiniteError
from keras_gamegan.models import TwoPlayerModel as TwoPlayerModel
from keras_gamegan.payoffs import Payoff as Payoff
from keras_gamegan.payoffs import penalties as penalties
from keras_gamegan.population import PayoffMatrix as PayoffMatrix
from keras_gamegan.population import Population as Population
from keras_gamegan.population import payoff_matrix as payoff_matrix
from keras_gamegan.reporting import compare as compare
from keras_gamegan.version import __version__ as __version__

__all__ = [
    "GAN",
    "BestResponse",
    "DualityGapGAN",
    "FictitiousGAN",
    "GapEstimate",
    "History",
    "NonFiniteError",
    "Payoff",
    "PayoffMatrix",
    "Population",
    "TwoPlayerModel",
    "WeightBank",
    "WorkerLostError",
    "__version__",
    "augment",
    "callbacks",
    "compare",
    "compat",
    "datasets",
    "duality_gap",
    "games",
    "history",
    "metrics",
    "networks",
    "payoff_matrix",
    "payoffs",
    "penalties",
    "recipes",
    "schedules",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
