"""The console command `kgg`; sets TensorFlow's log level before it is loaded."""

import os
import sys


def main() -> None:
    """Runs the command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from keras_gamegan import command_line

    sys.exit(command_line.main())
