import math
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import replicas
from keras_gamegan.models import roles
from keras_gamegan.models.step import data_checks, guard
from tests import strategies
from tests.models.bombs import Arm, Bomb, stopped_run

# Against a worst discriminator full of NaN, it is the generator that is stopped first.
CASES = [
    ("real_term", "discriminator", "alternating", "graph"),
    ("real_term", "discriminator", "alternating", "XLA"),
    ("generator_term", "generator", "alternating", "graph"),
    ("generator_term", "generator", "alternating", "eager"),
    ("generator_term", "generator", "alternating", "XLA"),
    ("generator_term", "generator", "simultaneous", "graph"),
    ("real_term", "discriminator", "simultaneous", "XLA"),
    ("real_term", "generator", "duality_gap", "graph"),
    ("generator_term", "generator", "persistent", "XLA"),
    ("real_term", "discriminator", "fictitious", "eager"),
    ("generator_term", "generator", "fictitious", "graph"),
]


@pytest.mark.parametrize(("term", "player", "method", "compiled"), CASES)
def test_a_nan_names_player_and_step_and_moves_nothing(
    make, points, state, term, player, method, compiled
):
    """Whatever the step had written before it: weights, statistics, momenta, banks."""
    options = {"run_eagerly": compiled == "eager", "jit_compile": compiled == "XLA"}
    more = {}
    if method == "persistent":
        more["best_response"] = kgg.BestResponse(2, "adam", 1e-2, start="persistent")
        method = "duality_gap"
    gan = make(method, "modes", compile={"loss": Bomb(term), **options}, **more)
    good, saved, message = stopped_run(gan, points, state)
    assert f"the gradient of the {player} became" in message
    assert "at training step 2." in message
    assert saved == [0, 1]
    assert gan.num_steps == 2
    now = state(gan)
    assert len(now) == len(good) > 20
    for name, array in good.items():
        np.testing.assert_array_equal(now[name], array, err_msg=name)


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize(
    ("method", "term", "player"),
    [
        ("alternating", "generator_term", "generator"),
        ("simultaneous", "real_term", "discriminator"),
    ],
)
def test_a_nan_moves_nothing_on_any_replica(
    make, points, state, method, term, player, eagerly
):
    options = {"loss": Bomb(term), "run_eagerly": eagerly}
    with strategies.mirrored().scope():
        gan = make(method, "modes", compile=options)
    good, _, message = stopped_run(gan, points, state)
    assert f"the gradient of the {player} became" in message
    now = state(gan)
    for name, array in good.items():
        np.testing.assert_array_equal(now[name], array, err_msg=name)
    for variable in gan.weights:
        one, two = replicas.local_values(variable)
        np.testing.assert_array_equal(one, two)


def test_the_message_says_which_step_and_what_to_do(make, points, state):
    gan = make(compile={"loss": Bomb("real_term"), "run_eagerly": True})
    with pytest.raises(ValueError, match=r"at training step 2\. .*penalty=\"r1\""):
        gan.fit(points, batch_size=8, verbose=0, callbacks=[Arm(state)])


def test_loss_scaling_forgives_overflows_but_no_nan_loss(make, points, state):
    compile = {"loss": Bomb("generator_term"), "run_eagerly": True}
    gan = make(dtype="mixed_float16", compile=compile)
    message = r"the loss of the generator became.*at training step 2\."
    with pytest.raises(kgg.NonFiniteError, match=message):
        gan.fit(points, batch_size=8, verbose=0, callbacks=[Arm(state)])
    for weight in gan.generator.weights:
        assert np.isfinite(np.array(weight)).all()


def test_under_xla_bad_data_are_named(make, points):
    bad = points.copy()
    bad[9, 0] = np.nan
    data = tf.data.Dataset.from_tensor_slices(bad).batch(8, drop_remainder=True)
    gan = make(kind="linear", compile={"jit_compile": True, "steps_per_execution": 2})
    with pytest.raises(kgg.NonFiniteError, match=r"training data .*training step 1\."):
        gan.fit(data, verbose=0)
    # The failure is forgotten: with good data the run goes on.
    assert gan.num_steps == 1
    gan.fit(points, batch_size=8, verbose=0)
    assert gan.num_steps == 5


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", ["alternating", "simultaneous"])
def test_bad_data_in_a_stream(make, points, state, value, method):
    bad = points.copy()
    bad[20, 1] = value
    gan = make(method)
    before = state(gan)
    data = tf.data.Dataset.from_tensor_slices(bad[16:]).batch(8)
    message = r"the training data became NaN.*training step 0\. Clean the data set"
    with pytest.raises(kgg.NonFiniteError, match=message):
        gan.fit(data, verbose=0)
    for name, array in state(gan).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    # As before the first batch: the bad one has not entered.
    np.testing.assert_array_equal(gan.data_range, [np.inf, -np.inf])


