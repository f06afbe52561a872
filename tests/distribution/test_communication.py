"""How often replicas talk in a train step: the logs of Keras not counted.

Logs are metrics that each replica keeps by itself. On one machine Keras averages them
without an all-reduce; over several workers Keras reduces one number for each log.
"""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import strategies

STEPS = 3


def gan(d, g):
    return kgg.GAN(d, g, seed=0)


def playing(updates):
    return lambda d, g: kgg.GAN(d, g, updates=updates, seed=0)


def duality_gap(**arguments):
    response = kgg.BestResponse(STEPS, "sgd", 0.01, **arguments)
    return lambda d, g: kgg.DualityGapGAN(d, g, best_response=response, seed=0)


def fictitious(mixture):
    history = kgg.History(capacity=3, interval=2)
    return lambda d, g: kgg.FictitiousGAN(d, g, history=history, mixture=mixture)


@contextlib.contextmanager
def counted(monkeypatch):
    """Counts the calls of all_reduce while one replica's step is traced."""
    calls = []
    original = tf.distribute.ReplicaContext.all_reduce

    def all_reduce(self, *args, **kwargs):
        # Every replica traces the same step; the first is counted.
        if self._replica_id == 0:
            calls.append(len(tf.nest.flatten(args[1])))
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(tf.distribute.ReplicaContext, "all_reduce", all_reduce)
        yield calls


def batchnorm_pair():
    """Networks with statistics that every update of them moves."""
    return (
        keras.Sequential(
            [
                keras.Input((size,)),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(units),
            ]
        )
        for size, units in ((2, 1), (3, 2))
    )


def mlp_pair():
    return kgg.networks.mlp_pair(2, latent_dim=3, width=4, seed=0)


def trace(make, data, monkeypatch, networks=mlp_pair):
    strategy = strategies.mirrored()
    with strategy.scope():
        model = make(*networks())
        model.compile("sgd", "sgd", penalty="r1")
    distributed = strategy.experimental_distribute_dataset(data)

    @tf.function(input_signature=[distributed.element_spec])
    def step(batch):
        return strategy.run(model.train_step, args=(batch,))

    with counted(monkeypatch) as calls:
        step.get_concrete_function()
    return calls


def batches(drop_remainder):
    points = np.zeros((16, 2), "float32")
    return tf.data.Dataset.from_tensor_slices(points).batch(16, drop_remainder)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (gan, 2),
        (fictitious("sampled"), 2),
        (fictitious("full"), 2),
        # Looking ahead is a second step of both optimizers, or one exact gradient.
        (playing("extragradient"), 4),
        (playing(kgg.games.schemes.Extragradient(0.1)), 3),
        # Formulas on gradients take both players' exact ones, in one.
        (playing("optimistic"), 3),
        (playing("consensus"), 3),
        (playing("lookahead"), 2),
        # k inner steps with both players' gradients in one, and one for each player.
        (duality_gap(), STEPS + 2),
        (duality_gap(sync="local"), 2),
        (duality_gap(start="persistent"), STEPS + 2),
        (duality_gap(start="perturbed"), STEPS + 2),
    ],
    ids=[
        "GAN",
        "fictitious",
        "full",
        "extragradient",
        "extragradient of its own",
        "optimistic",
        "consensus",
        "lookahead",
        "duality gap",
        "duality gap local",
        "persistent",
        "perturbed",
    ],
)
def test_all_reduces_of_a_step(make, expected, monkeypatch):
    assert len(trace(make, batches(drop_remainder=True), monkeypatch)) == expected


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (gan, 1),
        (playing("simultaneous"), 1),
        (playing("lookahead"), 3),
        (duality_gap(), 1),
    ],
)
def test_replicas_agree_on_putting_back_in_one_number(make, expected, monkeypatch):
    """For each check that finds something written in the same step."""
    found = []
    original = tf.distribute.Strategy.reduce

    def reduce(self, operation, value, axis):
        found.append([each.shape for each in self.experimental_local_results(value)])
        return original(self, operation, value, axis)

    monkeypatch.setattr(tf.distribute.Strategy, "reduce", reduce)
    trace(make, batches(drop_remainder=True), monkeypatch)
    assert found == expected * [2 * [()]]


def test_unknown_batch_sizes_cost_one_more(monkeypatch):
    calls = trace(gan, batches(drop_remainder=False), monkeypatch)
    assert len(calls) == 3
    # The sizes are a few integers in one tensor.
    assert calls[0] == 1


@pytest.mark.parametrize(
    ("make", "expected"), [(gan, 2), (fictitious("full"), 2), (duality_gap(), 5)]
)
def test_moving_statistics_cost_one_more_an_update(make, expected, monkeypatch):
    data = batches(drop_remainder=True)
    calls = trace(make, data, monkeypatch, batchnorm_pair)
    assert len(calls) == expected + 2


def test_statistics_that_persist_cost_one_more_a_step(monkeypatch):
    make = duality_gap(start="persistent")
    calls = trace(make, batches(drop_remainder=True), monkeypatch, batchnorm_pair)
    # Each player's update as ever, and both worst players' statistics in one.
    assert len(calls) == STEPS + 2 + 3


def test_local_search_equals_global_search_on_one_replica():
    points = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
    found = []
    for sync in ("global", "local"):
        keras.utils.set_random_seed(0)
        model = duality_gap(sync=sync)(*mlp_pair())
        model.compile("sgd", "sgd")
        model.fit(points, batch_size=8, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for left, right in zip(*found, strict=True):
        np.testing.assert_array_equal(left, right)


def test_local_search_is_named_or_refused():
    response = kgg.BestResponse(sync="local")
    assert kgg.BestResponse.from_config(response.get_config()).sync == "local"
    with pytest.raises(ValueError, match=r"sync.*Received: sync='sometimes'"):
        kgg.BestResponse(sync="sometimes")
