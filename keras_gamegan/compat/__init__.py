"""Libraries that need a hand to run on today's TensorFlow."""

from keras_gamegan.compat.tfgan import import_tensorflow_gan as import_tensorflow_gan

__all__ = [
    "import_tensorflow_gan",
]


def __dir__() -> list[str]:
    """Returns the public names, which completion then shows."""
    return sorted(__all__)