def test_an_explosion_leaves_finite_weights(make, points):
    # Real training that diverges: the weights grow until a product overflows.
    gan = make(
        kind="linear",
        compile={
            "d_optimizer": keras.optimizers.SGD(1e3),
            "g_optimizer": keras.optimizers.SGD(1e3),
            "loss": "wasserstein",
        },
    )
    with pytest.raises(kgg.NonFiniteError, match=r"(gradient|loss) of the (gen|disc)"):
        gan.fit(points, batch_size=8, epochs=20, verbose=0)
    for weight in gan.generator.weights + gan.discriminator.weights:
        assert np.isfinite(np.array(weight)).all()


@pytest.mark.parametrize(
    ("mixture", "compiled"),
    [("sampled", "eager"), ("full", "graph"), ("sliced", "XLA")],
)
def test_a_failing_step_leaves_the_banks(make, points, state, mixture, compiled):
    """At the failing step a model is due to be pushed, and one to be given up."""
    options = {"run_eagerly": compiled == "eager", "jit_compile": compiled == "XLA"}
    history = kgg.History(3, 1, "fifo", slices=2, weights="nash")
    gan = make("fictitious", history=history, mixture=mixture, compile=options)
    bad = points.copy()
    bad[17, 0] = np.inf
    data = tf.data.Dataset.from_tensor_slices(bad).batch(4, drop_remainder=True)
    seen = {}

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.update(state(self.model))

    with pytest.raises(kgg.NonFiniteError, match=r"training data .*training step 4"):
        gan.fit(data, verbose=0, callbacks=[Keep()])
    assert gan.num_steps == 4
    now = state(gan)
    assert len(now) == len(seen) > 40
    for name, array in seen.items():
        np.testing.assert_array_equal(now[name], array, err_msg=name)
    np.testing.assert_array_equal(gan.generator_bank.member_steps, [2, 3, 4])


@pytest.mark.slow
def test_a_failing_replica_leaves_the_banks(make, points, state):
    """The first replica, which writes, has good data; the second one has not."""
    history = kgg.History(3, 1, "fifo")
    with strategies.mirrored().scope():
        gan = make("fictitious", history=history)
    gan.fit(points[:8], batch_size=8, verbose=0)
    before = state(gan)
    bad = points[:8].copy()
    bad[7, 0] = np.nan
    data = tf.data.Dataset.from_tensor_slices(bad).batch(8, drop_remainder=True)
    with pytest.raises(kgg.NonFiniteError, match=r"training data .*training step 1"):
        gan.fit(data, verbose=0)
    now = state(gan)
    names = [name for name in before if "bank" in name or "step" in name]
    assert len(names) > 10
    for name in names:
        np.testing.assert_array_equal(now[name], before[name], err_msg=name)


