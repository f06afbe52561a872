"""Every class of model under every dtype policy, set as users set it: globally."""

import keras
import ml_dtypes
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import randomness

CLASSES = {
    "GAN": {},
    "DualityGapGAN": {"best_response": kgg.BestResponse(1)},
    "FictitiousGAN": {"history": kgg.History(2, interval=1)},
}
# Policy -> (dtype of the weights, whether the optimizers scale their losses).
POLICIES = {
    "float32": ("float32", False),
    "float64": ("float64", False),
    "mixed_float16": ("float32", True),
    "mixed_bfloat16": ("float32", False),
    "float16": ("float16", True),
    "bfloat16": ("bfloat16", False),
}


def _dtype(name):
    return np.dtype(getattr(ml_dtypes, name, name))


def _plain():
    """Networks that state no dtype of their own."""
    layers = keras.layers
    return (
        keras.Sequential([keras.Input((2,)), layers.Dense(3, "tanh"), layers.Dense(1)]),
        keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)]),
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CLASSES)
def test_compile_fit_save_load(policy, name, points, tmp_path):
    dtype, scaled = POLICIES[policy]
    keras.config.set_dtype_policy(policy)
    gan = getattr(kgg, name)(*_plain(), seed=0, **CLASSES[name])
    # A rate that bfloat16 can tell from none; Keras' Adam cannot move it at all, since
    # its 1 - beta_2 is 0 there.
    rate = 0.5 if dtype == "bfloat16" else 0.01
    rates = keras.optimizers.Adam(rate), keras.optimizers.SGD(rate)
    gan.compile(*rates, run_eagerly=True)
    optimizers = [gan.d_optimizer, gan.g_optimizer]
    for optimizer in optimizers:
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    before = [np.array(w) for w in gan.generator.weights]
    logs = gan.fit(points[:8], batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    for weight, old in zip(gan.generator.weights, before, strict=True):
        assert weight.dtype == dtype and np.any(np.array(weight) != old)
    samples = gan.sample(2, seed=1)
    assert samples.dtype == _dtype(dtype)

    gan.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert keras.config.dtype_policy().name == policy
    assert [type(loaded.d_optimizer), type(loaded.g_optimizer)] == [
        type(optimizer) for optimizer in optimizers
    ]
    np.testing.assert_array_equal(loaded.sample(2, seed=1), samples)
    if name != "GAN":
        return
    # It goes on as it is.
    again = [m.fit(points[:8], batch_size=8, verbose=0).history for m in (gan, loaded)]
    assert again[0] == again[1]
    # A file is read under any policy: the networks have theirs.
    keras.config.set_dtype_policy("float32")
    elsewhere = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(elsewhere.sample(2, seed=1), samples)


# Under float16 a network may end in float32: that is not rounded back to float16.
OUTPUTS = {
    "float32": "float32",
    "float64": "float64",
    "mixed_float16": "float32",
    "mixed_bfloat16": "float32",
    "float16": "float32",
    "bfloat16": "float32",
}


@pytest.mark.parametrize("policy", OUTPUTS)
def test_a_network_that_ends_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    pair = kgg.networks.mlp_pair(2, 4, width=4, seed=0)
    for network, inputs in zip(
        pair, ([[0.3, 0.1]], [[0.1, 0.2, 0.3, 0.4]]), strict=True
    ):
        player = stateless_network.StatelessNetwork(network)
        inputs = keras.ops.convert_to_tensor(inputs, player.dtype)
        found = player.apply(player.player(), inputs, False, randomness.root(0))[0]
        assert found.dtype == OUTPUTS[policy] == player.dtype
        np.testing.assert_array_equal(
            found, np.array(network(inputs), found.dtype.name)
        )


def test_loss_scaling_of_ones_own():
    keras.config.set_dtype_policy("mixed_float16")
    own = [keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()) for _ in "dg"]
    gan = kgg.GAN(*_plain(), seed=0)
    gan.compile(*own)
    assert [gan.d_optimizer, gan.g_optimizer] == own
    gan.compile(*own)
    gan.compile("sgd", "sgd", auto_scale_loss=False)
    assert type(gan.d_optimizer) is keras.optimizers.SGD
