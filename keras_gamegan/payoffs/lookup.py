"""A payoff by its name, or by the name under which Keras knows its loss."""

import inspect
from typing import Any

import keras

from keras_gamegan import validation
from keras_gamegan.payoffs import payoff, relativistic

_PAYOFFS: dict[str, type[payoff.Payoff]] = {
    "minimax": payoff.Minimax,
    "non_saturating": payoff.NonSaturating,
    "wasserstein": payoff.Wasserstein,
    "hinge": payoff.Hinge,
    "least_squares": payoff.LeastSquares,
    "relativistic": relativistic.Relativistic,
}
NAMES = tuple(_PAYOFFS)

# Binary cross-entropy, as Keras and its guides write the non-saturating loss.
_CROSS_ENTROPY = "binary_crossentropy"
_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


def get(
    loss: str | payoff.Payoff | keras.losses.Loss, **arguments: Any
) -> payoff.Payoff:
    """Returns a `Payoff` from a name, a payoff, or Keras' binary cross-entropy.

    Binary cross-entropy is understood as "non_saturating", which is that loss on
    logits, times 1/2: discriminators here return logits, whatever `from_logits` says.

    Args:
        loss: "minimax", "non_saturating", "wasserstein", "hinge", "least_squares",
            "relativistic"; a `Payoff` object; "binary_crossentropy" or
            `keras.losses.BinaryCrossentropy()`.
        **arguments: Arguments of the named payoff, such as `label_smoothing=0.1`.

    Returns:
        A `Payoff`.

    Raises:
        TypeError: If the payoff does not take an argument.
        ValueError: If the name is unknown, or a loss of Keras smooths both labels or
            does not take the mean.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.payoffs.get("hinge")
        Hinge()
        >>> kgg.payoffs.get("non_saturating", label_smoothing=0.1)
        NonSaturating(label_smoothing=0.1)
    """
    if isinstance(loss, payoff.Payoff):
        if arguments:
            raise TypeError(
                "Arguments go with the name of a payoff. Received: "
                f"{', '.join(arguments)} for {loss!r}. Pass them to its constructor."
            )
        return loss
    if _is_cross_entropy(loss):
        loss = "non_saturating"
    validation.check_choice("loss", loss, NAMES, _hint(loss))
    made = _PAYOFFS[loss]
    taken = [name for name in inspect.signature(made).parameters if name != "self"]
    unknown = [name for name in arguments if name not in taken]
    if unknown:
        named = ", ".join(taken) or "none"
        raise TypeError(
            f"Arguments of {loss!r} must be among: {named}. Received: "
            f"{', '.join(unknown)}. Label smoothing and noise are for payoffs with "
            "labels: 'minimax', 'non_saturating' and 'least_squares'."
        )
    return made(**arguments)


def _is_cross_entropy(loss: Any) -> bool:
    """Returns whether a loss is Keras' binary cross-entropy; raises on odd ones."""
    if type(loss) is not keras.losses.BinaryCrossentropy:
        named = isinstance(loss, str) and loss == _CROSS_ENTROPY
        return named or loss is keras.losses.binary_crossentropy
    if loss.label_smoothing:
        raise ValueError(
            "Labels are smoothed on one side here: those of real data. Received: "
            f"BinaryCrossentropy(label_smoothing={loss.label_smoothing}), which "
            "smooths both. Pass kgg.payoffs.get('non_saturating', label_smoothing="
            f"{loss.label_smoothing / 2:g})."
        )
    if loss.reduction not in _REDUCTIONS:
        raise ValueError(
            "A payoff is a mean over examples. Received: BinaryCrossentropy(reduction="
            f"{loss.reduction!r}). Leave `reduction` out."
        )
    return True


# Losses of Keras, by which a GAN's is often known.
_KNOWN_AS = {
    "binarycrossentropy": 'loss="non_saturating" is binary cross-entropy on logits.',
    "bce": 'loss="non_saturating" is binary cross-entropy on logits.',
    "hinge": 'loss="hinge" is the hinge loss of a GAN.',
    "meansquarederror": 'loss="least_squares" is the squared error of logits.',
    "mse": 'loss="least_squares" is the squared error of logits.',
}


def _hint(loss: Any) -> str:
    """Returns what else to pass, for a loss that is known by another name."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    name = (name or type(loss).__name__).replace("_", "").lower()
    hint = _KNOWN_AS.get(name, "A kgg.Payoff object works too.")
    if loss is None:
        hint = "Leave it out for the default."
    elif isinstance(loss, type) and issubclass(loss, payoff.Payoff):
        hint = f"Pass an object: {loss.__name__}()."
    return hint
