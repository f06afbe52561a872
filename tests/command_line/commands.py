"""How the tests call `kgg`."""

import keras

from keras_gamegan import command_line

QUICK = (
    "--image_size=8",
    "--batch_size=4",
    "--epochs=2",
    "--steps_per_epoch=3",
    "--latent_dim=3",
    "--base_filters=2",
    "--jit_compile=false",
)


def run(*arguments):
    """Runs a command; returns its status."""
    keras.backend.clear_session()
    return command_line.main([str(each) for each in arguments])
