"""A penalty that follows a schedule of the train step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg

DATA = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
SCHEDULE = keras.optimizers.schedules.PolynomialDecay(1.0, 4, 0.0)


def slope(x):
    return 3.0 * x[:, 0]


def compiled(penalty, **arguments):
    keras.utils.set_random_seed(3)
    gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3, width=4), seed=0)
    gan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1),
        penalty=penalty,
        **arguments,
    )
    return gan


def weights(gan):
    return [np.array(variable) for variable in gan.weights]


def assert_close(one, other, **tolerance):
    for left, right in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(left, right, **tolerance)


def test_the_factor_of_a_sum_of_several():
    data = tf.ones((2, 2))
    penalty = kgg.penalties.get(
        [kgg.penalties.Scheduled("r1", SCHEDULE), kgg.penalties.R2(2.0)]
    )
    # R1 is 4.5 times the factor, R2 is 9.
    for step, expected in ((0, 13.5), (1, 12.375), (2, 11.25), (4, 9.0), (9, 9.0)):
        found = penalty.at(step)(slope, data, data, None)
        np.testing.assert_allclose(found, [expected] * 2, rtol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_each_step_is_one_with_that_weight(jit_compile):
    """Four epochs of a step each, recompiled by hand with the weight of the step."""
    scheduled = compiled(
        kgg.penalties.Scheduled("r1", SCHEDULE), jit_compile=jit_compile
    )
    scheduled.fit(DATA, batch_size=32, epochs=4, verbose=0)
    by_hand = compiled(None)
    for weight in (1.0, 0.75, 0.5, 0.25):
        # A new `compile` sets the optimizers, which SGD does not remember, anew.
        by_hand.compile(
            keras.optimizers.SGD(0.1),
            keras.optimizers.SGD(0.1),
            penalty=kgg.penalties.R1(weight),
        )
        by_hand.fit(DATA, batch_size=32, epochs=1, verbose=0)
    assert by_hand.num_steps == scheduled.num_steps == 4
    assert_close(scheduled, by_hand, rtol=1e-5, atol=1e-6)
    constant = compiled("r1")
    constant.fit(DATA, batch_size=32, epochs=4, verbose=0)
    with pytest.raises(AssertionError):
        assert_close(constant, by_hand, rtol=1e-3)


def test_many_steps_an_execution_follow_the_schedule():
    one, many = (
        compiled(kgg.penalties.Scheduled("r1", SCHEDULE), steps_per_execution=number)
        for number in (1, 4)
    )
    for gan in (one, many):
        gan.fit(DATA, batch_size=8, epochs=1, verbose=0)
    assert_close(one, many, rtol=1e-6)


def test_a_file_holds_it(tmp_path):
    gan = compiled(kgg.penalties.Scheduled(kgg.penalties.R1(0.5, every=2), SCHEDULE))
    gan.fit(DATA, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.penalty.every == 2
    assert loaded.penalty.schedule.get_config() == SCHEDULE.get_config()
    for each in (gan, loaded):
        each.fit(DATA, batch_size=16, verbose=0)
    assert_close(gan, loaded, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((None, SCHEDULE), ValueError, "Received: penalty=None"),
        (("r3", SCHEDULE), ValueError, "`penalty` must be one of"),
        (("r1", 0.5), TypeError, r"Received: schedule=0\.5 .*penalty's weight"),
        (("r1", lambda step: 1.0), TypeError, "LearningRateSchedule. Received"),
    ],
)
def test_bad_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        kgg.penalties.Scheduled(*arguments)


def test_it_shows_its_schedule():
    fade = keras.optimizers.schedules.PolynomialDecay(1.0, 50, 0.1)
    shown = repr(kgg.penalties.Scheduled("r1", fade))
    assert shown == (
        "Scheduled(penalty=R1(), schedule=PolynomialDecay("
        "initial_learning_rate=1.0, decay_steps=50, end_learning_rate=0.1))"
    )
