"""Solved closed-form games, shared by the tests that look at them."""

import functools

import pytest

import keras_gamegan as kgg

# Tracing dominates: what several tests look at is solved once.
_solved = functools.cache(
    lambda game, scheme, options: kgg.games.solve(
        getattr(kgg.games, game)(), scheme=scheme, **dict(options)
    )
)


@pytest.fixture(scope="session")
def solved():
    """Function (game's name, scheme's name, **options of solve) -> Solution."""
    return lambda game, scheme="duality_gap", **options: _solved(
        game, scheme, tuple(sorted(options.items()))
    )
