"""The console command `kgg`; sets TensorFlow's log level before it is loaded."""

import os
import sys


def main() -> None:
    """Runs the command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        from keras_gamegan import command_line
    except KeyboardInterrupt:
        # Nothing has begun.
        sys.exit(130)
    sys.exit(command_line.main())
