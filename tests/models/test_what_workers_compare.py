"""What several workers are compared by: equal for equal data, and told apart."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.models.run import fit_data

STEPS = {"steps_per_epoch": 3}
POINTS = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
KIND = "data (element types, shapes or sharding)"
LENGTH = "number of examples or batches"


class Batches(keras.utils.PyDataset):
    def __init__(self, number):
        super().__init__()
        self._number = number

    def __len__(self):
        return self._number

    def __getitem__(self, index):
        return POINTS[:4]


@pytest.fixture(scope="module", name="gan")
def fixture_gan():
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=3, width=4), seed=0)
    gan.compile()
    return gan


def facts(gan, x, **arguments):
    data = fit_data.prepare(gan, x, None, arguments)
    is_array = hasattr(data.x, "from_step")
    return data.what_must_agree(data.x.from_step(0) if is_array else data.x, arguments)


def sliced(batch_size=10, points=POINTS, policy="AUTO", **arguments):
    data = tf.data.Dataset.from_tensor_slices(points).batch(batch_size, **arguments)
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy[policy]
    options.experimental_distribute.auto_shard_policy = policy
    return data.with_options(options)


def stream(batch_size):
    return kgg.datasets.ShuffledStream(POINTS, batch_size=batch_size)


@pytest.mark.parametrize(
    "one, other, differing",
    [
        ((POINTS, {}), (POINTS + 1, {}), set()),
        ((POINTS, {}), (POINTS.astype("float64"), {}), {KIND}),
        ((POINTS, {"batch_size": 12}), (POINTS, {"batch_size": 10}), {"batch size"}),
        (
            (POINTS, {"batch_size": 14}),
            (POINTS, {"batch_size": 10}),
            {"batch size", LENGTH},
        ),
        ((POINTS, {"batch_size": 20}), (POINTS[:39], {"batch_size": 20}), {LENGTH}),
        ((POINTS, {}), (POINTS, {"shuffle": False}), {"shuffle"}),
        ((sliced(), {}), (sliced(), {}), set()),
        # Of a last, smaller batch, as many: shares are counted in the step.
        ((sliced(), {}), (sliced(11), {}), set()),
        ((sliced(), {}), (sliced(14), {}), {LENGTH}),
        (
            (sliced(14, drop_remainder=True), {}),
            (sliced(20, drop_remainder=True), {}),
            {"batch size"},
        ),
        ((sliced(), {}), (sliced(policy="DATA"), {}), {KIND}),
        ((sliced(), {}), (sliced(points=POINTS.astype("float64")), {}), {KIND}),
        ((sliced().repeat(), STEPS), (sliced().repeat(2), STEPS), {LENGTH}),
        (
            (sliced().repeat(), STEPS),
            (sliced().repeat().filter(lambda x: True), STEPS),
            {LENGTH},
        ),
        ((stream(8), {}), (stream(8), {}), set()),
        ((stream(10), {}), (stream(8), {}), {"batch size", LENGTH}),
        ((Batches(3), {}), (Batches(3), {}), set()),
        ((Batches(3), {}), (Batches(4), {}), {LENGTH}),
        ((Batches(3), {}), ((points for points in [POINTS]), {}), {KIND, LENGTH}),
        (
            (POINTS, {"validation_data": POINTS}),
            (POINTS, {"validation_data": POINTS[:8]}),
            {"validation data"},
        ),
        ((POINTS, {"validation_data": POINTS}), (POINTS, {}), {"validation data"}),
        (
            (POINTS, {"validation_data": POINTS, "validation_freq": 2}),
            (POINTS, {"validation_data": POINTS}),
            {"validation data"},
        ),
    ],
)
def test_what_is_told_apart(one, other, differing, gan):
    left, right = (facts(gan, x, **arguments) for x, arguments in (one, other))
    assert left.keys() == right.keys()
    assert {name for name in left if left[name] != right[name]} == differing
