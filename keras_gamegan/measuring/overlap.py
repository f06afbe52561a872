"""Whether two held-out sets share examples, or repeat themselves by chance."""

import math
import warnings
from typing import NamedTuple

import numpy as np

# Chance may be exceeded by so many standard deviations, and pairs, before it is an
# error; and by fewer deviations before it is worth a word.
_DEVIATIONS = 3.5
_ALLOWANCE = 2
_NOTABLE = 2.5
# Expected number of runs of such a length below which a run is not chance.
_RARE = 1e-3
_RUN = 3
# Numbers in a row from which on it is rich enough not to stand twice by chance.
_RICH = 64
# Row numbers that a message lists at most.
_LISTED = 5


class _Coincidences(NamedTuple):
    """Equal rows of two sets.

    Attributes:
        examples: Rows of the second set that stand in the first, an int.
        shared: (k, 2) rows (of the first, of the second), one for each content of both.
        once: The part of `shared` whose content stands once in each set.
        across: Number of pairs (row of the first, row of the second) that are equal.
        expected: The number of them that chance explains.
        deviation: Standard deviation of `across` about it, given all rows.
        within: Number of pairs of equal rows within the sets.
        ratio: r, the pairs across over the pairs within.
        pairs: Number of all pairs across, an int.
    """

    examples: int
    shared: np.ndarray
    once: np.ndarray
    across: int
    expected: float
    deviation: float
    within: int
    ratio: float
    pairs: int


def check_no_shared_rows(finding: np.ndarray, scoring: np.ndarray) -> None:
    r"""Raises if one set has examples of the other, more than chance explains.

    Independent draws may coincide, too: of a distribution on integers, of rounded
    numbers, of float32 numbers in one dimension. How often they do shows within each
    set. Let X be the number of equal pairs across the sets of n and m rows, and W that
    within them. Whatever the distribution, two sets of independent draws have

        E[X] = r E[W],    r = n m / (n (n - 1) / 2 + m (m - 1) / 2).

    It is an error, if

    *   X exceeds r W by more than 3.5 standard deviations and 2, where the deviation is
        that of dealing the same rows out at random (for W = 0 and n = m: 17 pairs);
    *   or, where rows have 64 numbers or more (images), the rows that stand once in
        each set exceed r W by 3.5 standard deviations of Poisson counts and 2: three
        rows, if none stands twice within a set;
    *   or three rows or more in succession of one set, each there once, stand in
        succession in the other, and runs of that length have an expected number below
        1 in 1,000: one data set was cut twice, as by data[:128] and data[100:].

    Otherwise coincidences are a warning if none is seen within the sets, or if they
    exceed r W by 2.5 standard deviations; and else of no account. So they are where
    columns coincide so often that rows have to, or one column has whole numbers only.

    Args:
        finding: Array (n, ...) of finite numbers.
        scoring: Array (m, ...).

    Raises:
        ValueError: If so; the message says how many, and which.

    Warns:
        UserWarning: If a few examples coincide that might do so by chance.
    """
    found = _coincidences(finding, scoring)
    if not found.across:
        return
    excess = found.across - found.expected
    error = (
        excess > _DEVIATIONS * found.deviation + _ALLOWANCE
        or (finding[0].size >= _RICH and _beyond_poisson(found))
        or _cut_twice(found)
    )
    notable = not found.within or excess > _NOTABLE * found.deviation
    if not error and not (notable and _expected_by_columns(finding, scoring) < _RARE):
        return
    listed = ", ".join(
        f"finding_data[{i}] = scoring_data[{j}]" for i, j in found.shared[:_LISTED]
    )
    listed += ", ..." if len(found.shared) > _LISTED else ""
    beside = f" (about {found.expected:.0f} by chance)" if found.within else ""
    received = (
        "`finding_data` and `scoring_data` must be disjoint: scored on what it was "
        "found on, a worst player looks worse than it is. Received: "
        f"{found.examples} example(s) that stand in both{beside}: {listed}. "
    )
    if error:
        raise ValueError(
            f"{received}Drop them from one of the two, or split one data set: "
            "data[:n] and data[n:]."
        )
    warnings.warn(
        f"{received}So few may be chance; if they are not, drop them.",
        UserWarning,
        stacklevel=2,
    )


