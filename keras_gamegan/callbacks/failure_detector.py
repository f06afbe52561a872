"""Says in plain words when adversarial training goes wrong."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_gamegan import validation
from keras_gamegan.callbacks import detectors, messages
from keras_gamegan.typing import Config, Logs

KINDS = ("collapse", "saturation", "imbalance", "divergence")


@keras.saving.register_keras_serializable(package="keras_gamegan")
class FailureDetector(keras.callbacks.Callback):
    """Recognises four ways to fail, and says so once per event.

    Mathematics: let r be the distance between the payoff's value at the equilibrium
    (-log 2 for "minimax") and the most a discriminator can reach (0).

    - Collapse: |gap| <= `gap_share` r while minimax - optimum >= `minimax_share` r. The
      gap alone would say that all is well.
    - Saturation: the training value V is within `saturation_share` r of the bound.
    - Imbalance: d_accuracy, how often the discriminator prefers the real one of a pair,
      is outside `accuracies`.
    - Divergence: a figure is not finite, or `growth` times its usual size: the median
      of the epochs before, three at least, or r if that is more.

    Put it after `DualityGapMonitor`, without which collapse cannot be seen, and before
    `Checkpoint`, which keeps its state. Without a known optimum or a bound (the
    Wasserstein payoff has no bound) only imbalance and divergence are watched for.

    Args:
        gap: Log of the duality gap. Default: "val_duality_gap".
        minimax: Log of the minimax value. Default: "val_minimax".
        patience: Epochs in a row that anything but a divergence must last, >= 1.
            Default: 2.
        gap_share: In [0, 1]. Default: 0.05.
        minimax_share: In [0, 1]. Default: 1/3.
        saturation_share: In [0, 1]. Default: 0.05.
        accuracies: Pair (lowest, highest) of d_accuracy, in [0, 1].
            Default: (0.45, 0.9), between which all good runs of docs/results/rates.md
            lay, and the equilibrium (0.5).
        growth: > 1. Default: 10.
        verbose: 1 prints the message; 0 only keeps it. Default: 1.

    Attributes:
        events: List of triples (epoch, "collapse" | "saturation" | "imbalance" |
            "divergence", message), epochs counted from 0.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import keras_gamegan as kgg
        >>> detector = kgg.callbacks.FailureDetector(patience=3)
        >>> detector.events
        []

    References:
        Sidheekh, Aimen, Madan, Krishnan: "On Duality Gap as a Measure for Monitoring
        GAN Training", 2020 (three regimes: convergence, collapse, divergence).
    """

    def __init__(
        self,
        gap: str = "val_duality_gap",
        minimax: str = "val_minimax",
        *,
        patience: int = 2,
        gap_share: float = 0.05,
        minimax_share: float = 1 / 3,
        saturation_share: float = 0.05,
        accuracies: tuple[float, float] = (0.45, 0.9),
        growth: float = 10.0,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        self._config: dict[str, Any] = {
            "gap": gap,
            "minimax": minimax,
            "patience": validation.check_integer("patience", patience),
            "gap_share": validation.check_number("gap_share", gap_share, 0.0, 1.0),
            "minimax_share": validation.check_number(
                "minimax_share", minimax_share, 0.0, 1.0
            ),
            "saturation_share": validation.check_number(
                "saturation_share", saturation_share, 0.0, 1.0
            ),
            "accuracies": validation.check_interval("accuracies", accuracies, 0.0, 1.0),
            "growth": validation.check_number("growth", growth, 1.0, exclusive=True),
            "verbose": messages.check_verbose(verbose),
        }
        self._restored = False
        self.events: list[tuple[int, str, str]]
        self._past: dict[str, list[float]]
        self._reset()

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: events, and what was usual so far."""
        return {
            "events": self.events,
            "past": self._past,
            "lengths": {kind: each.length for kind, each in self._episodes.items()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned; called before training begins."""
        self._reset()
        self.events = [tuple(event) for event in state["events"]]
        self._past = state["past"]
        for kind, length in state["lengths"].items():
            self._episodes[kind].length = length
        self._restored = True

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        messages.check_samples(self)
        if not self._restored:
            self._reset()
        self._restored = False
        self._scale = detectors.scale_of(self.model.payoff)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called by Keras after every epoch."""
        logs, config = logs or {}, self._config
        gap, minimax, value = (
            detectors.known(logs, name)
            for name in (config["gap"], config["minimax"], "value")
        )
        watched = (config["gap"], config["minimax"], "value", "d_loss", "g_loss")
        figures = {name: float(logs[name]) for name in watched if name in logs}
        found = {
            "collapse": detectors.collapse(
                self._scale, gap, minimax, config["gap_share"], config["minimax_share"]
            ),
            "saturation": detectors.saturation(
                self._scale, value, config["saturation_share"]
            ),
            "imbalance": detectors.imbalance(
                detectors.known(logs, "d_accuracy"), config["accuracies"]
            ),
            "divergence": detectors.divergence(
                self._scale, figures, self._past, config["growth"]
            ),
        }
        for kind, message in found.items():
            if self._episodes[kind].begins(message) and message is not None:
                self.events.append((epoch, kind, message))
                if config["verbose"]:
                    messages.say(self, f"Epoch {epoch + 1}: {message}")
        if found["divergence"] is None:
            for name, figure in figures.items():
                self._past.setdefault(name, []).append(abs(figure))

    def get_config(self) -> Config:
        """Returns the constructor's arguments as a dictionary."""
        return dict(self._config)

    @classmethod
    def from_config(cls, config: Config) -> "FailureDetector":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _reset(self) -> None:
        self.events = []
        self._past = {}
        # Nobody needs to see a NaN twice to believe it.
        self._episodes = {
            kind: detectors.Episode(
                1 if kind == "divergence" else self._config["patience"]
            )
            for kind in KINDS
        }
