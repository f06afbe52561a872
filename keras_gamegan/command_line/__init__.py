"""The console command `kgg`; `python -m keras_gamegan` is the same."""

from keras_gamegan.command_line.program import main as main

__all__ = ["main"]
