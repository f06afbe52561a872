import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.payoffs import penalties


def _tensors(*shapes):
    rng = np.random.default_rng(0)
    return [tf.constant(rng.normal(size=shape)) for shape in shapes]


def test_r1_of_a_quadratic():
    # D(x) = x'Ax / 2 has the slope Ax.
    data, root = _tensors((5, 3), (3, 3))
    matrix = root + tf.transpose(root)
    result = penalties.R1(weight=3.0)(
        lambda x: 0.5 * tf.reduce_sum(x * (x @ matrix), axis=1), data, None, None
    )
    slopes = data.numpy() @ matrix.numpy()
    np.testing.assert_allclose(result, 1.5 * (slopes**2).sum(1), rtol=1e-12)


def test_r1_of_images_sums_over_all_axes():
    data, kernel = _tensors((4, 3, 3, 2), (3, 3, 2))
    result = penalties.R1()(
        lambda x: tf.einsum("nhwc,hwc->n", x, kernel), data, None, None
    )
    np.testing.assert_allclose(result, [0.5 * np.sum(kernel.numpy() ** 2)] * 4)


def test_a_constant_discriminator_has_no_slope():
    data = tf.ones((3, 2))
    np.testing.assert_array_equal(
        penalties.R1()(lambda x: tf.zeros(3), data, None, None), np.zeros(3)
    )


@pytest.mark.parametrize("name", ["r1", "r2", "gradient_penalty"])
def test_weight_gradient_is_a_finite_difference(name):
    # D(x) = w . tanh(Ax): the slope is A' (w (1 - tanh^2)).
    data, fake, matrix, vector, uniform = _tensors((5, 2), (5, 2), (2, 4), (4,), (5,))
    uniform = tf.sigmoid(uniform)
    penalty = penalties.get(name)

    def oracle(matrix):
        at = (fake if name == "r2" else data).numpy()
        if name == "gradient_penalty":
            at = at + uniform.numpy()[:, None] * (fake.numpy() - at)
        hidden = np.tanh(at @ matrix)
        slopes = (vector.numpy() * (1 - hidden**2)) @ matrix.T
        squares = (slopes**2).sum(1)
        if name in ("r1", "r2"):
            return 0.5 * squares.mean()
        return 10.0 * ((np.sqrt(squares + 1e-10) - 1) ** 2).mean()

    with tf.GradientTape() as tape:
        tape.watch(matrix)
        loss = tf.reduce_mean(
            penalty(
                lambda x: tf.linalg.matvec(tf.tanh(x @ matrix), vector),
                data,
                fake,
                uniform,
            )
        )
    np.testing.assert_allclose(loss, oracle(matrix.numpy()), rtol=1e-10)
    gradient = tape.gradient(loss, matrix).numpy()
    for index in np.ndindex(2, 4):
        shift = np.zeros((2, 4))
        shift[index] = 1e-6
        slope = oracle(matrix.numpy() + shift) - oracle(matrix.numpy() - shift)
        np.testing.assert_allclose(gradient[index], slope / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("target", [1.0, 5.0])
def test_gradient_penalty_against_tfgan(one_sided, target):
    # The slope of a linear discriminator is the same wherever it is taken.
    losses = kgg.compat.import_tensorflow_gan().losses.wargs
    data, fake, vector = (
        tf.cast(x, tf.float32) for x in _tensors((6, 3), (6, 3), (3,))
    )

    @tf.function  # Theirs refuses to run eagerly.
    def tfgan_penalty():
        return losses.wasserstein_gradient_penalty(
            data,
            fake,
            None,
            lambda x, _: tf.linalg.matvec(x, vector)[:, tf.newaxis],
            "discriminator",
            target=target,
            one_sided=one_sided,
        )

    penalty = penalties.GradientPenalty(1.0, target=target, one_sided=one_sided)
    ours = penalty(lambda x: tf.linalg.matvec(x, vector), data, fake, tf.zeros(6))
    norm = np.linalg.norm(vector)
    expected = norm / target - 1
    expected = max(expected, 0) ** 2 if one_sided else expected**2
    np.testing.assert_allclose(ours, [expected] * 6, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(
        tf.reduce_mean(ours), tfgan_penalty(), rtol=1e-4, atol=1e-7
    )


def test_gradient_penalty_is_taken_between_data_and_fakes():
    # D(x) = x^2 / 2 has the slope x: the penalty shows where it was taken.
    real, fake = (
        tf.zeros((3, 1), tf.float64),
        tf.fill((3, 1), tf.constant(4.0, tf.float64)),
    )
    uniform = tf.constant([0.0, 0.25, 0.75])
    penalty = penalties.GradientPenalty(1.0)
    result = penalty(lambda x: 0.5 * x[:, 0] ** 2, real, fake, uniform)
    np.testing.assert_allclose(result, [1.0, 0.0, 4.0], atol=1e-4)


def test_flat_critic_has_a_finite_gradient():
    slope, data = tf.zeros(2), tf.ones((3, 2))
    with tf.GradientTape() as tape:
        tape.watch(slope)
        loss = tf.reduce_sum(
            penalties.GradientPenalty()(
                lambda x: tf.linalg.matvec(x, slope), data, data, tf.zeros(3)
            )
        )
    assert np.isfinite(tape.gradient(loss, slope)).all()


@pytest.mark.parametrize(
    "penalty",
    [
        penalties.R1(weight=2.5, every=3),
        penalties.GradientPenalty(weight=4.0, target=2.0, one_sided=True, every=2),
    ],
)
def test_round_trip(penalty):
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(penalty)
    )
    assert type(copy) is type(penalty)
    assert vars(copy) == vars(penalty)


def test_get():
    assert penalties.get(None) is None
    penalty = penalties.R1()
    assert penalties.get(penalty) is penalty
    with pytest.raises(
        ValueError, match=r"'r1', 'r2', 'gradient_penalty'.*penalty='r3'"
    ):
        penalties.get("r3")


@pytest.mark.parametrize("make", [penalties.R1, penalties.GradientPenalty])
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"weight": 0.0}, ValueError, "`weight` must be a number in"),
        ({"weight": "1"}, TypeError, "Received: weight='1'"),
        ({"every": 0}, ValueError, "`every` must be an integer of at least 1"),
        ({"every": 1.5}, TypeError, "Received: every=1.5"),
    ],
)
def test_bad_arguments(make, arguments, error, match):
    with pytest.raises(error, match=match):
        make(**arguments)


def test_bad_target():
    with pytest.raises(ValueError, match="`target` must be a number in"):
        penalties.GradientPenalty(target=-1.0)


def test_a_penalty_must_be_defined():
    class Unfinished(penalties.Penalty):
        pass

    with pytest.raises(TypeError, match="Unfinished is not a penalty yet"):
        Unfinished.from_config(Unfinished().get_config())(None, None, None, None)


def test_a_sum_is_the_sum():
    data, fake, vector = _tensors((5, 2), (5, 2), (2,))
    parts = penalties.R1(0.3), penalties.R2(2.0)

    def logits(x):
        return tf.tanh(tf.linalg.matvec(x, vector))

    found = penalties.get(list(parts))(logits, data, fake, None)
    expected = sum(each(logits, data, fake, None) for each in parts)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("given", [[], ["r1", None], ["r1", penalties.R2(every=2)]])
def test_sums_that_are_refused(given):
    with pytest.raises(ValueError, match="same `every`"):
        penalties.get(given)