def test_no_step_is_taken_after_a_failed_one_of_the_same_execution(make, points):
    bad = points.copy()
    bad[9, 0] = np.nan
    data = tf.data.Dataset.from_tensor_slices(bad).batch(8, drop_remainder=True)
    options = {"jit_compile": True, "steps_per_execution": 4}
    gan = make("fictitious", kind="linear", compile=options)
    with pytest.raises(kgg.NonFiniteError, match=r"training data .*training step 1\."):
        gan.fit(data, verbose=0)
    assert gan.num_steps == 1
    np.testing.assert_array_equal(gan.generator_bank.member_steps, [1])
    with pytest.raises(kgg.NonFiniteError, match=r"training data .*training step 1\."):
        gan.train_on_batch(bad[8:16])
    gan.train_on_batch(points[:8])
    assert gan.num_steps == 2


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adagrad"])
def test_an_update_that_would_overflow_is_not_taken(make, points, state, optimizer):
    """The gradient is finite, its square, which the optimizer keeps, is not."""
    compile = {
        "d_optimizer": optimizer,
        "g_optimizer": optimizer,
        "loss": "wasserstein",
    }
    gan = make(kind="linear", compile={**compile, "run_eagerly": True})
    gan.fit(points, verbose=0)
    before = state(gan)
    with pytest.raises(kgg.NonFiniteError, match="gradient of the discriminator"):
        gan.fit(points * 1e30, verbose=0)
    for name, array in state(gan).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_bad_evaluation_data_are_named(make, points, jit_compile):
    gan = make(kind="linear", compile={"jit_compile": jit_compile})
    bad = points.copy()
    bad[9, 0] = np.nan
    data = tf.data.Dataset.from_tensor_slices(bad).batch(8, drop_remainder=True)
    message = r"the evaluation data became.*evaluation step 1\. Clean the data set"
    for call in (
        lambda: gan.evaluate(data, verbose=0),
        lambda: gan.fit(points, validation_data=data, verbose=0),
    ):
        with pytest.raises(kgg.NonFiniteError, match=message):
            call()
    with pytest.raises(kgg.NonFiniteError, match="the evaluation data became"):
        gan.test_on_batch(bad)
    assert np.isfinite(gan.evaluate(points, verbose=0)).all()


def test_other_errors_are_not_explained():
    assert guard.explain(ValueError("some other trouble")) is None


def test_eager_checks_raise_at_once():
    watch = guard.StepGuard(tf.constant(4, tf.int64), roles.GAN)
    good = tf.constant([1.0, 2.0])
    watch.check_data([good])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        watch.check_data([tf.constant([1.0, np.nan])])
    explained = guard.explain(caught.value)
    assert "the training data became NaN or infinite" in str(explained)
    assert "training step 4" in str(explained)
    assert isinstance(explained, kgg.NonFiniteError)
    assert isinstance(explained, ArithmeticError)


def test_large_double_precision_gradients_are_finite():
    watch = guard.StepGuard(tf.constant(0, tf.int64), roles.GAN)
    watch.check_data([tf.constant([1e300], tf.float64)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="at step"):
        watch.check_data([tf.constant([1e300, np.inf], tf.float64)])


@pytest.mark.parametrize(
    ("found", "reachable", "warns"),
    [
        ((-1.0, 1.0), (-1.0, 1.0), False),
        ((-1.001, 1.001), (-1.0, 1.0), False),
        ((0.0, 255.0), (-1.0, 1.0), True),
        ((-1.0, 1.0), (0.0, 1.0), True),
        ((0.0, 1e9), (0.0, np.inf), False),
        ((-0.5, 3.0), (0.0, np.inf), True),
    ],
)
def test_range(found, reachable, warns):
    if not warns:
        data_checks.warn_of_range(found, reachable)
        return
    with pytest.warns(UserWarning, match="Rescale the data"):
        data_checks.warn_of_range(found, reachable)


@pytest.mark.parametrize(
    ("reachable", "warns"),
    [((-1.0, 1.0), True), ((0.0, 1.0), False), ((-math.inf, math.inf), False)],
)
def test_data_in_half_of_the_range(reachable, warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data_checks.warn_of_range([0.0, 1.0], reachable)
        data_checks.warn_of_range([-0.1, 1.0], reachable)
    if not warns:
        assert not [each for each in caught if "half of" in str(each.message)]
        return
    (one,) = caught
    assert "half of the [-1, 1]" in str(one.message)


def test_images_out_of_range_warn_once(make, images):
    gan = make(kind="images", compile={"run_eagerly": True})
    with pytest.warns(UserWarning, match=r"only reaches \[-1, 1\]") as caught:
        gan.fit(127.5 * (images[:8] + 1), batch_size=4, epochs=2, verbose=0)
    assert len(caught) == 1
    # And not at all where all is well: warnings are errors here.
    assert len(gan.fit(images[:4], verbose=0).history["d_loss"]) == 1


EMPTY = {
    "filtered": lambda data: data.filter(lambda x: tf.reduce_any(x > 1e9)).batch(8),
    "dropped": lambda data: data.filter(lambda x: True).batch(64, drop_remainder=True),
}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", EMPTY)
def test_data_that_turn_out_to_be_empty(make, points, name):
    data = EMPTY[name](tf.data.Dataset.from_tensor_slices(points))
    gan = make(kind="linear", compile={"run_eagerly": True})
    with pytest.raises(ValueError, match="must have at least one batch"):
        gan.fit(data, verbose=0)
