"""What looks at a run between its steps: non-finite logs, empty or odd data."""

import keras
import numpy as np

from keras_gamegan.distribution import placement
from keras_gamegan.models.step import data_checks, guard
from keras_gamegan.typing import Logs


class TrainingGuard(keras.callbacks.Callback):
    """Runs before every other callback of `fit`: non-finite logs, empty or odd data.

    Args:
        data_range: Pair (lowest, highest) value the generator can reach, or None.
    """

    def __init__(self, data_range: tuple[float, float] | None = None) -> None:
        super().__init__()
        self._data_range = data_range
        self._first_step = None
        self._has_checked_size = False

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        self._first_step = self.model.num_steps

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras after every batch."""
        if self._data_range is not None:
            data_checks.warn_of_range(self.model.data_range, self._data_range)
            self._data_range = None
        if not self._has_checked_size:
            # Data of unknown batch size: seen after the first step, before any save.
            self._has_checked_size = True
            replicas = self.model.distribute_strategy.num_replicas_in_sync
            steps = max(self.model.num_steps - self._first_step, 1)
            examples = self.model._trackers.examples * replicas
            placement.check_batch_size(self.model, examples / steps)
        guard.raise_noted(self.model)
        roles = self.model._roles
        for player, log in (
            (roles.maximizer, roles.maximizer_loss),
            (roles.minimizer, roles.minimizer_loss),
        ):
            if not np.isfinite((logs or {}).get(log, 0.0)).all():
                raise guard.error_of(
                    f"the loss of the {player}", self.model.num_steps - 1
                )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        if self.model.num_steps == self._first_step:
            raise ValueError(
                "The data set must have at least one batch. Received: a data set that "
                "yielded none. Check its filters, and that drop_remainder=True leaves "
                "a batch: the batch size may exceed the number of examples."
            )
