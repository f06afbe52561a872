"""`python -m keras_gamegan`, the same as `kgg`."""

import sys

from keras_gamegan import command_line

if __name__ == "__main__":
    sys.exit(command_line.main())
