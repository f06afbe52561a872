"""The duality gap in the logs of `fit`."""

import time

import keras

from keras_gamegan import measuring
from keras_gamegan.callbacks import messages, schedule


class DualityGapMonitor(keras.callbacks.Callback):
    """Measures the duality gap during training and logs it.

    Adds `val_duality_gap` and `val_minimax` to the logs, where the callbacks after it
    in the list (and Keras' progress bar and History) find them: to the epoch's logs the
    last figures, to a step's logs those measured at that step. So that they are there
    from the first epoch on, its end is measured if nothing was before. Its randomness
    follows the train step, so a resumed run logs the same figures.

    Args:
        finding_data: As in `kgg.duality_gap`.
        scoring_data: As in `kgg.duality_gap`.
        every: "epoch", or a number of train steps. Default: "epoch".
        name: Name of a second monitor in the same run: "perturbed" logs
            `val_perturbed_gap` and `val_perturbed_minimax`. Default: None.
        verbose: 1, a line for each measurement and a summary of the cost at the end; or
            0. Default: 0.
        **gap_arguments: Further arguments of `kgg.duality_gap`: `num_steps`,
            `learning_rate`, `perturbation`, `proximal`, `snapshots`, `optimizer`,
            `batch_size`.

    Attributes:
        estimates: List of pairs (train step, `GapEstimate`).
        seconds: Seconds spent measuring since the beginning of `fit`.
        cost: Share of the time since the beginning of `fit` spent measuring.

    Raises:
        ValueError: If `every`, `name` or `verbose` is out of range; from
            `kgg.duality_gap` otherwise, when training begins.

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

    def __init__(
        self,
        finding_data,
        scoring_data,
        every="epoch",
        *,
        name=None,
        verbose=0,
        **gap_arguments,
    ):
        super().__init__()
        self._data = finding_data, scoring_data
        self.schedule = schedule.Schedule(every)
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(
                "`name` becomes part of the logs' names, val_{name}_gap: letters, "
                f"digits, underscores. Received: name={name!r}. Use name='perturbed'."
            )
        self.name = name
        self.verbose = check_verbose(verbose)
        self._gap_arguments = gap_arguments
        self._estimator = None
        self._began = self._ended = None
        self._figures = None
        self._restored = False
        self.seconds = 0.0
        self.estimates = []

    @property
    def log_names(self):
        """Names of the two logs: the gap's and the minimax value's."""
        if self.name is None:
            return "val_duality_gap", "val_minimax"
        return f"val_{self.name}_gap", f"val_{self.name}_minimax"

    @property
    def cost(self):
        """Share of the time since the beginning of `fit` that was spent measuring."""
        if self._began is None:
            return 0.0
        now = time.perf_counter() if self._ended is None else self._ended
        return self.seconds / (now - self._began)

    def get_state(self):
        """Returns what a checkpoint keeps: the last figures."""
        return {"figures": self._figures}

    def set_state(self, state):
        """Takes back what `get_state` returned."""
        self._figures = state["figures"]
        self._restored = True

    def on_train_begin(self, logs=None):
        """Prepares for a run; called by Keras."""
        if not self._restored:
            self._figures = None
        self._restored = False
        self._began, self._ended = time.perf_counter(), None
        self._estimator = measuring.GapEstimator(
            self.model, *self._data, **self._gap_arguments
        )
        self.schedule.start(self.model.num_steps)
        self._first = len(self.estimates)
        self.seconds = time.perf_counter() - self._began

    def on_train_batch_end(self, batch, logs=None):
        """Called by Keras after every batch."""
        if self.schedule.due_after_batch(self.model.num_steps):
            self._measure()
            if logs is not None:
                logs.update(self._figures)

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras after every epoch."""
        if self.schedule.due_after_epoch() or self._figures is None:
            self._measure()
        if logs is not None:
            logs.update(self._figures)

    def on_train_end(self, logs=None):
        """Ends a run; called by Keras."""
        self._ended = time.perf_counter()
        number = len(self.estimates) - self._first
        if self.verbose and number:
            messages.say(
                self,
                f"{self._title()}: {number} measurement(s) took {self.seconds:.1f} s, "
                f"{100 * self.cost:.1f} % of the training time.",
            )

    def _measure(self):
        began = time.perf_counter()
        step = self.model.num_steps
        estimate = self._estimator(self.model.seed + step)
        self.estimates.append((step, estimate))
        self._figures = dict(
            zip(self.log_names, (estimate.gap, estimate.minimax), strict=True)
        )
        self.seconds += time.perf_counter() - began
        if self.verbose:
            messages.say(
                self,
                f"{self._title()} at step {step}: {estimate.gap:.4f} +- "
                f"{estimate.gap_error:.4f}, minimax {estimate.minimax:.4f} +- "
                f"{estimate.minimax_error:.4f}{self._optimum()}.",
            )

    def _title(self):
        return "Duality gap" if self.name is None else f"Duality gap ({self.name})"

    def _optimum(self):
        optimum = self.model.payoff.optimum
        return "" if optimum is None else f" (at best {optimum:.4f})"


def check_verbose(verbose):
    """Returns ``verbose``, or raises unless it is 0 or 1."""
    if verbose not in (0, 1):
        raise ValueError(f"`verbose` must be 0 or 1. Received: verbose={verbose!r}.")
    return int(verbose)
