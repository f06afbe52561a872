"""The worst player chosen among stored ones."""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from tests.measuring import known_games

DATA = np.random.default_rng(0).normal(size=(1024, 2)).astype("float32")
# Discrete data: mean 1 to find with, mean -1 to score on.
FINDING = np.tile([[0.0], [2.0]], (64, 1))
SCORING = np.tile([[0.0], [-2.0]], (64, 1))


def snapshot(slope, offset):
    """Weights of both networks of a line, as `get_weights` returns them."""
    return [np.array([[slope]])], [np.array(offset)]


def test_chosen_on_the_finding_data_and_scored_on_the_other():
    gan = known_games.line_gan(0.5, 1.0)
    stored = [snapshot(3.0, 0.0), snapshot(-4.0, 4.0), snapshot(2.0, -1.0)]
    found = kgg.duality_gap(gan, FINDING, SCORING, snapshots=stored, batch_size=32)
    # V = w (mean - b). With mean 1 and b = 0.5 the worst w is 3; with mean -1, -4.
    assert found.minimax == pytest.approx(3.0 * (-1 - 0.5))
    # With w = 1 the worst b is 4.
    assert found.maximin == pytest.approx(1.0 * (-1 - 4.0))
    assert found.curves is None


def test_live_model_is_a_candidate():
    gan = known_games.line_gan(0.5, 1.0)
    found = kgg.duality_gap(
        gan, FINDING, FINDING.copy(), snapshots=[snapshot(0.1, -9.0)], batch_size=32
    )
    assert found.minimax == found.maximin == pytest.approx(0.5)


def fictitious(side="both", **arguments):
    """A trained model with a history of three."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(3, interval=4, retention="fifo", side=side)
    gan = kgg.FictitiousGAN(*pair, history=history, seed=0)
    adam = keras.optimizers.Adam
    gan.compile(adam(1e-2), adam(1e-2), loss="minimax", **arguments)
    gan.fit(DATA[:512], batch_size=32, verbose=0)
    return gan


def test_bank_is_the_list_of_its_members():
    gan = fictitious()
    pairs = zip(
        gan.discriminator_bank.member_weights,
        gan.generator_bank.member_weights,
        strict=True,
    )
    arguments = {"batch_size": 64, "seed": 0}
    data = DATA[512:768], DATA[768:]
    of_list = kgg.duality_gap(gan, *data, snapshots=list(pairs), **arguments)
    of_bank = kgg.duality_gap(gan, *data, snapshots="bank", **arguments)
    assert (
        of_bank == of_list == kgg.duality_gap(gan, *data, snapshots=True, **arguments)
    )
    assert of_bank.gap >= -3.0 * of_bank.gap_error


def test_compiled_once_for_a_bank_that_grows():
    gan = known_games.line_gan(
        0.5, 1.0, kgg.FictitiousGAN, history=kgg.History(4, interval=10**6)
    )
    estimator = kgg.measuring.GapEstimator(
        gan, FINDING, FINDING.copy(), snapshots=True, batch_size=32
    )
    assert estimator(0).gap == 0.0
    gan.discriminator.set_weights([np.array([[5.0]])])
    gan.discriminator_bank.push()
    gan.discriminator.set_weights([np.array([[1.0]])])
    assert gan.discriminator_bank.size == 2
    assert estimator(0).minimax == pytest.approx(5.0 * 0.5)


def test_a_side_without_a_bank_plays_its_live_network():
    gan = fictitious("discriminator")
    found = kgg.duality_gap(
        gan, DATA[512:768], DATA[768:], snapshots=True, batch_size=64, seed=0
    )
    live = kgg.duality_gap(
        gan, DATA[512:768], DATA[768:], num_steps=0, batch_size=64, seed=0
    )
    assert found.maximin == pytest.approx(live.maximin, abs=1e-6)


@pytest.mark.parametrize(
    ("snapshots", "message"),
    [
        (True, r"a GAN without one\. Use kgg\.FictitiousGAN"),
        ("bank", "without one"),
        ("last", '`snapshots` must be None, True, "bank" or a list'),
        ([], "list of pairs"),
        ([np.zeros(3)], "something else at index 0"),
        ([snapshot(1.0, 2.0)[::-1]], r"of shapes \[\(\)\], not \[\(1, 1\)\]"),
    ],
)
def test_bad_snapshots(snapshots, message):
    gan = known_games.line_gan(0.5, 1.0)
    with pytest.raises(ValueError, match=message):
        kgg.duality_gap(gan, FINDING, SCORING, snapshots=snapshots, batch_size=32)


@pytest.mark.parametrize("arguments", [{"perturbation": 0.1}, {"proximal": 0.1}])
def test_a_search_that_does_not_happen_cannot_be_changed(arguments):
    gan = known_games.line_gan(0.5, 1.0)
    with pytest.raises(ValueError, match="Leave one of the two out"):
        kgg.duality_gap(
            gan,
            FINDING,
            SCORING,
            snapshots=[snapshot(1.0, 1.0)],
            batch_size=32,
            **arguments,
        )


@pytest.mark.parametrize(
    "arguments",
    [{}, {"perturbation": 0.1}, {"proximal": 0.1}, {"snapshots": True}],
    ids=["plain", "perturbed", "proximal", "snapshots"],
)
def test_nothing_of_the_model_or_of_random_states_moves(arguments):
    history = kgg.History(3, interval=2)
    gan = known_games.line_gan(0.5, 1.0, kgg.FictitiousGAN, history=history)
    gan.compile("adam", "adam")
    gan.fit(FINDING, verbose=0)

    def everything():
        return [
            *gan.get_weights(),
            *(np.array(v) for v in gan.d_optimizer.variables),
            *(np.array(v) for v in gan.g_optimizer.variables),
            *(np.array(v) for v in gan.generator_bank.variables),
            *(np.array(v) for v in gan.discriminator_bank.variables),
            *(np.array(m) for metric in gan.metrics for m in metric.variables),
            np.random.get_state()[1],
            np.array(gan.num_steps),
        ]

    before = everything()
    kgg.duality_gap(
        gan, FINDING, SCORING, num_steps=3, batch_size=64, seed=0, **arguments
    )
    for old, new in zip(before, everything(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert len(before) > 25
