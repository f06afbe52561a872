"""Mixtures of Gaussians in the plane, standardised, and how well one is learned."""

import dataclasses

import numpy as np

import keras_gamegan as kgg

SAMPLES = 2500


@dataclasses.dataclass(frozen=True)
class Problem:
    """A mixture of which a good run finds every mode.

    Attributes:
        centers: Array (k, 2).
        standard_deviation: Of every component.
        fewest: Modes that a run must find to count as good.
        nearest: Share of samples within three standard deviations likewise.
        weights: Probability of each mode, array (k,); None: all alike.
    """

    centers: np.ndarray
    standard_deviation: float
    fewest: int
    nearest: float
    weights: np.ndarray | None = None

    def points(self, number, seed):
        """Returns an array (number, 2), float32."""
        rng = np.random.default_rng(seed)
        if self.weights is None:
            modes = rng.integers(len(self.centers), size=number)
        else:
            modes = rng.choice(len(self.centers), size=number, p=self.weights)
        chosen = self.centers[modes]
        noise = rng.normal(size=chosen.shape) * self.standard_deviation
        return (chosen + noise).astype("float32")

    def score(self, samples):
        """Returns (modes found, share of samples near one)."""
        metric = kgg.metrics.ModeCoverage(
            self.centers,
            self.standard_deviation,
            min_count=len(samples) // (10 * len(self.centers)),
        )
        metric.update_state(samples)
        found = metric.result()
        return float(found["modes"]), float(found["high_quality"])

    def quality(self, samples):
        """Returns the share of modes found times the share of samples near one."""
        modes, near = self.score(samples)
        return modes / len(self.centers) * near


def _standardised(centers, standard_deviation, fewest, nearest, weights=None):
    squares = np.square(centers).mean(axis=1)
    scale = np.sqrt(np.average(squares, weights=weights) + standard_deviation**2)
    return Problem(
        centers / scale, standard_deviation / scale, fewest, nearest, weights
    )


def _grid(side):
    line = np.arange(side) - (side - 1) / 2
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def _ring(standard_deviation, weights=None):
    angles = 2 * np.pi * np.arange(8) / 8
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _standardised(centers, standard_deviation, 8, 0.6, weights)


def _swiss_roll():
    # A turn and a half of a spiral; 60 components, two or three standard deviations
    # apart, make one band.
    angles = 1.5 * np.pi * np.sqrt(1.0 + 2.0 * 4.0 * np.linspace(0.0, 1.0, 60))
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _standardised(angles[:, None] * centers, 0.6, 54, 0.6)


PROBLEMS = {
    "ring": _ring(0.05),
    "narrow ring": _ring(0.02),
    "very narrow ring": _ring(0.01),
    # From one eighth of the commonest mode to all of it.
    "skewed ring": _ring(0.05, np.arange(1, 9) / 36),
    "swiss roll": _swiss_roll(),
    "grid 3x3": _standardised(_grid(3), 0.05, 9, 0.6),
    "grid 5x5": _standardised(_grid(5), 0.05, 20, 0.5),
}
