"""The history of a network: a bank of weights and what it remembers."""

from keras_gamegan.history.config import History as History
from keras_gamegan.history.weight_bank import WeightBank as WeightBank
