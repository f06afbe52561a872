"""The only room that knows tf.distribute."""

from keras_gamegan.distribution.rendezvous import wait_for_workers as wait_for_workers

__all__ = ["wait_for_workers"]
