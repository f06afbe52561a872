"""The duality gap in the logs of `fit`."""

from typing import Any

from keras_gamegan import measuring
from keras_gamegan.callbacks import measurement, messages
from keras_gamegan.typing import Logs


class DualityGapMonitor(measurement.Measurement):
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
        cost: Fraction of the time since the beginning of `fit` spent measuring.

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
        finding_data: Any,
        scoring_data: Any,
        every: str | int = "epoch",
        *,
        name: str | None = None,
        verbose: int = 0,
        **gap_arguments: Any,
    ) -> None:
        super().__init__(every)
        self._data = finding_data, scoring_data
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(
                "`name` becomes part of the logs' names, val_{name}_gap: letters, "
                f"digits, underscores. Received: name={name!r}. Use name='perturbed'."
            )
        self.name = name
        self.verbose = messages.check_verbose(verbose)
        self._gap_arguments = gap_arguments
        self._estimator: measuring.GapEstimator
        self.estimates: list[tuple[int, measuring.GapEstimate]] = []

    @property
    def log_names(self) -> tuple[str, str]:
        """Names of the two logs: the gap's and the minimax value's."""
        if self.name is None:
            return "val_duality_gap", "val_minimax"
        return f"val_{self.name}_gap", f"val_{self.name}_minimax"

    def on_train_end(self, logs: Logs = None) -> None:
        """Ends a run; called by Keras."""
        super().on_train_end(logs)
        number = len(self.estimates) - self._first
        if self.verbose and number:
            messages.say(
                self,
                f"{self._title()}: {number} measurement(s) took {self.seconds:.1f} s, "
                f"{100 * self.cost:.1f} % of the training time.",
            )

    def _prepare(self) -> None:
        self._estimator = measuring.GapEstimator(
            self.model, *self._data, **self._gap_arguments
        )
        self._first = len(self.estimates)

    def _measure(self) -> dict[str, float]:
        step = self.model.num_steps
        estimate = self._estimator(self.model.seed + step)
        self.estimates.append((step, estimate))
        if self.verbose:
            messages.say(
                self,
                f"{self._title()} at step {step}: {estimate.gap:.4f} +- "
                f"{estimate.gap_error:.4f}, minimax {estimate.minimax:.4f} +- "
                f"{estimate.minimax_error:.4f}{self._optimum()}.",
            )
        return dict(zip(self.log_names, (estimate.gap, estimate.minimax), strict=True))

    def _title(self) -> str:
        return "Duality gap" if self.name is None else f"Duality gap ({self.name})"

    def _optimum(self) -> str:
        payoff = self.model._played().get("loss")
        optimum = getattr(payoff, "optimum", None)
        return "" if optimum is None else f" (at best {optimum:.4f})"