def _coincidences(finding: np.ndarray, scoring: np.ndarray) -> _Coincidences:
    n, m = len(finding), len(scoring)
    hashes = np.concatenate([_hashes(finding), _hashes(scoring)])
    _, content = np.unique(hashes, return_inverse=True)
    size = int(np.max(content)) + 1
    # How often each content stands in the first set, and in the second.
    a, b = (
        np.bincount(part, minlength=size).astype(np.float64)
        for part in (content[:n], content[n:])
    )
    first, second = np.zeros((2, size), np.int64)
    # Backwards, so that the first of several rows stays.
    first[content[:n][::-1]] = np.arange(n)[::-1]
    second[content[n:][::-1]] = np.arange(m)[::-1]
    both = (a > 0) & (b > 0)
    pairs = np.stack([first, second], axis=1)
    across = float(a @ b)
    within = float(a @ (a - 1) + b @ (b - 1)) / 2
    ratio = n * m / max((n * (n - 1) + m * (m - 1)) / 2, 1)
    return _Coincidences(
        examples=int(b[both].sum()),
        shared=_sorted(pairs[both]),
        once=_sorted(pairs[(a == 1) & (b == 1)]),
        across=int(across),
        expected=within * ratio,
        deviation=_deviation(a + b, n, m),
        within=int(within),
        ratio=ratio,
        pairs=n * m,
    )


def _deviation(total: np.ndarray, n: int, m: int) -> float:
    """Standard deviation of X - r W when the rows are dealt out at random.

    X counts the edges, between equal rows, that join the sets: the moments are those of
    a join count. X - r W is X less its mean, over the fraction of edges within sets.
    """
    number = n + m
    if number < 4:
        return math.inf
    edges = float(total @ (total - 1)) / 2
    # Ordered pairs of edges that meet in a row.
    meeting = float(total @ ((total - 1) * (total - 2)))
    joins = 2 * n * m / (number * (number - 1))
    apart: float = 4 * n * (n - 1) * m * (m - 1)
    apart /= number * (number - 1) * (number - 2) * (number - 3)
    mean = edges * joins
    variance = mean + meeting * joins / 2 - mean**2
    variance += (edges * (edges - 1) - meeting) * apart
    # Rounding of large numbers that nearly cancel.
    variance = max(variance, 1e-12 * mean**2)
    return math.sqrt(variance) / (1 - joins)


def _beyond_poisson(found: _Coincidences) -> bool:
    """Whether rows that stand once in each set are too many for a rare event."""
    deviation = math.sqrt(found.expected * (1 + found.ratio))
    limit = found.expected + _DEVIATIONS * deviation + _ALLOWANCE
    return len(found.once) > limit


def _cut_twice(found: _Coincidences) -> bool:
    """Whether a run of rows stands in both sets, too long for chance."""
    follows = (np.diff(found.once, axis=0) == 1).all(axis=1)
    breaks = np.flatnonzero(~np.concatenate([[False], follows, [False]]))
    longest = int(np.diff(breaks).max(initial=1))
    # Not 0 where none was seen within: once more than that.
    likelihood = min((found.within + 1) * found.ratio / found.pairs, 1.0)
    return longest >= _RUN and found.pairs * likelihood**longest < _RARE


def _expected_by_columns(finding: np.ndarray, scoring: np.ndarray) -> float:
    """Expected number of equal pairs if the columns of a row were independent.

    A column alone says no more than its rows, unless by being one of whole numbers.
    Rich rows do not come about column by column.
    """
    size = finding[0].size
    if size >= _RICH:
        return 0.0
    sets = [array.reshape(len(array), -1) for array in (finding, scoring)]
    if size == 1:
        whole = all((rows == np.rint(rows)).all() for rows in sets)
        return math.inf if whole else 0.0
    chances = sum(len(rows) * (len(rows) - 1) for rows in sets)
    expected = float(len(finding) * len(scoring))
    for column in range(size):
        equal = 0
        for rows in sets:
            _, counts = np.unique(rows[:, column], return_counts=True)
            equal += int((counts * (counts - 1)).sum())
        expected *= equal / max(chances, 1)
    return expected


def _sorted(pairs: np.ndarray) -> np.ndarray:
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


def _hashes(array: np.ndarray) -> np.ndarray:
    """Returns a 64-bit hash of each row's bytes."""
    # Adding 0 makes one of the two zeros.
    rows = np.ascontiguousarray(array.reshape(len(array), -1) + 0)
    return np.fromiter((hash(row.tobytes()) for row in rows), np.int64, len(rows))
