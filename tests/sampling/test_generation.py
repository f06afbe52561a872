import numpy as np
import tensorflow as tf

from keras_gamegan.sampling import generation


class _Adder:
    """A network that adds its player to the latents, and counts what it is given."""

    def __init__(self):
        self.rows = []

    def apply(self, player, inputs, training, stream):
        assert not training
        points, labels = inputs if isinstance(inputs, list) else (inputs, None)
        self.rows.append(points.shape[0])
        outputs = points + player
        return (outputs if labels is None else outputs * labels[:, None]), None, None


def test_latents_are_a_function_of_seed_and_row():
    short = generation.latents(5, 4, (3,), tf.float32).numpy()
    long = generation.latents(5, 100, (3,), tf.float32).numpy()
    np.testing.assert_array_equal(short, long[:4])
    assert np.any(short != generation.latents(6, 4, (3,), tf.float32).numpy())
    assert generation.latents(5, 0, (2, 2), tf.float64).shape == (0, 2, 2)
    big = generation.latents(2**40, 2000, (4,), tf.float64).numpy()
    assert abs(big.mean()) < 0.05 and abs(big.std() - 1) < 0.05


def test_each_member_runs_on_its_own_rows_only():
    network = _Adder()
    points = tf.constant([[0.0], [1.0], [2.0], [3.0]])
    choice = tf.constant([2, 0, 2, 0], tf.int64)
    result = generation.generate_from_members(
        network, [10.0, 20.0, 30.0], choice, points, None, generation.noise(0)
    )
    np.testing.assert_array_equal(result, [[30.0], [11.0], [32.0], [13.0]])
    # And on one row more each, which nobody sees.
    assert network.rows == [3, 1, 3]


class _Convolution:
    """A network that maps one channel to two."""

    def apply(self, player, inputs, training, stream):
        outputs = tf.nn.conv2d(inputs, player, strides=1, padding="SAME")
        return outputs, None, None


def test_a_convolution_that_no_sample_falls_to():
    players = [factor * tf.ones((1, 1, 1, 2)) for factor in (1.0, 2.0, 3.0)]
    result = generation.generate_from_members(
        _Convolution(),
        players,
        tf.constant([1, 1], tf.int64),
        tf.ones((2, 4, 4, 1)),
        None,
        generation.noise(0),
    )
    np.testing.assert_array_equal(result, np.full((2, 4, 4, 2), 2.0))


def test_xla_gives_the_same_samples_of_a_mixture():
    points = tf.constant([[0.0], [1.0], [2.0], [3.0]])
    generate = tf.function(
        lambda choice: generation.generate_from_members(
            _Adder(), [10.0, 20.0, 30.0], choice, points, None, generation.noise(0)
        ),
        jit_compile=True,
    )
    for choice, expected in (
        ([2, 0, 2, 0], [30.0, 11.0, 32.0, 13.0]),
        ([1, 1, 1, 1], [20.0, 21.0, 22.0, 23.0]),
    ):
        result = generate(tf.constant(choice, tf.int64))
        np.testing.assert_array_equal(result[:, 0], expected)


def test_labels_travel_with_their_rows():
    labels = tf.constant([1.0, 2.0, 3.0])
    result = generation.generate_from_members(
        _Adder(),
        [0.0, 1.0],
        tf.constant([1, 0, 1], tf.int64),
        tf.ones((3, 1)),
        labels,
        generation.noise(0),
    )
    np.testing.assert_array_equal(result, [[2.0], [2.0], [6.0]])


def test_members_are_chosen_by_probability_and_row():
    share = tf.constant([0.0, 0.25, 0.75])
    long = generation.choose_members(3, 2000, share).numpy()
    np.testing.assert_array_equal(generation.choose_members(3, 7, share), long[:7])
    counts = np.bincount(long, minlength=3)
    assert counts[0] == 0
    # Four standard deviations of a binomial.
    assert abs(counts[1] - 500) < 4 * np.sqrt(2000 * 0.25 * 0.75)
