"""Learning rates that follow from how far they should move the players."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.callbacks import measurement, messages, pace
from keras_gamegan.distribution import workers
from keras_gamegan.measuring import data_forms
from keras_gamegan.typing import Logs


@keras.saving.register_keras_serializable(package="keras_gamegan")
class PaceControl(measurement.Measurement):
    """Experimental: finds both learning rates of a GAN while it trains.

    What a learning rate does to a network depends on its architecture, its
    normalisation, the age of the run and the optimizer; how far a network's function
    may move before its opponent answers does so much less. This callback measures the
    latter and sets the former.

    Mathematics: every `every` steps, with latents z and real data x that stay the same,

        r_G = rms(G_now(z) - G_before(z)) / sd(x),
        r_D = rms(D_now(y) - D_before(y)) / sd(D_before(y)),   y = x and G_before(z),
        log rate <- log rate + gain log(target / r)

    for each player, both networks in inference mode. In units of its logits' own
    spread the discriminator moved alike in runs of two toys at good rates, at a tenth
    of them a third as far (docs/results/rates.md). A displacement over several steps
    counts an optimizer's momentum, and noise, which does not add up, for less.

    It looks at the networks in a graph of its own, from the same numbers on every
    replica. `kgg.callbacks.Checkpoint`, which must come after it, keeps its state: a
    resumed run goes on bit for bit. With `kgg.schedules.LinearDecay` the rates that it
    found are those that fall. docs/results/rates.md tells where it helped; on images
    other targets would have been right, and it ruined a run (docs/results/images.md):
    rates known to be good need no control.

    Logs: `g_pace` and `d_pace`, the last r_G and r_D; `g_learning_rate` and
    `d_learning_rate`.

    Args:
        real_data: Data to look at: an array, a pair (array, labels), or batches of
            them, of which the first is taken. Default: None, the first batch of the
            training data.
        every: Train steps between two looks, >= 1, a multiple of `steps_per_execution`.
            The targets are for as many steps. Default: 10.
        generator_target: r_G to steer at, > 0. Default: 0.2.
        discriminator_target: r_D to steer at, > 0. Default: 1.0.
        gain: Fraction of the way to the target (in logarithms) that one look goes, in
            (0, 1]. Default: 0.1.
        limits: Pair of the lowest and the highest learning rate, > 0.
            Default: (1e-6, 0.1).
        num_samples: Most examples to look at, >= 1. Default: 64.

    Attributes:
        measurements: List of triples (train step, r_G, r_D).
        seconds: Seconds spent measuring since the beginning of `fit`.
        cost: Fraction of the time since the beginning of `fit` spent measuring.

    Raises:
        TypeError: When training begins, if the model is no GAN or an optimizer's rate
            is a schedule.
        ValueError: If a number is out of range; when training begins, if the data do
            not fit the networks, `every` not `steps_per_execution`, or several workers
            train.

    Example:
        >>> import numpy as np, keras_gamegan as kgg
        >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
        >>> gan.compile(penalty="r1")
        >>> data = np.random.default_rng(0).normal(size=(640, 2)).astype("float32")
        >>> pace = kgg.callbacks.PaceControl()
        >>> logs = gan.fit(data, epochs=2, verbose=0, callbacks=[pace]).history
        >>> logs["g_learning_rate"][-1] != 1e-3, len(pace.measurements)
        (True, 4)
    """

    def __init__(
        self,
        real_data: Any = None,
        *,
        every: int = 10,
        generator_target: float = 0.2,
        discriminator_target: float = 1.0,
        gain: float = 0.1,
        limits: tuple[float, float] = (1e-6, 0.1),
        num_samples: int = 64,
    ) -> None:
        super().__init__(
            validation.check_integer("every", every), from_first_epoch=False
        )
        self._settings: dict[str, Any] = {
            "every": self.schedule.every,
            "generator_target": validation.check_number(
                "generator_target", generator_target, exclusive=True
            ),
            "discriminator_target": validation.check_number(
                "discriminator_target", discriminator_target, exclusive=True
            ),
            "gain": validation.check_number("gain", gain, 0.0, 1.0, exclusive=True),
            "limits": validation.check_interval("limits", limits, exclusive=True),
            "num_samples": validation.check_integer("num_samples", num_samples),
        }
        self._training_data: Any = None
        self.measurements: list[tuple[int, float, float]] = []
        self._real_data = real_data
        self._shown: list[np.ndarray] | None = None
        self._before: list[Any] | None = None
        self._probe: pace.Probe

    def take_training_data(self, data: Any) -> None:
        """Takes what `fit` trains on; called by `fit`."""
        self._training_data = data

    def on_train_begin(self, logs: Logs = None) -> None:
        """Prepares for a run; called by Keras."""
        if not self._restored:
            self._shown = self._before = None
            self.measurements = []
        super().on_train_begin(logs)

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: the data, and what was made of them last."""
        return {
            **super().get_state(),
            "measurements": self.measurements,
            "shown": self._shown,
            "before": [np.asarray(each) for each in self._before or ()],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` returned; called before training begins."""
        super().set_state(state)
        self.measurements = [tuple(each) for each in state["measurements"]]
        self._shown, self._before = list(state["shown"]), list(state["before"])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments but the data."""
        return dict(self._settings)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "PaceControl":
        """Returns the callback that `get_config` described."""
        return cls(**config)

    def _prepare(self) -> None:
        messages.check_samples(self)
        self._check_model()
        if self._shown is None:
            self._shown = self._first_examples()
        self._probe = pace.Probe(self.model, *self._shown)
        if self._before is None:
            self._before, _ = self._probe.look(None)

    def _measure(self) -> dict[str, float]:
        settings, model = self._settings, self.model
        self._before, found = self._probe.look(self._before)
        self.measurements.append((model.num_steps, *found))
        logs = {"g_pace": found.generator, "d_pace": found.discriminator}
        targets = settings["generator_target"], settings["discriminator_target"]
        rates = [
            pace.next_rate(rate, moved, target, settings["gain"], settings["limits"])
            for rate, moved, target in zip(
                model.optimizer.rates(), found, targets, strict=True
            )
        ]
        model.optimizer.set_rates(*rates)
        logs["g_learning_rate"], logs["d_learning_rate"] = model.optimizer.rates()
        return logs

    def _check_model(self) -> None:
        self.model.optimizer.rates()
        number = workers.num_workers(self.model.distribute_strategy)
        if number > 1:
            raise ValueError(
                "PaceControl looks at the data of one process, so that several workers "
                f"could come to different rates. Received: {number} workers. Find the "
                "rates on one machine, and train at those."
            )
        steps = self.model.steps_per_execution
        if self._settings["every"] % steps:
            raise ValueError(
                "`every` must be a multiple of steps_per_execution: its targets are "
                f"for as many steps. Received: every={self._settings['every']}, "
                f"steps_per_execution={steps} in compile(). Use every="
                f"{-(-self._settings['every'] // steps) * steps}."
            )

    def _first_examples(self) -> list[np.ndarray]:
        """Returns [data] or [data, labels] to look at."""
        data = self._real_data
        if data is None:
            data = self._training_data
            if not isinstance(data, tf.data.Dataset):
                raise ValueError(
                    "`real_data` is needed beside data that can be read only once. "
                    f"Received: a {type(data).__name__} in fit() and real_data=None. "
                    "Pass a batch of real data to PaceControl."
                )
            # A stream of epochs counts how often it is read: it is entered elsewhere.
            data = getattr(data, "starting_at", lambda step: data)(0).take(1)
        number = self._settings["num_samples"]
        inputs = self.model.discriminator_network.inputs
        batches = data_forms.batches("real_data", data, inputs, number)
        parts = next(batches, None)
        if parts is None:
            raise ValueError(
                "`real_data` must have at least one example. Received: none. Check the "
                "slice or filter that made it."
            )
        return [part[:number] for part in parts if part is not None]
