"""Probability vectors: the strategies of games with finitely many choices."""

import numpy as np
from numpy.typing import ArrayLike


def check(
    name: str, values: ArrayLike, size: int | None = None, minimum_size: int = 1
) -> np.ndarray:
    """Returns ``values`` as a distribution, or raises if they are none.

    Args:
        name: The argument's name, for the message.
        values: What the caller passed.
        size: Number of points; None if any number of at least `minimum_size` will do.
        minimum_size: Smallest number of points.

    Returns:
        NumPy float64 array (size,) that sums to 1.

    Raises:
        ValueError: If the values are no distribution of that size.
    """
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    points = f"at least {minimum_size} points" if size is None else f"{size} points"
    right_size = array.size >= minimum_size if size is None else array.size == size
    if (
        array.ndim != 1
        or not right_size
        or not np.all(array >= 0)
        or abs(array.sum() - 1) > 1e-6
    ):
        raise ValueError(
            f"`{name}` must be probabilities of {points}: numbers >= 0 that sum to 1. "
            f"Received: {name}={values!r}. Divide counts by their sum."
        )
    return array / array.sum()
