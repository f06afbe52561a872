"""What Keras' trainer does under a strategy that a built model has no use for."""

from typing import Any


class BuiltTrainer:
    """Mixin of a `keras.Model` that is built by its constructor.

    Under a strategy Keras draws a batch before the first epoch, to build the model by
    it, and averages that batch over the replicas. That fails where the shares differ in
    size (keras#20585 on several workers), and a stream of data has moved on by one
    iteration, which no other run does. There is nothing to build: nothing is drawn.
    """

    def _maybe_symbolic_build(
        self, iterator: Any = None, data_batch: Any = None
    ) -> None:
        # Keras' own name, see tests/distribution/test_keras_private.py.
        del iterator, data_batch

    def _forget_loss_tracker(self) -> None:
        """Drops Keras' tracker of a "loss" that a model of two players does not have.

        Keras' own name, see tests/distribution/test_keras_private.py.
        """
        self._loss_tracker = None
