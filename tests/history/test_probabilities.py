"""How the members of a bank share the probability."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import bookkeeping


@pytest.fixture
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.fixture
def bank(network):
    """Function (number of members, **arguments) -> a bank of five slots."""

    def build(size, **arguments):
        arguments = {"retention": "fifo", "interval": None, **arguments}
        made = kgg.WeightBank(network, 5, **arguments)
        for _ in range(size - 1):
            made.push()
        return made

    return build


@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("decay", [1.0, 0.5, 1e-40])
@pytest.mark.parametrize("current_weight", [None, 0.0, 0.3, 1.0])
def test_geometric_weights(bank, size, decay, current_weight):
    held = min(size, 5)
    ages = np.arange(held)[::-1]  # Oldest first; the live model's age is 0.
    if current_weight is None or held == 1:
        expected = decay**ages / np.sum(decay**ages)
    else:
        stored = decay ** (ages[:-1] - 1.0)
        stored = (1 - current_weight) * stored / stored.sum()
        expected = [*stored, current_weight]
    made = bank(size, weights="geometric", decay=decay, current_weight=current_weight)
    np.testing.assert_allclose(made.member_probabilities, expected, rtol=1e-12)
    single = made.probabilities()
    assert single.dtype == tf.float32
    np.testing.assert_allclose(tf.reduce_sum(single), 1, rtol=1e-6)


def test_geometric_weights_of_equal_decay_are_uniform(bank):
    for weight in (None, 0.5):
        np.testing.assert_allclose(
            bank(
                4, weights="geometric", decay=1.0, current_weight=weight
            ).member_probabilities,
            bank(4, current_weight=weight).member_probabilities,
            rtol=1e-15,
        )


@pytest.mark.parametrize("compiled", [False, True])
def test_probabilities_are_the_same_in_graphs_and_under_xla(compiled):
    slots = bookkeeping.Slots(
        *(tf.constant(x, tf.int64) for x in ([7, -1, 3, 9, 4], [7, -1, 3, 9, 4], 3, 9))
    )

    @tf.function(jit_compile=compiled)
    def shares():
        return bookkeeping.probabilities(slots, 0.25, tf.float32, 0.7)

    expected = bookkeeping.probabilities(slots, 0.25, tf.float32, 0.7)
    np.testing.assert_array_equal(shares(), expected)
    stored = np.array([0.7**0, 0, 0.7**2, 0, 0.7**1])
    stored = 0.75 * stored / stored.sum()
    stored[3] = 0.25
    np.testing.assert_allclose(expected, stored, rtol=1e-6)


def test_nash_weights_are_uniform_until_assigned(bank):
    for size in (1, 2, 4, 5, 9):
        made = bank(size, weights="nash")
        held = min(size, 5)
        np.testing.assert_allclose(
            made.member_probabilities, np.full(held, 1 / held), rtol=1e-14
        )


def test_assigned_probabilities_are_those_of_the_members(bank):
    # A rule that mixes up the slots: the array is in the order of age all the same.
    made = bank(12, weights="nash", retention="geometric", seed=4)
    given = np.array([0.5, 0.0, 0.125, 0.25, 0.125])
    made.assign_probabilities(given)
    np.testing.assert_array_equal(made.member_probabilities, given)
    order = np.argsort(made.slots().ordinals)
    assert list(order) != sorted(order)
    np.testing.assert_array_equal(made.probabilities().numpy()[order], given)


def test_what_a_push_does_to_assigned_probabilities(bank):
    made = bank(4, weights="nash")
    made.assign_probabilities([0.1, 0.2, 0.3, 0.4])
    made.push()  # The fifth slot was free: four old models share 4 / 5.
    after = np.array([0.08, 0.16, 0.24, 0.32, 0.2])
    np.testing.assert_allclose(made.member_probabilities, after, rtol=1e-14)
    made.push()  # The oldest goes, with its share.
    after = np.array([*(after[1:] * 0.8 / after[1:].sum()), 0.2])
    np.testing.assert_allclose(made.member_probabilities, after, rtol=1e-14)
    assert made.member_probabilities.sum() == pytest.approx(1, abs=1e-14)


def test_all_the_weight_on_the_model_that_goes(bank):
    made = bank(5, weights="nash")
    made.assign_probabilities([1, 0, 0, 0, 0])
    made.push()
    np.testing.assert_allclose(made.member_probabilities, np.full(5, 0.2), rtol=1e-14)


def test_nash_bank_of_one(network):
    made = kgg.WeightBank(network, 1, weights="nash")
    made.push()
    np.testing.assert_array_equal(made.member_probabilities, [1.0])


def test_a_step_without_a_push_leaves_assigned_probabilities(bank, network):
    made = bank(3, weights="nash")
    made.assign_probabilities([0.625, 0.25, 0.125])
    made.record(stateless_network.StatelessNetwork(network).player())
    np.testing.assert_array_equal(made.member_probabilities, [0.625, 0.25, 0.125])


@pytest.mark.parametrize("mixture", ["full", "sampled", "sliced"])
def test_mixtures_follow_the_assigned_probabilities(bank, network, mixture):
    made = bank(3, weights="nash", mixture=mixture)
    made.assign_probabilities([0, 1, 0])
    network.set_weights([w + 1 for w in network.get_weights()])  # Nothing like it.
    mixed = made.mixture(stateless_network.StatelessNetwork(network).player())
    played = mixed.members
    if mixture == "full":
        played = [
            player
            for player, share in zip(played, mixed.probabilities, strict=True)
            if share > 0
        ]
        assert len(played) == 1
    for player in played:
        np.testing.assert_array_equal(player.weights[0], made.member_weights[1][0])


def test_only_nash_banks_have_the_variable(bank):
    assert len(bank(1, weights="nash").weights) == len(bank(1).weights) + 1
    assert len(bank(1, weights="geometric").weights) == len(bank(1).weights)


def test_assigned_probabilities_are_saved(tmp_path):
    def build():
        keras.utils.set_random_seed(1)
        gan = kgg.FictitiousGAN(
            *kgg.networks.mlp_pair(data_dim=2, latent_dim=3, width=4),
            history=kgg.History(capacity=3, interval=1, weights="nash"),
            seed=0,
        )
        gan.compile()
        return gan

    gan = build()
    data = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    gan.fit(data, batch_size=8, verbose=0)
    gan.generator_bank.assign_probabilities([0.5, 0.25, 0.25])
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(
        loaded.generator_bank.member_probabilities, [0.5, 0.25, 0.25]
    )
    for each in (gan, loaded):
        each.fit(data, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(
        loaded.generator_bank.member_probabilities,
        gan.generator_bank.member_probabilities,
    )


@pytest.mark.parametrize(
    "probabilities",
    [
        [0.5, 0.5],
        [0.5, 0.25, 0.25, 0.0],
        [[0.5, 0.25, 0.25]],
        [0.5, 0.75, -0.25],
        [0.5, 0.25, 0.2],
        [0.5, np.nan, 0.5],
        [np.inf, 0.0, 0.0],
    ],
)
def test_bad_probabilities(bank, probabilities):
    made = bank(3, weights="nash")
    with pytest.raises(ValueError, match=r"3 numbers >= 0 that sum to 1.*Received"):
        made.assign_probabilities(probabilities)
    np.testing.assert_allclose(made.member_probabilities, np.full(3, 1 / 3))


def test_assigning_to_another_kind_of_bank(bank):
    with pytest.raises(ValueError, match=r"weights='nash'.*weights='uniform'.*History"):
        bank(2).assign_probabilities([0.5, 0.5])
