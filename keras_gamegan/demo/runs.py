"""The runs of the demonstration: one trainer, one regime, one seed each."""

import time
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_gamegan import datasets, games, history, metrics, models, networks
from keras_gamegan.payoffs import penalties

# Trainer -> gradient evaluations of a step.
TRAINERS = {"GAN": 2, "DualityGapGAN": 6, "FictitiousGAN": 2}
# Regime -> weight of R1, or None.
REGIMES: dict[str, float | None] = {"no penalty": None, "R1": 0.05}
NUM_MODES = 8
# Pictures of a run, evenly spread over it.
NUM_FRAMES = 24
_BATCH_SIZE = 64
_LEARNING_RATE = 1e-3
_NUM_SAMPLES = 2500
# Samples that a mode must get to count as covered.
_MIN_COUNT = 20


class Run(NamedTuple):
    """What one training left behind.

    Attributes:
        trainer: One of `TRAINERS`.
        regime: One of `REGIMES`.
        seed: Its seed.
        modes: Modes covered, of `NUM_MODES`; 0 if the run failed.
        near: Fraction of samples within three standard deviations of a mode.
        seconds: Wall-clock of the training, compilation included.
        evaluations: Gradient evaluations.
        failure: Why it ended early, or "".
        frames: Points (frames, points, 2) over the training.
    """

    trainer: str
    regime: str
    seed: int
    modes: int
    near: float
    seconds: float
    evaluations: int
    failure: str
    frames: np.ndarray


def ring() -> datasets.GaussianMixture:
    """Returns the distribution that is learnt: eight Gaussians on a circle."""
    return datasets.gaussian_ring(num_modes=NUM_MODES, standard_deviation=0.05)


class _Frames(keras.callbacks.Callback):
    """Keeps some samples after every epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Called by Keras."""
        self.points.append(np.asarray(self.model.sample(300, seed=0)))


def train(trainer: str, regime: str, seed: int, evaluations: int) -> Run:
    """Trains one model for so many gradient evaluations, and measures it."""
    steps = evaluations // TRAINERS[trainer]
    epoch = max(1, steps // NUM_FRAMES)
    gan, data, frames = _model(trainer, seed), ring(), _Frames()
    weight = REGIMES[regime]
    gan.compile(
        keras.optimizers.Adam(_LEARNING_RATE, beta_1=0.5),
        keras.optimizers.Adam(_LEARNING_RATE, beta_1=0.5),
        penalty=None if weight is None else penalties.R1(weight),
        steps_per_execution=min(50, epoch),
    )
    began, failure = time.perf_counter(), ""
    try:
        gan.fit(
            data.batches(_BATCH_SIZE, steps_per_epoch=epoch),
            epochs=max(1, steps // epoch),
            verbose=0,
            callbacks=[frames],
        )
    except models.NonFiniteError as error:
        failure = str(error)
    seconds = time.perf_counter() - began
    found = {"modes": 0.0, "high_quality": 0.0}
    if not failure:
        metric = metrics.ModeCoverage(
            data.centers, data.standard_deviation, min_count=_MIN_COUNT
        )
        metric.update_state(gan.sample(_NUM_SAMPLES, seed=0))
        found = {name: float(value) for name, value in metric.result().items()}
    return Run(
        trainer,
        regime,
        seed,
        int(found["modes"]),
        found["high_quality"],
        seconds,
        gan.num_steps * TRAINERS[trainer],
        failure,
        np.asarray(frames.points),
    )


def _model(trainer: str, seed: int) -> models.GAN:
    pair = networks.mlp_pair(data_dim=2, latent_dim=16, width=128, seed=seed)
    common: dict[str, Any] = {"seed": seed, "average_decay": None}
    if trainer == "DualityGapGAN":
        response = games.BestResponse(num_steps=2, learning_rate=_LEARNING_RATE)
        return models.DualityGapGAN(*pair, best_response=response, **common)
    if trainer == "FictitiousGAN":
        kept = history.History(side="discriminator")
        return models.FictitiousGAN(*pair, history=kept, **common)
    return models.GAN(*pair, **common)
