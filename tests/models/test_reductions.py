"""Where one method contains another, the two are equal bit for bit."""

import numpy as np
import pytest

import keras_gamegan as kgg

NOTHING_REMEMBERED = {"history": kgg.History(capacity=1)}
NOTHING_ANSWERED = {"history": kgg.History(3, 1, "fifo", None, answered="none")}
NO_SEARCH = {"best_response": kgg.BestResponse(num_steps=0)}

REDUCTIONS = {
    "full": ("full", NOTHING_REMEMBERED, "alternating"),
    "sampled": ("fictitious", NOTHING_REMEMBERED, "alternating"),
    "nothing answered": ("fictitious", NOTHING_ANSWERED, "alternating"),
    "nothing of all answered": ("full", NOTHING_ANSWERED, "alternating"),
    "no search": ("duality_gap", NO_SEARCH, "simultaneous"),
}


@pytest.fixture
def equal(make, points, networks_state, assert_same):
    """Function that trains a method and what it reduces to, and compares them."""

    def check(reduction, kind="modes", common=None, **compile):
        general, arguments, special = REDUCTIONS[reduction]
        runs = []
        for method, given in ((general, arguments), (special, {})):
            gan = make(method, kind, compile=compile, **given, **(common or {}))
            start = networks_state(gan)
            logs = gan.fit(points[:16], batch_size=8, shuffle=False, verbose=0).history
            runs.append((gan, logs))
            assert any(
                np.any(a != b) for a, b in zip(start, networks_state(gan), strict=True)
            )
        (left, left_logs), (right, right_logs) = runs
        assert_same(networks_state(left), networks_state(right))
        assert_same(left.generator_average.weights, right.generator_average.weights)
        assert {**left_logs, **right_logs} == left_logs

    return check


def test_what_is_not_answered_is_stored_and_sampled(make, points):
    gan = make("fictitious", "linear", **NOTHING_ANSWERED)
    gan.fit(points[:16], batch_size=4, shuffle=False, verbose=0)
    bank = gan.generator_bank
    assert list(bank.member_steps) == [2, 3, 4]
    np.testing.assert_allclose(bank.member_probabilities, 1 / 3, rtol=1e-6)
    found = gan.sample(300, seed=0, source="mixture")
    assert not np.array_equal(found, gan.sample(300, seed=0))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_in_a_graph_with_batchnorm_and_dropout(equal, reduction):
    equal(reduction, penalty="r1")


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        ("minimax", None),
        ("wasserstein", "gradient_penalty"),
        ("hinge", None),
        ("least_squares", kgg.penalties.R1(every=2)),
    ],
)
@pytest.mark.parametrize("reduction", ["sampled", "no search"])
def test_losses_and_penalties(equal, reduction, loss, penalty):
    equal(reduction, loss=loss, penalty=penalty, run_eagerly=True)


def test_several_steps_of_a_player(equal):
    steps = {"discriminator_steps": 2, "generator_steps": 2}
    equal("sampled", "mlp", steps, run_eagerly=True)


def test_without_modes_the_gap_comes_for_free(equal):
    equal("no search", "mlp", run_eagerly=True)


def test_no_search_has_no_gap(make, points):
    gan = make("duality_gap", "modes", **NO_SEARCH, compile={"run_eagerly": True})
    logs = gan.fit(points[:8], batch_size=8, verbose=0).history
    np.testing.assert_allclose(logs["duality_gap"], [0.0], atol=1e-7)
