"""The schemes by name: a string is short for a scheme with its defaults."""

from keras_gamegan import validation
from keras_gamegan.games.schemes import (
    consensus,
    descent,
    lookahead,
    unrolled,
)
from keras_gamegan.games.schemes.scheme import Scheme

_SCHEMES: dict[str, type[Scheme]] = {
    "alternating": descent.Alternating,
    "simultaneous": descent.Simultaneous,
    "extragradient": descent.Extragradient,
    "optimistic": descent.Optimistic,
    "consensus": consensus.Consensus,
    "lookahead": lookahead.Lookahead,
    "unrolled": unrolled.Unrolled,
}
NAMES = tuple(_SCHEMES)


def get(scheme: str | Scheme) -> Scheme:
    """Returns a scheme by its name, or as it is.

    Args:
        scheme: A name of `NAMES`, or a `Scheme`.

    Raises:
        ValueError: If there is no scheme of that name.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.schemes.get("lookahead")
        Lookahead()
    """
    if isinstance(scheme, Scheme):
        return scheme
    hint = "A kgg.games.schemes.Scheme object works too."
    return _SCHEMES[validation.check_choice("updates", scheme, NAMES, hint)]()
