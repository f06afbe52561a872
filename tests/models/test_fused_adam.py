"""Adam by TensorFlow's kernel: Keras' own steps, and Keras itself where it must be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.models.step import fused_adam
from tests import strategies

SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)


def make(dtype="float32", optimizer=keras.optimizers.Adam, **options):
    """Three variables and a built optimizer."""
    numbers = np.random.default_rng(0)
    variables = [
        keras.Variable(numbers.normal(size=shape), dtype=dtype)
        for shape in ((), (3,), (5, 4))
    ]
    options = {"learning_rate": 0.01, "beta_1": 0.5, **options}
    optimizer = optimizer(**options)
    optimizer.build(variables)
    return optimizer, variables


def five_steps(take, dtype="float32", jit_compile=False, **options):
    """Variables and the optimizer's own after five steps ``take(o, g, v)``."""
    optimizer, variables = make(dtype, **options)
    numbers = np.random.default_rng(1)

    @tf.function(jit_compile=jit_compile)
    def step(*gradients):
        take(optimizer, list(gradients), variables)

    for _ in range(5):
        step(*(tf.constant(numbers.normal(size=v.shape), dtype) for v in variables))
    return [np.array(each) for each in (*variables, *optimizer.variables)]


def uses_the_kernel(optimizer, variables):
    @tf.function
    def step():
        fused_adam.apply(optimizer, [tf.ones(v.shape) for v in variables], variables)

    operations = {op.type for op in step.get_concrete_function().graph.get_operations()}
    return "ResourceApplyAdam" in operations


@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-14)])
@pytest.mark.parametrize("rate", [0.01, SCHEDULE], ids=["constant", "schedule"])
def test_steps_are_those_of_keras(dtype, tolerance, rate):
    options = {"learning_rate": rate, "epsilon": 1e-3}
    expected = five_steps(lambda o, g, v: o.apply(g, v), dtype, **options)
    assert len(expected) == 3 + 6 + (2 if rate == 0.01 else 1)
    for jit_compile in (False, True):
        found = five_steps(fused_adam.apply, dtype, jit_compile, **options)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=1e-15)


def test_a_models_step_uses_the_kernel():
    # If Keras stores Adam's variables otherwise some day, this fails.
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=0), seed=0)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(SCHEDULE))
    step = tf.function(gan.train_step).get_concrete_function(tf.zeros((4, 2)))
    operations = [op.type for op in step.graph.get_operations()]
    number = len(gan.generator.trainable_variables)
    number += len(gan.discriminator.trainable_variables)
    assert operations.count("ResourceApplyAdam") == number


@pytest.mark.parametrize(
    "options",
    [
        {"amsgrad": True},
        {"weight_decay": 0.1},
        {"clipnorm": 0.1},
        {"clipvalue": 0.1},
        {"global_clipnorm": 0.1},
        {"use_ema": True},
        {"gradient_accumulation_steps": 2},
        {"loss_scale_factor": 2.0},
        {"optimizer": keras.optimizers.AdamW},
        {"optimizer": type("Mine", (keras.optimizers.Adam,), {})},
    ],
    ids=lambda options: next(iter(options)),
)
def test_keras_takes_every_other_step(options):
    assert uses_the_kernel(*make())
    assert not uses_the_kernel(*make(**options))
    expected = five_steps(lambda o, g, v: o.apply(g, v), **options)
    for one, other in zip(
        five_steps(fused_adam.apply, **options), expected, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_constraints_and_sparse_gradients_are_left_to_keras():
    optimizer, variables = make()
    variables[1].constraint = keras.constraints.NonNeg()
    assert not uses_the_kernel(optimizer, variables)
    optimizer, variables = make()
    sparse = tf.IndexedSlices(tf.ones((1, 4)), tf.constant([2]), tf.constant([5, 4]))
    before = variables[2].numpy()
    gradients = [tf.zeros(()), tf.zeros((3,)), sparse]
    fused_adam.apply(optimizer, gradients, variables)
    moved = np.any(variables[2].numpy() != before, axis=1)
    np.testing.assert_array_equal(moved, [False, False, True, False, False])


@pytest.mark.parametrize("moved", [[0], [2], [1, 2], [2, 0]], ids=str)
def test_slots_follow_the_variable_when_others_were_frozen(moved):
    def run(take):
        optimizer, variables = make("float64")
        numbers = np.random.default_rng(1)
        for chosen in ([0, 1, 2], moved, moved):
            some = [variables[index] for index in chosen]
            take(
                optimizer,
                [tf.constant(numbers.normal(size=v.shape)) for v in some],
                some,
            )
        return [np.array(each) for each in (*variables, *optimizer.variables)]

    expected = run(lambda o, g, v: o.apply(g, v))
    for one, other in zip(run(fused_adam.apply), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
    optimizer, variables = make()
    assert uses_the_kernel(optimizer, [variables[index] for index in moved])


def test_optimizers_of_other_variables_are_left_to_keras():
    optimizer, variables = make()
    one = variables[:1]
    with pytest.raises(ValueError, match="Unknown variable"):
        fused_adam.apply(optimizer, [tf.zeros(())], [keras.Variable(0.0)])
    fused_adam.apply(optimizer, [tf.ones(())], one)
    assert int(optimizer.iterations.numpy()) == 1


def test_strategies_are_left_to_keras():
    strategy = strategies.mirrored()
    with strategy.scope():
        optimizer, variables = make()

    @tf.function
    def step():
        def one_replica():
            gradients = [tf.ones(v.shape) for v in variables]
            fused_adam.apply(optimizer, gradients, variables)

        strategy.run(one_replica)

    names = {op.type for op in step.get_concrete_function().graph.get_operations()}
    assert "ResourceApplyAdam" not in names
    step()
    assert int(optimizer.iterations.numpy()) == 1
