import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import bookkeeping, structures, tensor_history


@pytest.fixture
def network():
    layers = [
        keras.Input((2,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
    return keras.Sequential(layers)


def _set(network, number):
    """Fills a network's weights and statistics with one number."""
    network.set_weights([np.full(w.shape, number) for w in network.get_weights()])


def _numbers(bank):
    """The number that fills each member."""
    numbers = []
    for weights in bank.member_weights:
        (number,) = {value for array in weights for value in array.ravel()}
        numbers.append(int(number))
    return numbers


def _train(bank, network, steps):
    """Plays training: at step i every weight is i."""
    for step in steps:
        _set(network, step)
        bank.record(stateless_network.StatelessNetwork(network).player())


def test_a_new_bank_holds_the_live_model(network):
    bank = kgg.WeightBank(network, 4)
    assert (bank.size, bank.capacity) == (1, 4)
    np.testing.assert_array_equal(bank.member_steps, [0])
    np.testing.assert_array_equal(bank.member_probabilities, [1.0])
    for stored, live in zip(bank.member_weights[0], network.get_weights(), strict=True):
        np.testing.assert_array_equal(stored, live)
    # Nothing but the weights and four counters: no second network.
    assert len(bank.weights) == len(network.weights) + 4
    assert not bank.trainable_variables


def test_record_follows_the_live_model_and_freezes_every_interval(network):
    bank = kgg.WeightBank(network, 3, interval=2, retention="fifo")
    _set(network, 0)
    expected = {1: [1], 2: [2], 3: [2, 3], 4: [2, 4], 5: [2, 4, 5], 7: [4, 6, 7]}
    for step in range(1, 8):
        _train(bank, network, [step])
        if step in expected:
            assert _numbers(bank) == expected[step]
            np.testing.assert_array_equal(bank.member_steps, expected[step])
    assert bank.size == 3


@pytest.mark.parametrize("retention", ["fifo", "thinned"])
def test_same_models_as_a_history_of_tensors(network, retention):
    bank = kgg.WeightBank(network, 4, interval=1, retention=retention, seed=5)
    tensors = tensor_history.TensorHistory(
        structures.Player(tf.zeros(())),
        4,
        interval=1,
        retention_rule=retention,
        seed=5,
    )
    tensors = tensors.record(structures.Player(tf.constant(1.0)))
    _train(bank, network, [1])
    for step in range(2, 13):
        _train(bank, network, [step])
        tensors = tensors.record(structures.Player(tf.constant(float(step))))
        np.testing.assert_array_equal(bank.slots().steps, tensors.slots.steps)
        np.testing.assert_array_equal(
            sorted(_numbers(bank)), sorted(tensors.members.numpy())[-bank.size :]
        )
    assert bank.size == 4


def test_push_freezes_now(network):
    bank = kgg.WeightBank(network, 3, interval=100, retention="fifo")
    _train(bank, network, [1])
    _set(network, 7)  # As a callback may: the bank has not seen it.
    bank.push()
    bank.push()
    assert _numbers(bank) == [7, 7, 7]
    _train(bank, network, [2])
    assert _numbers(bank) == [7, 7, 2]
    np.testing.assert_array_equal(bank.member_steps, [1, 1, 2])


def test_several_pushes_of_one_step_draw_different_numbers(network):
    bank = kgg.WeightBank(network, 8, retention="geometric", seed=1)
    numbers = set()
    for _ in range(12):
        numbers.add(float(bookkeeping.retention_number(1, bank.slots())))
        bank.push()
    assert len(numbers) == 12


def test_members_restore_the_network(network):
    bank = kgg.WeightBank(network, 2, interval=1, retention="fifo")
    _train(bank, network, [3, 4])
    network.set_weights(bank.member_weights[0])
    assert {float(w.ravel()[0]) for w in network.get_weights()} == {3.0}


@pytest.mark.parametrize(
    ("current_weight", "expected"),
    [
        (None, [1 / 3] * 3),
        (0.5, [0.25, 0.25, 0.5]),
        (1.0, [0, 0, 1]),
        (0.0, [0.5, 0.5, 0]),
    ],
)
def test_probabilities(network, current_weight, expected):
    bank = kgg.WeightBank(
        network, 3, interval=1, retention="fifo", current_weight=current_weight
    )
    _train(bank, network, [1, 2, 3])
    np.testing.assert_allclose(bank.member_probabilities, expected)


def _live(number):
    return structures.Player([tf.fill((2, 1), number)], [])


@pytest.fixture
def filled():
    """A bank of three one-weight networks, of steps 1, 2 and 3, and an empty slot."""

    def build(**arguments):
        network = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(1, use_bias=False)]
        )
        bank = kgg.WeightBank(network, 4, interval=1, retention="fifo", **arguments)
        for step in (1.0, 2.0, 3.0):
            bank.record(_live(step))
        return bank

    return build


def test_full_mixture_plays_the_live_model_in_the_heads_place(filled):
    mixture = filled(mixture="full").mixture(_live(9.0))
    played = [float(player.weights[0][0, 0]) for player in mixture.members]
    share = mixture.probabilities.numpy()
    assert dict(zip(played[:3], share[:3], strict=True)) == {
        1.0: 0.25,
        2.0: 0.25,
        9.0: 0.5,
    }
    assert share[3] == 0.0


def test_an_empty_slot_holds_a_working_model(network):
    # Its loss is multiplied by 0, which would not mend a NaN.
    bank = kgg.WeightBank(network, 4)
    for stored, live in zip(
        tf.nest.flatten(bank.member(3)), network.trainable_variables, strict=False
    ):
        np.testing.assert_array_equal(stored, live)


def test_sampled_mixture_draws_by_probability(filled):
    bank = filled(mixture="sampled", seed=2)

    @tf.function
    def draw():
        (player,) = bank.mixture(_live(9.0)).members
        bank._clock.assign_add(1)
        return player.weights[0][0, 0]

    played = [float(draw()) for _ in range(600)]
    counts = np.array([played.count(number) for number in (1.0, 2.0, 9.0)])
    assert counts.sum() == 600
    # Chi-squared with 2 degrees of freedom exceeds 18.4 once in 10,000.
    expected = 600 * np.array([0.25, 0.25, 0.5])
    assert ((counts - expected) ** 2 / expected).sum() < 18.4


def test_capacity_one_is_the_live_model_itself(network):
    bank = kgg.WeightBank(network, 1)
    player = stateless_network.StatelessNetwork(network).player()
    mixture = bank.mixture(player)
    assert mixture.members == (player,) and mixture.probabilities is None


def test_cost_does_not_grow_with_the_capacity(network):
    def operations(capacity):
        bank = kgg.WeightBank(network, capacity)
        player = bank._network.player()

        @tf.function
        def step():
            bank.mixture(player)
            bank.record(player)

        return len(step.get_concrete_function().graph.get_operations())

    assert operations(50) == operations(5)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"capacity": 0}, ValueError, "`capacity` must be an integer of at least 1"),
        ({"interval": 0}, ValueError, "`interval` must be an integer of at least 1"),
        ({"retention": "lru"}, ValueError, "'fifo', 'geometric'"),
        ({"mixture": "mean"}, ValueError, "'sampled', 'sliced', 'full'"),
        ({"current_weight": -0.1}, ValueError, "`current_weight` must be a number"),
        ({"seed": None}, TypeError, "`seed` must be an integer"),
        ({"interva": 3}, TypeError, "unexpected keyword argument 'interva'"),
    ],
)
def test_bad_arguments(network, arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.WeightBank(network, **{"capacity": 3, **arguments})


def test_a_history_says_all_of_itself(network):
    history = kgg.History(3, 7, "fifo", 0.25, weights="geometric", decay=0.5)
    bank = kgg.WeightBank(network, history)
    assert bank.settings is history
    spelled = kgg.WeightBank(
        network,
        capacity=3,
        interval=7,
        retention="fifo",
        current_weight=0.25,
        weights="geometric",
        decay=0.5,
    )
    assert spelled.settings == history
    assert kgg.WeightBank(network).settings == kgg.History()
    with pytest.raises(TypeError, match=r"Received: a History and interval=\."):
        kgg.WeightBank(network, history, interval=3)
