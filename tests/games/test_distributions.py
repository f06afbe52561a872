import numpy as np
import pytest

from keras_gamegan.games import distributions


def test_check_returns_what_sums_to_one():
    checked = distributions.check("p", [0.25, 0.75])
    assert checked.dtype == np.float64 and checked.tolist() == [0.25, 0.75]
    # Rounding in the last digits is mended.
    assert distributions.check("p", np.full(3, 0.3333333)).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "values",
    [
        [0.5, 0.6],
        [1.5, -0.5],
        [[0.5, 0.5]],
        [np.nan, 1.0],
        [0.5, 0.25, 0.25],
        "half",
        None,
        [[1.0], [0.5, 0.5]],
    ],
)
def test_errors(values):
    with pytest.raises(
        ValueError, match=r"`p` must be probabilities of 2 points.*Received: p=.*Divide"
    ):
        distributions.check("p", values, 2)


def test_minimum_size():
    assert distributions.check("p", [1.0]).size == 1
    with pytest.raises(ValueError, match="at least 2 points"):
        distributions.check("p", [1.0], minimum_size=2)
