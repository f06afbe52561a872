import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import replicas
from tests import strategies


@pytest.fixture(scope="module")
def strategy():
    return strategies.mirrored()


def test_outside_a_strategy_everything_is_trivial():
    tensor = tf.zeros((5, 2))
    assert replicas.num_replicas() == 1
    assert replicas.share_of_batch(tensor) == replicas.Share(5, 0, 5)
    assert replicas.sum_over_replicas(tensor) is tensor

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def dynamic(data):
        return replicas.share_of_batch(data)

    assert [int(number) for number in dynamic(tensor)] == [5, 0, 5]


def _run(strategy, function, numbers):
    """Runs the function on one number a replica and returns each replica's result."""
    values = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(numbers[context.replica_id_in_sync_group])
    )
    results = tf.function(lambda x: strategy.run(function, (x,)))(values)
    parts = [strategy.experimental_local_results(x) for x in tf.nest.flatten(results)]
    return [[np.array(number) for number in part] for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("sizes", [(4, 4), (3, 2), (5, 0)])
def test_shares_of_a_batch_of_unknown_size(strategy, sizes):
    def share(size):
        return replicas.share_of_batch(tf.zeros(tf.reshape(size, [1])))

    assert _run(strategy, share, sizes) == [
        [sum(sizes), 0, sizes[0]],
        [sum(sizes), sizes[0], sizes[1]],
    ]


def test_shares_of_a_batch_of_known_size(strategy):
    def share(_):
        share = replicas.share_of_batch(tf.zeros((4, 2)))
        assert share.size == 8 and share.local_size == 4
        return tf.convert_to_tensor(share.offset)

    assert _run(strategy, share, (0, 0)) == [[0], [4]]


def test_sums_over_replicas(strategy):
    found = _run(
        strategy,
        lambda x: replicas.sum_over_replicas([x, 2.0 * x]),
        (1.0, 5.0),
    )
    for one, two in found:
        assert (float(one), float(two)) == (6.0, 12.0)


def test_reading_a_row_reads_no_more(strategy):
    with strategy.scope():
        table = keras.Variable(np.arange(6.0).reshape(3, 2), trainable=False)
    plain = keras.Variable(np.arange(6.0).reshape(3, 2), trainable=False)

    def read(variable):
        return tf.function(lambda index: replicas.read_row(variable, index))

    found = _run(strategy, lambda index: replicas.read_row(table, index), (2, 0))
    np.testing.assert_array_equal(np.squeeze(found), [[4, 5], [0, 1]])
    np.testing.assert_array_equal(replicas.read_row(table, 1), [2, 3])
    traced = read(plain).get_concrete_function(tf.TensorSpec([], tf.int64))
    kinds = [operation.type for operation in traced.graph.get_operations()]
    assert "ResourceGather" in kinds and "ReadVariableOp" not in kinds
    np.testing.assert_array_equal(traced(tf.constant(1, tf.int64)), [2, 3])


def _networks():
    keras.utils.set_random_seed(4)
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, "tanh", kernel_regularizer="l2"),
            keras.layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)]
    )
    return discriminator, generator


METHODS = {
    "alternating": lambda: kgg.GAN(*_networks(), discriminator_steps=2, seed=3),
    "duality_gap": lambda: kgg.DualityGapGAN(
        *_networks(), best_response=kgg.BestResponse(2, "adam", 0.1), seed=3
    ),
    "fictitious": lambda: kgg.FictitiousGAN(
        *_networks(), history=kgg.History(3, 1), mixture="full", seed=3
    ),
}


def _train(method, data, distribute=None):
    scope = distribute.scope() if distribute else tf.name_scope("one")
    with scope:
        gan = METHODS[method]()
        gan.compile(
            keras.optimizers.SGD(0.5),
            keras.optimizers.SGD(0.5),
            penalty=kgg.penalties.R1(every=3),
        )
    logs = gan.fit(data, epochs=2, verbose=0, shuffle=False).history
    assert gan.num_steps == 6
    return [np.array(weight) for weight in gan.weights], logs


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_two_replicas_equal_one(strategy, method):
    points = np.random.default_rng(0).normal(size=(24, 2)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices(points)
    # Equal shares of a known size, and unequal ones: 9 examples, then 9, then 6.
    even = method == "alternating"
    data = data.batch(8, drop_remainder=True) if even else data.batch(9)
    expected, expected_logs = _train(method, data)
    found, logs = _train(method, data, strategy)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)
    for name, values in expected_logs.items():
        np.testing.assert_allclose(logs[name], values, rtol=1e-4, atol=1e-6)
