"""The duality gap in the logs of `fit`."""

import time

import keras

from keras_gamegan import measuring
from keras_gamegan.callbacks import schedule


class DualityGapMonitor(keras.callbacks.Callback):
    """Measures the duality gap during training and logs it.

    Adds `val_duality_gap` and `val_minimax` to the logs, where the callbacks after it
    in the list (and Keras' progress bar and History) find them. Its randomness follows
    the train step, so a resumed run logs the same figures.

    Args:
        finding_data: As in `kgg.duality_gap`.
        scoring_data: As in `kgg.duality_gap`.
        every: "epoch", or a number of train steps. Default: "epoch".
        **gap_arguments: Further arguments of `kgg.duality_gap`: `num_steps`,
            `learning_rate`, `perturbation`, `optimizer`, `batch_size`.

    Attributes:
        estimates: List of pairs (train step, `GapEstimate`).
        seconds: Seconds spent measuring since the beginning of `fit`.
        cost: Share of the time since the beginning of `fit` spent measuring.

    Raises:
        ValueError: If `every` is out of range; from `kgg.duality_gap` otherwise.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
        >>> monitor = kgg.callbacks.DualityGapMonitor(
        ...     data[:64], data[64:128], num_steps=5, batch_size=32
        ... )
        >>> history = gan.fit(data[128:], verbose=0, callbacks=[monitor])
        >>> sorted(history.history)[-3:]
        ['val_duality_gap', 'val_minimax', 'value']

    References:
        Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann, Krause: "A Domain
        Agnostic Measure for Monitoring and Evaluating GANs", 2019.
    """

    def __init__(self, finding_data, scoring_data, every="epoch", **gap_arguments):
        super().__init__()
        self._data = finding_data, scoring_data
        self.schedule = schedule.Schedule(every)
        self._gap_arguments = gap_arguments
        self._estimator = None
        self._began = self.seconds = 0.0
        self.estimates = []

    @property
    def cost(self):
        """Share of the time since the beginning of `fit` that was spent measuring."""
        elapsed = time.perf_counter() - self._began
        return self.seconds / elapsed if self._began else 0.0

    def on_train_begin(self, logs=None):
        """Prepares for a run; called by Keras."""
        self._estimator = measuring.GapEstimator(
            self.model, *self._data, **self._gap_arguments
        )
        self.schedule.start(self.model.num_steps)
        self._began, self.seconds = time.perf_counter(), 0.0

    def on_train_batch_end(self, batch, logs=None):
        """Called by Keras after every batch."""
        if self.schedule.due_after_batch(self.model.num_steps):
            self._measure()

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        if self.schedule.due_after_epoch():
            self._measure()
        if self.estimates and logs is not None:
            _, estimate = self.estimates[-1]
            logs["val_duality_gap"] = estimate.gap
            logs["val_minimax"] = estimate.minimax

    def _measure(self):
        began = time.perf_counter()
        step = self.model.num_steps
        self.estimates.append((step, self._estimator(self.model.seed + step)))
        self.seconds += time.perf_counter() - began
