"""Learning rates that fall to zero at the end of a run."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_gamegan import validation
from keras_gamegan.schedules.run_progress import RunProgress
from keras_gamegan.typing import Config, Logs


@keras.saving.register_keras_serializable(package="keras_gamegan")
class LinearDecay(keras.callbacks.Callback):
    """Lets both players' learning rates fall linearly in the last part of a run.

    Players that answer each other circle around an equilibrium at a distance that
    their rates set; rates that fall to zero let them come to rest there. A Keras
    schedule needs to be told the number of steps; this one knows it from `fit`.

    Mathematics: with p the fraction of the run that is done,

        rate = rate_0 f(p),   f(p) = 1 for p <= start,
                              f(p) = 1 + (end - 1) (p - start) / (1 - start) after.

    with rate_0 the rate when the fall begins: until then other callbacks may set it.
    Both rates get the same factor before every step, or every `steps_per_execution`
    steps, and are rate_0 again when the run is over, so that a second `fit` begins at
    what the first found. `kgg.callbacks.Checkpoint`, which must come after it, keeps
    its state: a resumed run goes on bit for bit, and one resumed for more epochs decays
    at the new end.

    Args:
        start: Fraction of the run after which the rates fall, in [0, 1). Default: 0.5.
        end: Factor at the end, in [0, 1]. Default: 0.0.

    Raises:
        TypeError: When training begins, if an optimizer's rate is a schedule.
        ValueError: If a number is out of range; when training begins, if the run has a
            single epoch of unknown length.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile()
        >>> data = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
        >>> decay = kgg.schedules.LinearDecay(start=0.5)
        >>> history = gan.fit(data, epochs=4, verbose=0, callbacks=[decay])
        >>> decay.factor(0.75)
        0.5

    References:
        Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using
        Cycle-Consistent Adversarial Networks", 2017 (rates that fall linearly to zero
        over the second half).
    """

    def __init__(self, start: float = 0.5, end: float = 0.0) -> None:
        super().__init__()
        hint = "For constant rates leave the callback out."
        self.start = validation.check_number(
            "start", start, 0.0, 1.0, hint=hint, below=True
        )
        self.end = validation.check_number("end", end, 0.0, 1.0)
        self._progress = RunProgress()
        self._rates: tuple[float, float] | None = None

    def factor(self, share: float) -> float:
        """Returns f, the factor of the rates.

        Args:
            share: Fraction of the run that is done, in [0, 1].
        """
        if share <= self.start:
            return 1.0
        return 1.0 + (self.end - 1.0) * (share - self.start) / (1.0 - self.start)

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: the rates that fall, and the place."""
        return {"rates": self._rates, "progress": self._progress.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned; called before training begins."""
        self._rates = None if state["rates"] is None else tuple(state["rates"])
        self._progress.set_state(state["progress"])

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        self._progress.begin(self)
        if not hasattr(self.model.optimizer, "rates"):
            raise TypeError(
                "LinearDecay is of models of two players. Received: a "
                f"{type(self.model).__name__}. Use "
                "keras.optimizers.schedules.PolynomialDecay."
            )
        # Now, not when they fall: a rate that follows a schedule cannot be set.
        self.model.optimizer.rates()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras before every epoch."""
        self._progress.begin_epoch(epoch, self.model.num_steps)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called by Keras before every batch."""
        factor = self.factor(self._progress.fraction(self.model.num_steps))
        if factor == 1.0:
            self._give_back()
            return
        if self._rates is None:
            self._rates = self.model.optimizer.rates()
        self.model.optimizer.set_rates(*(rate * factor for rate in self._rates))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        self._progress.end_epoch(self.model.num_steps)

    def release(self) -> None:
        """Gives the rates back; called when `fit` is left, by an error too."""
        self._give_back()

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return {"start": self.start, "end": self.end}

    @classmethod
    def from_config(cls, config: Config) -> "LinearDecay":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _give_back(self) -> None:
        if self._rates is not None:
            self.model.optimizer.set_rates(*self._rates)
            self._rates = None
