"""The mathematics of two-player games, as pure functions on tensors."""

from keras_gamegan.games import retention as retention
from keras_gamegan.games import schemes as schemes
from keras_gamegan.games.best_response import BestResponse as BestResponse
from keras_gamegan.games.closed_form import bilinear as bilinear
from keras_gamegan.games.closed_form import dirac_gan as dirac_gan
from keras_gamegan.games.closed_form import e3 as e3
from keras_gamegan.games.closed_form import e4 as e4
from keras_gamegan.games.closed_form import exponential as exponential
from keras_gamegan.games.closed_form import g1 as g1
from keras_gamegan.games.closed_form import g2 as g2
from keras_gamegan.games.closed_form import g3 as g3
from keras_gamegan.games.finite_gan import FiniteGAN as FiniteGAN
from keras_gamegan.games.finite_gan import FinitePlay as FinitePlay
from keras_gamegan.games.game import Game as Game
from keras_gamegan.games.gap import Gap as Gap
from keras_gamegan.games.gap import duality_gap as duality_gap
from keras_gamegan.games.matrix_game import MatrixEquilibrium as MatrixEquilibrium
from keras_gamegan.games.matrix_game import MatrixGame as MatrixGame
from keras_gamegan.games.matrix_game import MatrixPlay as MatrixPlay
from keras_gamegan.games.matrix_game import rock_paper_scissors as rock_paper_scissors
from keras_gamegan.games.perturbation import Perturbation as Perturbation
from keras_gamegan.games.proximal import Proximal as Proximal
from keras_gamegan.games.solve import Solution as Solution
from keras_gamegan.games.solve import solve as solve
from keras_gamegan.games.starts import Persistent as Persistent

__all__ = [
    "BestResponse",
    "FiniteGAN",
    "FinitePlay",
    "Game",
    "Gap",
    "MatrixEquilibrium",
    "MatrixGame",
    "MatrixPlay",
    "Persistent",
    "Perturbation",
    "Proximal",
    "Solution",
    "bilinear",
    "dirac_gan",
    "duality_gap",
    "e3",
    "e4",
    "exponential",
    "g1",
    "g2",
    "g3",
    "retention",
    "rock_paper_scissors",
    "schemes",
    "solve",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
