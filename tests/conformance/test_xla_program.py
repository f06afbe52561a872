"""Readiness for TPUs: a train step is one XLA program with static shapes."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

MODELS = {
    "gan": lambda pair: kgg.GAN(*pair, discriminator_steps=2, seed=0),
    "duality_gap": lambda pair: kgg.DualityGapGAN(
        *pair, best_response=kgg.BestResponse(num_steps=3), seed=0
    ),
    "duality_gap_through": lambda pair: kgg.DualityGapGAN(
        *pair,
        best_response=kgg.BestResponse(num_steps=2, through_gradient=True),
        seed=0,
    ),
    "fictitious_sampled": lambda pair: kgg.FictitiousGAN(
        *pair, history=kgg.History(capacity=3, interval=2), seed=0
    ),
    "fictitious_full": lambda pair: kgg.FictitiousGAN(
        *pair, history=kgg.History(capacity=3, interval=2), mixture="full", seed=0
    ),
}
# What a TPU cannot run, or would leave the device for.
FORBIDDEN = ("infeed", "outfeed", "send(", "recv(", "host", "custom-call", "rng(")


def networks():
    """A tiny pair with every layer that has given trouble."""
    discriminator = keras.Sequential(
        [
            keras.Input((4,)),
            kgg.networks.SpectralNormalization(keras.layers.Dense(8, "relu"), seed=0),
            keras.layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(4),
        ]
    )
    return discriminator, generator


def program(gan, batch):
    """The HLO of a whole train step, optimizers and all."""
    step = tf.function(gan.train_step, jit_compile=True)
    return step.experimental_get_compiler_ir(batch)(stage="hlo")


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("penalty", [None, "r1", "gradient_penalty"])
def test_train_step_is_one_static_program(kind, penalty):
    gan = MODELS[kind](networks())
    gan.compile("adam", "adam", penalty=penalty, jit_compile=True)
    batch = tf.constant(np.zeros((8, 4), "float32"))
    hlo = program(gan, batch)
    assert hlo.count("ENTRY ") == 1
    for word in FORBIDDEN:
        assert word not in hlo.lower(), f"{word} in the program of {kind}"
    # A dynamic dimension is written <=n.
    assert not re.search(r"\[[^\]]*<=", hlo)


@pytest.mark.slow
def test_a_host_callback_would_be_noticed():
    def with_callback(x):
        return tf.numpy_function(lambda y: y + 1, [x], tf.float32)

    step = tf.function(with_callback, jit_compile=True)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        step.experimental_get_compiler_ir(tf.zeros(3))(stage="hlo")


@pytest.mark.parametrize("kind", MODELS)
def test_own_variables_are_made_as_a_tpu_strategy_needs(kind):
    gan = MODELS[kind](networks())
    networks_own = {
        id(v) for v in (*gan.generator.variables, *gan.discriminator.variables)
    }
    own = [v for v in gan.variables if id(v) not in networks_own]
    assert own
    for variable in own:
        # One value for all replicas, written alike by each: never left to diverge.
        assert variable.aggregation == "only_first_replica", variable.path
        assert variable.shape is not None and None not in variable.shape
