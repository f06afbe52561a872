"""Trains a GAN on images of TensorFlow Datasets, by any of the three methods.

    python examples/train_images.py --method=gan --output_dir=runs/gan
    python examples/train_images.py --method=duality_gap --output_dir=runs/duality_gap
    python examples/train_images.py --method=fictitious --output_dir=runs/fictitious

It is `kgg train` with the settings that are usual for DCGANs, on Fashion-MNIST unless
--dataset says otherwise; --helpfull lists all flags. The output folder receives

    samples/epoch_NNN.png   generated images, always from the same latents
    samples/samples.gif     the same as an animation
    logs/                   losses and samples for TensorBoard
    history.csv             the losses, a line for each epoch
    checkpoints/            the same command goes on exactly where it was killed
    model.keras             everything, for keras.models.load_model
    sampler/1/              a SavedModel that samples without this library
    settings.json           the flags that make the run what it is
"""

import os
import sys

# Read when TensorFlow is loaded, hence before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gamegan import command_line

DEFAULTS = ("--recipe=usual", "--epochs=12", "--steps_per_epoch=0")


def main(arguments):
    """Runs the example with these arguments; returns its exit status."""
    if not any(each.startswith("--dataset") for each in arguments):
        arguments = ["--dataset=fashion_mnist", *arguments]
    return command_line.main(["train", *DEFAULTS, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
