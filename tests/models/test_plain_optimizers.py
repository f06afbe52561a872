"""Plain Adam and SGD: steps by a kernel are Keras' own, and so is the pure rule."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.games import schemes
from keras_gamegan.models.step import plain_optimizers
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
        plain_optimizers.apply(
            optimizer, [tf.ones(v.shape) for v in variables], variables
        )

    operations = {op.type for op in step.get_concrete_function().graph.get_operations()}
    return "ResourceApplyAdam" in operations


@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-14)])
@pytest.mark.parametrize("rate", [0.01, SCHEDULE], ids=["constant", "schedule"])
def test_steps_are_those_of_keras(dtype, tolerance, rate):
    options = {"learning_rate": rate, "epsilon": 1e-3}
    expected = five_steps(lambda o, g, v: o.apply(g, v), dtype, **options)
    assert len(expected) == 3 + 6 + (2 if rate == 0.01 else 1)
    for jit_compile in (False, True):
        found = five_steps(plain_optimizers.apply, dtype, jit_compile, **options)
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
        five_steps(plain_optimizers.apply, **options), expected, strict=True
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
    plain_optimizers.apply(optimizer, gradients, variables)
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
    for one, other in zip(run(plain_optimizers.apply), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
    optimizer, variables = make()
    assert uses_the_kernel(optimizer, [variables[index] for index in moved])


def test_optimizers_of_other_variables_are_left_to_keras():
    optimizer, variables = make()
    one = variables[:1]
    with pytest.raises(ValueError, match="Unknown variable"):
        plain_optimizers.apply(optimizer, [tf.zeros(())], [keras.Variable(0.0)])
    plain_optimizers.apply(optimizer, [tf.ones(())], one)
    assert int(optimizer.iterations.numpy()) == 1


def test_strategies_are_left_to_keras():
    strategy = strategies.mirrored()
    with strategy.scope():
        optimizer, variables = make()

    @tf.function
    def step():
        def one_replica():
            gradients = [tf.ones(v.shape) for v in variables]
            plain_optimizers.apply(optimizer, gradients, variables)

        strategy.run(one_replica)

    names = {op.type for op in step.get_concrete_function().graph.get_operations()}
    assert "ResourceApplyAdam" not in names
    step()
    assert int(optimizer.iterations.numpy()) == 1


@pytest.mark.parametrize("make", [keras.optimizers.Adam, keras.optimizers.SGD])
@pytest.mark.parametrize("mode", ["graph", "xla", "replicas", "float16"])
def test_a_step_of_the_maximizers_own_rule_is_alternating_play(make, mode):
    """The minimiser answers what the maximiser becomes: that is taking turns."""

    def value(minimizer, maximizer, batch):
        x, y = batch
        error, doubt = minimizer(x)[:, 0] - y, maximizer(x)[:, 0]
        return error * doubt - tf.square(doubt) / 2

    def trained(updates):
        networks = []
        for seed in (1, 2):
            initial = keras.initializers.GlorotUniform(seed)
            layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh", True, initial)]
            networks.append(keras.Sequential([*layers, keras.layers.Dense(1)]))
            last = networks[-1].layers[-1].kernel
            last.assign(np.linspace(-1, 1, 4)[:, None])
        model = kgg.TwoPlayerModel(*networks, value, updates=updates, seed=0)
        optimizers = [make(0.02), make(0.05)]
        if mode == "float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(o) for o in optimizers]
        model.compile(*optimizers, jit_compile=mode == "xla")
        x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        data = tf.data.Dataset.from_tensor_slices((x, x.sum(axis=1)))
        model.fit(data.batch(16), epochs=3, verbose=0)
        return [np.array(v) for network in networks for v in network.weights]

    response = kgg.BestResponse(1, "player", side="maximizer")
    strategy = (
        strategies.mirrored() if mode == "replicas" else tf.distribute.get_strategy()
    )
    with strategy.scope():
        found, expected, simultaneous = (
            trained(updates)
            for updates in (schemes.DualityGap(response), "alternating", "simultaneous")
        )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)
    gaps = [abs(a - b).max() for a, b in zip(simultaneous, expected, strict=True)]
    assert max(gaps) > 1e-3


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.RMSprop(0.01),
        keras.optimizers.Adam(0.01, clipnorm=1.0),
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.optimizers.AdamW(0.01),
    ],
    ids=lambda optimizer: optimizer.name,
)
def test_the_players_own_rule_must_be_a_plain_one(optimizer):
    # The default.
    gan = kgg.DualityGapGAN(*kgg.networks.mlp_pair(2, latent_dim=4, width=4))
    assert gan.best_response.optimizer == "player"
    gan.compile(optimizer, "adam")
    with pytest.raises(
        ValueError, match=r"plain keras.optimizers.Adam or SGD.*of the d"
    ):
        gan.fit(np.zeros((8, 2), "float32"), batch_size=8, verbose=0)
