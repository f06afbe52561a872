"""What runs have in common and where they differ, as tables and figures."""

from keras_gamegan.reporting.comparison import Comparison as Comparison
from keras_gamegan.reporting.comparison import compare as compare

__all__ = ["Comparison", "compare"]
