"""Whether two sides of a metric were given their samples in the same units.

A side's record adds up over batches, replicas and files: the number of its values that
were integers, the number that were not, their sum and the sum of their squares.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

SIZE = 4
# A ratio of standard deviations beyond any between [0, 1] and [-1, 1].
_RATIO = 10.0
# Wider than data that were scaled for a generator.
_WIDE = 10.0
_ADVICE = (
    "Bring both into the units that the generator makes, for images in [-1, 1]: "
    "images / 127.5 - 1."
)


def record(samples: tf.Tensor) -> tf.Tensor:
    """Returns what a batch adds to its side's record: (4,) float64."""
    values = tf.cast(samples, tf.float64)
    size = tf.cast(tf.size(samples), tf.float64)
    none = tf.zeros((), tf.float64)
    counts = [size, none] if is_integer(samples) else [none, size]
    return tf.stack([*counts, tf.reduce_sum(values), tf.reduce_sum(values**2)])


def is_integer(samples: tf.Tensor) -> bool:
    """Whether a tensor holds integers or booleans."""
    return samples.dtype.is_integer or samples.dtype.is_bool


def is_mixed(records: Iterable[tf.Tensor]) -> tf.Tensor:
    """Whether some of the values were integers and others not, a boolean tensor."""
    counts = tf.add_n(list(records))
    return (counts[0] > 0.0) & (counts[1] > 0.0)


def check_kinds(records: Mapping[str, np.ndarray]) -> None:
    """Raises if some of the values were integers and others were not.

    Args:
        records: {what they are of, such as "`real`": record as a NumPy array}.

    Raises:
        ValueError: If so.
    """
    integers = [name for name, counts in records.items() if counts[0]]
    floating = [name for name, counts in records.items() if counts[1]]
    if integers and floating:
        raise ValueError(
            "All samples of a metric must be in the same units. Received: integers as "
            f"{' and '.join(integers)}, floating-point numbers as "
            f"{' and '.join(floating)}. {_ADVICE}"
        )


def difference(real: np.ndarray, fake: np.ndarray) -> str | None:
    """Returns a sentence on a gross difference in scale, or None if there is none.

    A generator that has not begun, or has collapsed, is narrower than its data, too:
    narrow samples are told only beside real ones too wide for that to be all.

    Args:
        real: Record of the real side, a NumPy array.
        fake: Record of the generated side.
    """
    one, other = _spread(real), _spread(fake)
    if min(one, other) == 0.0 or max(one / other, other / one) <= _RATIO:
        return None
    if other < one < _WIDE:
        return None
    return (
        "Both sides of a metric should be in the same units. Received: `real` with a "
        f"standard deviation of {one:.3g}, `fake` with one of {other:.3g}. {_ADVICE}"
    )


def _spread(counts: np.ndarray) -> float:
    number = counts[0] + counts[1]
    if not number:
        return 0.0
    mean = counts[2] / number
    variance = counts[3] / number - mean**2
    # What rounding leaves of a constant is none.
    return math.sqrt(variance) if variance > 1e-12 * mean**2 else 0.0
