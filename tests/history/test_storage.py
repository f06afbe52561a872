"""Narrow storage: how much is rounded, what overflows, what stays exact."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import structures
from keras_gamegan.history import storage

ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", ROUNDING)
def test_rounding_error(dtype, compiled):
    generator = np.random.default_rng(0)
    size = 20_000
    # Over the range in which float16 has all its digits.
    values = generator.choice([-1, 1], size) * 2.0 ** generator.uniform(-14, 15, size)
    store = tf.function(storage.stored, jit_compile=compiled)
    back = tf.cast(store(tf.constant(values, tf.float32), dtype), tf.float64).numpy()
    error = np.abs(back - values) / np.abs(values)
    # The float32 that was stored is itself rounded.
    assert error.max() <= ROUNDING[dtype] + 2.0**-23
    assert error.max() > 0.9 * ROUNDING[dtype]  # The bound is not idle.
    small = tf.constant(2.0 ** generator.uniform(-40, -14, size), tf.float32)
    back = tf.cast(store(small, dtype), tf.float32).numpy()
    assert np.abs(back - small).max() <= 2.0**-14


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("source", "dtype"),
    [("float32", "float16"), ("float32", "bfloat16"), ("float64", "float32")],
)
def test_overflow_saturates(source, dtype, compiled):
    most = float(np.finfo(source).max)
    values = tf.constant([most, -most, 1.0], source)
    stored = tf.function(storage.stored, jit_compile=compiled)(values, dtype)
    largest = float(tf.as_dtype(dtype).max)
    np.testing.assert_array_equal(tf.cast(stored, tf.float64), [largest, -largest, 1.0])
    if dtype == "float16":
        assert largest == 65504.0


def test_storage_dtypes():
    assert storage.storage_dtype("float32", None) == "float32"
    assert storage.storage_dtype("float32", "bfloat16") == "bfloat16"
    assert storage.storage_dtype("int64", "float16") == "int64"
    wide = storage.stored(tf.constant([0.1], tf.float16), "float32")
    np.testing.assert_array_equal(wide, np.array([0.1], "float16").astype("float32"))


class _Counting(keras.layers.Layer):
    """A layer with an integer among its state."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.calls = self.add_weight(
            shape=(3,), dtype="int32", initializer="zeros", trainable=False
        )

    def call(self, inputs):
        return inputs * self.scale


@pytest.fixture
def network():
    return keras.Sequential(
        [
            keras.Input((2,)),
            _Counting(),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3),
        ]
    )


def _fill(network, number):
    """Sets all weights; the integers to one that no half precision holds."""
    network.set_weights(
        [
            np.full(w.shape, 70_001 if w.dtype == np.int32 else number, w.dtype)
            for w in network.get_weights()
        ]
    )


def _bytes(bank):
    stacks = [v for v in bank.weights if v.name.startswith("members")]
    return sum(np.prod(v.shape) * tf.as_dtype(v.dtype).size for v in stacks)


@pytest.mark.parametrize("dtype", [None, "float32", "float16", "bfloat16"])
def test_bank_stores_rounded_weights_and_exact_integers(network, dtype):
    _fill(network, 0.1)
    bank = kgg.WeightBank(network, 4, interval=None, retention="fifo", dtype=dtype)
    numbers = [0.1, 0.3, -0.7]
    for number in numbers[1:]:
        bank.push()
        _fill(network, number)
        bank.record(stateless_network.StatelessNetwork(network).player())
    storing = dtype or "float32"
    for weights, number in zip(bank.member_weights, numbers, strict=True):
        expected = tf.cast(tf.constant(number, tf.float32), storing)
        expected = tf.cast(expected, tf.float32).numpy()
        for array, own in zip(weights, network.get_weights(), strict=True):
            assert array.dtype == own.dtype
            value = 70_001 if own.dtype == np.int32 else expected
            np.testing.assert_array_equal(array, np.full(own.shape, value))
    # And so the network can take them back.
    network.set_weights(bank.member_weights[0])
    full = _bytes(kgg.WeightBank(network, 4))
    integers = 4 * 3 * 4
    half = dtype in ROUNDING
    assert _bytes(bank) - integers == (full - integers) / (2 if half else 1)


@pytest.mark.parametrize("mixture", ["sampled", "sliced", "full"])
@pytest.mark.parametrize("dtype", list(ROUNDING))
def test_live_model_is_played_exactly(network, dtype, mixture):
    live = structures.Player(
        [tf.fill(v.shape, 0.1) for v in network.trainable_variables],
        [tf.cast(tf.fill(v.shape, 1), v.dtype) for v in network.non_trainable_weights],
    )
    bank = kgg.WeightBank(network, 3, dtype=dtype, mixture=mixture, current_weight=1)
    bank.push()
    mixed = bank.mixture(live)
    played = mixed.members
    if mixture == "full":
        played = [played[int(np.argmax(mixed.probabilities))]]
    for player in played:
        for found, expected in zip(player.weights, live.weights, strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", list(ROUNDING))
def test_narrow_banks_train_save_and_load(tmp_path, dtype):
    data = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")

    def build():
        keras.utils.set_random_seed(1)
        gan = kgg.FictitiousGAN(
            *kgg.networks.mlp_pair(data_dim=2, latent_dim=3, width=4),
            history=kgg.History(3, 1, dtype=dtype),
            seed=0,
        )
        gan.compile()
        return gan

    gan = build()
    gan.fit(data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert gan.generator_bank.size == 3
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    gan.save_weights(tmp_path / "gan.weights.h5")
    refilled = build()
    refilled.load_weights(tmp_path / "gan.weights.h5")
    for copy in (loaded, refilled):
        for left, right in zip(
            gan.generator_bank.member_weights,
            copy.generator_bank.member_weights,
            strict=True,
        ):
            for a, b in zip(left, right, strict=True):
                np.testing.assert_array_equal(a, b)
    gan.fit(data, batch_size=8, shuffle=False, verbose=0)
    loaded.fit(data, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(
        gan.sample(9, seed=1, source="mixture"),
        loaded.sample(9, seed=1, source="mixture"),
    )


@pytest.mark.parametrize("block", [1, 7, 10**6])
def test_every_row_is_filled_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(storage, "_BLOCK", block)
    value = np.arange(3, dtype="float32") + 0.5
    for number in (1, 2, 5):
        stack = keras.Variable(np.zeros((number, 3)), dtype="float16")
        storage.fill(stack, tf.constant(value))
        np.testing.assert_array_equal(stack.numpy(), np.tile(value, (number, 1)))
