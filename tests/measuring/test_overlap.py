"""Examples that two sets share: which are chance, and which are a mistake."""

import time
import warnings

import numpy as np
import pytest

from keras_gamegan.measuring import overlap


def verdict(finding, scoring):
    """Returns "error", "warning" or "fine", and the words."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            overlap.check_no_shared_rows(finding, scoring)
        except ValueError as error:
            return "error", str(error)
    return ("warning", str(found[0].message)) if found else ("fine", "")


def normal(rng, n, *shape):
    return rng.normal(size=(n, *shape)).astype("float32")


def integers(rng, n, high, *shape):
    return rng.integers(0, high, (n, *shape)).astype("float32")


def geometric(rng, n):
    return rng.geometric(0.3, (n, 1)).astype("float32")


# Independent draws: function of a generator -> two sets; seeds; warnings allowed.
HONEST = {
    "float32 in one dimension": (
        lambda rng: (normal(rng, 20_000, 1), normal(rng, 20_000, 1)),
        40,
        1,
    ),
    "of unequal sizes": (
        lambda rng: (normal(rng, 20_000, 1), normal(rng, 2_000, 1)),
        40,
        8,
    ),
    "float32 in two dimensions": (
        lambda rng: (normal(rng, 2_000, 2), normal(rng, 2_000, 2)),
        40,
        0,
    ),
    "digits": (
        lambda rng: (integers(rng, 300, 10, 1), integers(rng, 500, 10, 1)),
        99,
        0,
    ),
    "a table of digits": (
        lambda rng: (integers(rng, 400, 10, 3), integers(rng, 400, 10, 3)),
        99,
        0,
    ),
    "twenty yes or no": (
        lambda rng: (integers(rng, 900, 2, 20), integers(rng, 900, 2, 20)),
        40,
        0,
    ),
    # Some values are much likelier, and the small set has its share by chance.
    "geometric": (lambda rng: (geometric(rng, 300), geometric(rng, 3_000)), 99, 3),
    "rounded": (
        lambda rng: (normal(rng, 400, 2).round(2), normal(rng, 400, 2).round(2)),
        99,
        0,
    ),
    "rounded in one dimension": (
        lambda rng: (normal(rng, 400, 1).round(3), normal(rng, 400, 1).round(3)),
        99,
        3,
    ),
    "tiny": (lambda rng: (integers(rng, 5, 10, 1), integers(rng, 5, 10, 1)), 99, 0),
    "one and one": (
        lambda rng: (integers(rng, 1, 3, 1), integers(rng, 1, 3, 1)),
        20,
        0,
    ),
    "constant": (lambda rng: (np.ones((90, 3)), np.ones((70, 3))), 1, 0),
    "a constant column": (
        lambda rng: tuple(
            np.concatenate([np.ones((n, 1)), integers(rng, n, 50, 1)], axis=1)
            for n in (90, 70)
        ),
        99,
        0,
    ),
    "images": (lambda rng: (normal(rng, 99, 8, 8, 1), normal(rng, 99, 8, 8, 1)), 3, 0),
}


@pytest.mark.parametrize("case", HONEST)
def test_chance_is_no_error(case):
    draw, seeds, allowed = HONEST[case]
    found = [verdict(*draw(np.random.default_rng(seed)))[0] for seed in range(seeds)]
    assert "error" not in found
    assert found.count("warning") <= allowed


def cut(rng, shared, n=128, shape=(8, 8, 1), shuffled=False):
    """Two parts of one data set, with so many rows in both."""
    data = normal(rng, 2 * n, *shape)
    scoring = data[n - shared : 2 * n - shared].copy()
    return data[:n], rng.permutation(scoring) if shuffled else scoring


@pytest.mark.parametrize(
    ("shared", "arguments", "expected"),
    [
        (0, {}, "fine"),
        (1, {}, "warning"),
        (2, {}, "warning"),
        (3, {}, "error"),
        (28, {}, "error"),
        (100, {}, "error"),
        (2, {"shuffled": True}, "warning"),
        (3, {"shuffled": True}, "error"),
        # One in a hundred.
        (5, {"shuffled": True, "n": 500}, "error"),
        # Rows of one number: a run is no chance, three of them anywhere may be.
        (2, {"shape": (1,)}, "warning"),
        (3, {"shape": (1,)}, "error"),
        (3, {"shape": (1,), "shuffled": True}, "warning"),
        (20, {"shape": (1,), "shuffled": True}, "error"),
        (100, {"shape": (2,), "shuffled": True}, "error"),
    ],
)
def test_one_data_set_cut_twice(shared, arguments, expected):
    for seed in range(3):
        found, words = verdict(*cut(np.random.default_rng(seed), shared, **arguments))
        assert found == expected
        if shared:
            assert f"{shared} example(s) that stand in both" in words
        if shared and not arguments:
            assert f"finding_data[{128 - shared}] = scoring_data[0]" in words


def test_shared_rows_among_rows_that_repeat():
    rng = np.random.default_rng(0)
    data = integers(rng, 256, 10, 3)
    assert verdict(data[:128], data[128:])[0] == "fine"
    found, words = verdict(data[:128], data[100:])
    assert found == "error" and "by chance)" in words
    # Images, some of which stand twice in the data set itself.
    images = normal(rng, 2_000, 8, 8, 1)
    images[:4] = images[1_000:1_004] = 0.0
    assert verdict(images[:1_000], images[1_000:])[0] == "fine"
    mixed = rng.permutation(np.concatenate([images[1_000:], images[500:540]]))
    assert verdict(images[:1_000], mixed)[0] == "error"
    # The same few examples, over and over.
    few = normal(rng, 40, 2)
    assert verdict(np.tile(few, (2, 1)), np.tile(few, (2, 1)))[0] == "error"
    assert verdict(few, few[::-1].copy())[0] == "error"


def test_the_deviation_is_that_of_dealing_rows_out_at_random():
    rng = np.random.default_rng(1)
    rows = rng.geometric(0.4, 90)
    n, m = 30, 60
    ratio = n * m / (n * (n - 1) / 2 + m * (m - 1) / 2)
    excesses = []
    for _ in range(4_000):
        dealt = rng.permutation(rows)
        a, b = (np.bincount(part, minlength=40) for part in (dealt[:n], dealt[n:]))
        within = (a * (a - 1) + b * (b - 1)).sum() / 2
        excesses.append((a * b).sum() - ratio * within)
    found = overlap._coincidences(
        dealt[:n, None].astype("float32"), dealt[n:, None].astype("float32")
    )
    assert found.across - found.expected == pytest.approx(excesses[-1])
    assert abs(np.mean(excesses)) < 5 * found.deviation / np.sqrt(len(excesses))
    assert found.deviation == pytest.approx(np.std(excesses), rel=0.1)


def test_twenty_thousand_rows_take_no_time():
    rng = np.random.default_rng(0)
    sets = normal(rng, 20_000, 28, 28, 1), normal(rng, 20_000, 28, 28, 1)
    began = time.perf_counter()
    assert verdict(*sets)[0] == "fine"
    assert time.perf_counter() - began < 5.0
