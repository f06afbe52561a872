"""The stored models of a GAN as the pure strategies of a matrix game."""

from keras_gamegan.population.members import Member as Member
from keras_gamegan.population.payoff_table import PayoffEstimator as PayoffEstimator
from keras_gamegan.population.payoff_table import PayoffMatrix as PayoffMatrix
from keras_gamegan.population.payoff_table import payoff_matrix as payoff_matrix
from keras_gamegan.population.population import Population as Population

__all__ = [
    "Member",
    "PayoffEstimator",
    "PayoffMatrix",
    "Population",
    "payoff_matrix",
]
