"""A demonstration: the three trainers on a toy, over several seeds, with a verdict."""

from keras_gamegan.demo.program import main as main

__all__ = ["main"]
