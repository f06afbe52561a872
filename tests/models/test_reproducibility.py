"""A run is a function of seed and data, however it is cut up."""

import numpy as np
import pytest

import keras_gamegan as kgg

METHODS = {
    "alternating": "modes",
    "duality_gap": "linear",
    "fictitious": "linear",
}


@pytest.fixture(scope="module")
def run(make, points, state):
    """Function (method, cuts) -> state after four steps in float64."""

    def train(method, cuts=(32,)):
        gan = make(method, METHODS[method], "float64")
        begin = 0
        for end in cuts:
            gan.fit(points[begin:end], batch_size=8, shuffle=False, verbose=0)
            begin = end
        assert gan.num_steps == 4
        return state(gan)

    return train


@pytest.fixture(scope="module", params=METHODS)
def reference(request, run):
    """The method's name, and its state after one ordinary run."""
    return request.param, run(request.param)


def test_two_runs_are_one(reference, run, assert_same):
    method, expected = reference
    assert_same(run(method, cuts=(16, 32)), expected)


def test_seeds(make, points, networks_state):
    runs = []
    for seed in (1, 1, 2):
        gan = make(kind="modes", seed=seed, compile={"run_eagerly": True})
        gan.fit(points[:8], batch_size=8, verbose=0)
        runs.append(networks_state(gan))
    for first, again in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(first, again)
    assert any(np.any(a != b) for a, b in zip(runs[0], runs[2], strict=True))


def test_a_seed_is_drawn_and_kept():
    first, second = (kgg.GAN(*kgg.networks.mlp_pair(2, width=4)) for _ in range(2))
    assert first.seed != second.seed
    assert first.get_config()["seed"] == first.seed
