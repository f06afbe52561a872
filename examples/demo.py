"""Trains the three trainers on a ring of Gaussians and writes a page: `kgg demo`.

python examples/demo.py --output_dir=runs/demo
"""

import sys

from keras_gamegan import command_line

if __name__ == "__main__":
    sys.exit(command_line.main(["demo", *sys.argv[1:]]))
