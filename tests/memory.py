"""Frees what measured models leave behind: hundreds would fill the memory."""

import gc

import keras


def forget():
    """Drops Keras' own references and collects; what stays is not looked at again.

    TensorFlow never drops the graph of a Keras train step (the gradient of its
    all-reduce is registered for good), so every later collection would walk through all
    of them: 25 seconds after a few hundred models.
    """
    keras.backend.clear_session()
    gc.collect()
    gc.freeze()
