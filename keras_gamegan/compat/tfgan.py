"""Imports TF-GAN 2.1.0 on a TensorFlow that no longer has ``tf.estimator``.

TF-GAN's own import asks for `tf.estimator` twice: its sub-package `estimator` is
built on it, and `train.py` derives one hook from `tf.estimator.SessionRunHook`.
TensorFlow dropped the name in 2.16, so the whole library fails to import although
its losses and its evaluation never touch an estimator. This module lends TF-GAN
both names while it is imported, and takes them back afterwards.

The day a plain ``import tensorflow_gan`` works again, this module can go:
``tests/compat/test_tfgan.py`` fails on that day.
"""

import contextlib
import importlib
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from typing import Any

from keras_gamegan import optional

_NAME = "tensorflow_gan"
_ESTIMATOR = "tensorflow_gan.python.estimator"

# Reentrant: what TF-GAN imports may itself ask for TF-GAN.
_lock = threading.RLock()


class _MissingEstimators(types.ModuleType):
    """Stands where `tensorflow_gan.estimator` would, and says why it is empty."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"`tensorflow_gan.estimator.{name}` is not available: it is built on "
            "`tf.estimator`, which TensorFlow removed in version 2.16. This is "
            "because Keras models replaced estimators; train with "
            "`keras_gamegan.GAN` and its `fit()` instead."
        )


def _forget_partial_import() -> None:
    """Drops what a failed import left half-done, so that the next one starts clean."""
    for name in list(sys.modules):
        if name.startswith(f"{_NAME}."):
            del sys.modules[name]


@contextlib.contextmanager
def _lent_estimators(tf: Any) -> Iterator[None]:
    """Gives TF-GAN the two estimator names it asks for; on exit they are gone."""
    if hasattr(tf, "estimator"):
        yield
        return
    sys.modules[_ESTIMATOR] = _MissingEstimators(_ESTIMATOR)
    tf.estimator = types.SimpleNamespace(SessionRunHook=object)
    try:
        yield
    finally:
        del tf.estimator
        sys.modules.pop(_ESTIMATOR, None)


def import_tensorflow_gan() -> types.ModuleType:
    """Imports TF-GAN on today's TensorFlow and returns the module.

    TF-GAN 2.1.0 (``tensorflow-gan``) does not import on TensorFlow 2.16 or newer,
    because `tf.estimator` is gone. Everything else in it still works: the losses
    (`losses.wargs`), the evaluation (Fréchet and kernel distances and classifier
    scores from activations, image grids) and the features. This function imports
    it all the same, leaves TensorFlow exactly as it found it, and may be called
    any number of times, from any thread. The first call takes about two seconds.

    After the first call a plain ``import tensorflow_gan`` gives the same module.
    `tensorflow_gan.estimator` is empty; reading a name from it says why.

    Returns:
        The module `tensorflow_gan`.

    Raises:
        ImportError: If TF-GAN, or a package it needs, is not installed; the
            message says which to install.

    Example:
        >>> import tensorflow as tf
        >>> from keras_gamegan import compat
        >>> tfgan = compat.import_tensorflow_gan()
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[0.5]])
        >>> loss = tfgan.losses.wargs.wasserstein_discriminator_loss(real, fake)
        >>> float(loss)
        -1.5

    References:
        Shor, J. et al. *TensorFlow-GAN: a lightweight library for generative
        adversarial networks* (2017).
    """
    with _lock:
        if _NAME in sys.modules:
            return sys.modules[_NAME]
        import tensorflow as tf

        _forget_partial_import()
        # The import warns of `distutils`, which nobody who calls this can mend.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with _lent_estimators(tf):
                    return importlib.import_module(_NAME)
            except ImportError as error:
                _forget_partial_import()
                packages = ["TF-GAN", "the packages that it uses"]
                raise optional.missing(packages, "tfgan", "This", error) from error
