"""What goes wrong in adversarial training, recognised from a few figures an epoch.

Each detector is a function of what was seen so far that returns a message, in plain
words and with the numbers, or None. They know nothing of Keras' loop.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

# Logits far out, where a bounded payoff no longer changes.
_FAR = 60.0


class Scale(NamedTuple):
    """A payoff's yardstick.

    Attributes:
        optimum: V at the equilibrium, or None if unknown.
        bound: The most a discriminator can reach, or None without a bound.
        saturates: Whether the generator's own loss is flat where D rejects for sure.
    """

    optimum: float | None
    bound: float | None
    saturates: bool

    @property
    def range(self) -> float | None:
        """The distance from optimum to bound, or None."""
        if self.optimum is None or self.bound is None:
            return None
        return self.bound - self.optimum


def scale_of(payoff: Any) -> Scale:
    """Returns the `Scale` of a `kgg.Payoff`, from its own functions."""
    optimum = None if payoff.optimum is None else float(payoff.optimum)
    if payoff.of_pairs:
        # Only differences count: a real one far above its generated one.
        bound = _maximum(lambda logits: payoff.pair_term(logits / 2, -logits / 2))
        bound = None if bound is None else round(bound, 6) + 0.0
    else:
        real, fake = _maximum(payoff.real_term), _maximum(payoff.fake_term)
        # Rounded: what is left of a bound of 0 is not.
        bound = None if real is None or fake is None else round(real + fake, 6) + 0.0
    logits = tf.constant([-_FAR / 2], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        term = payoff.generator_pair_term(-logits, logits)
    slope = tape.gradient(
        term, logits, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return Scale(optimum, bound, abs(float(slope[0])) < 1e-6)


def _maximum(term: Callable[[tf.Tensor], tf.Tensor]) -> float | None:
    """Returns the largest value of a term over all logits, None if it has none."""
    logits = tf.linspace(tf.constant(-_FAR, tf.float64), _FAR, 2401)
    near, far = (
        float(tf.reduce_max(term(tf.cast(factor * logits, tf.float64))))
        for factor in (1.0, 2.0)
    )
    return near if abs(far - near) < 1e-6 else None


def collapse(
    scale: Scale,
    gap: float | None,
    minimax: float | None,
    gap_share: float,
    minimax_share: float,
) -> str | None:
    """Returns a message if both searches get nowhere though the generator is bad."""
    if scale.optimum is None or scale.range is None:
        return None
    if gap is None or minimax is None:
        return None
    small = abs(gap) <= gap_share * scale.range
    far = minimax - scale.optimum >= minimax_share * scale.range
    if not (small and far):
        return None
    return (
        f"Collapse: the duality gap is {gap:.4f}, as at an equilibrium, but the "
        f"minimax value is {minimax:.4f} where {scale.optimum:.4f} is the best. The "
        "searches get nowhere: the discriminator tells the samples apart and gives the "
        "generator no direction. Look at the samples; add penalty='r1', lower the "
        "discriminator's learning rate, or go back to an earlier checkpoint."
    )


def saturation(scale: Scale, value: float | None, fraction: float) -> str | None:
    """Returns a message if the discriminator is as right as it can be."""
    if scale.bound is None or scale.range is None or value is None:
        return None
    if value < scale.bound - fraction * scale.range:
        return None
    advice = "The generator learns little from a discriminator that is always right"
    if scale.saturates:
        advice = (
            "There the gradient of this payoff's generator loss vanishes (the "
            "non-saturating one's does not: loss='non_saturating')"
        )
    return (
        f"Saturation: the value is {value:.4f}, and no discriminator can exceed "
        f"{scale.bound:.4f}; at the equilibrium it is {scale.optimum:.4f}. {advice}. "
        "Add penalty='r1', lower the discriminator's learning rate, or take fewer "
        "discriminator steps."
    )


def divergence(
    scale: Scale,
    figures: Mapping[str, float],
    past: Mapping[str, Sequence[float]],
    growth: float,
) -> str | None:
    """Returns a message if a figure is not finite, or far beyond what it used to be.

    Args:
        scale: A `Scale`.
        figures: Dictionary of this epoch's figures.
        past: Dictionary of lists, the sizes of the figures of earlier epochs.
        growth: How many times its usual size is too much.
    """
    for name, figure in figures.items():
        if not math.isfinite(figure):
            return (
                f"Divergence: {name} is {figure}. Lower the learning rates, or add "
                "penalty='r1'; the last good weights are in the last checkpoint."
            )
        before = past.get(name, [])
        if len(before) < 3:
            continue
        usual = max(statistics.median(before), scale.range or abs(scale.optimum or 1.0))
        if abs(figure) > growth * usual:
            return (
                f"Divergence: {name} has grown to {figure:.4g}, {growth:g} times and "
                f"more its usual size of {usual:.4g}. Lower the learning rates, or add "
                "penalty='r1'."
            )
    return None


def imbalance(accuracy: float | None, band: tuple[float, float]) -> str | None:
    """Returns a message if one player has run away from the other.

    Args:
        accuracy: How often the discriminator prefers the real one of a pair, or None.
        band: Pair of the lowest and the highest that is no event.
    """
    if accuracy is None or band[0] <= accuracy <= band[1]:
        return None
    told = (
        f"Imbalance: the discriminator prefers the real one of {accuracy:.0%} of the "
        "pairs"
    )
    if accuracy < band[0]:
        return (
            f"{told}, worse than by chance: it is outrun. Raise its learning rate, or "
            "lower the generator's."
        )
    return (
        f"{told}: the generator does not keep up. Raise its learning rate or lower the "
        "discriminator's, or add penalty='r1'."
    )


class Episode:
    """Turns a condition that holds epoch after epoch into one event.

    Args:
        patience: Epochs in a row that the condition must hold.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self.length = 0

    def begins(self, message: str | None) -> bool:
        """Returns whether the event begins now; None says that all is well."""
        self.length = 0 if message is None else self.length + 1
        return self.length == self._patience


def known(logs: Mapping[str, Any], name: str) -> Any:
    """Returns a log as a float, or None if it is not there."""
    return None if name not in logs else float(logs[name])
