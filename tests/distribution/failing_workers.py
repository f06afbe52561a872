"""Workers one of which fails: each part ends its process group, and nobody hangs."""

import os
import signal
import time

import numpy as np
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.distribution import cluster
from tests.distribution import small_runs


def fatal(attempt):
    """Returns the error that ended an attempt; nobody may hang instead."""
    begin = time.monotonic()
    try:
        attempt()
    except Exception as error:
        seconds = time.monotonic() - begin
        return {"error": f"{type(error).__name__}: {error}", "seconds": seconds}
    return {"error": None}


def other_shapes(strategy, folder, rank):
    """Networks of another width on the second worker."""

    def attempt():
        with strategy.scope():
            pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8 + rank, seed=1)
            kgg.GAN(*pair, seed=0)

    return fatal(attempt)


def other_class(strategy, folder, rank):
    """A `GAN` here, a `FictitiousGAN` with its banks there."""

    def attempt():
        with strategy.scope():
            pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
            gan = (kgg.GAN, kgg.FictitiousGAN)[rank](*pair, seed=0)
            gan.compile()
        gan.fit(small_runs.batches(), verbose=0)

    return fatal(attempt)


def nan_on_one(strategy, folder, rank):
    """Data of the second worker's share become NaN in the second step."""
    points = small_runs.RING.sample(20)
    points[15:] = np.nan if rank == 1 else 0.0

    def attempt():
        with strategy.scope():
            gan = small_runs.make()
        data = tf.data.Dataset.from_tensor_slices(points).batch(10)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy.DATA
        options.experimental_distribute.auto_shard_policy = policy
        checkpoint = kgg.callbacks.Checkpoint(folder / "checkpoints", every=1)
        gan.fit(data.with_options(options), verbose=0, callbacks=[checkpoint])

    return fatal(attempt)


def late(strategy, folder, rank):
    """The second worker does something else for longer than the first waits."""
    os.environ[cluster.TIMEOUT] = "3"
    gan = make_here(strategy)
    if rank == 1:
        time.sleep(20)
    return fatal(lambda: gan.fit(small_runs.batches(), verbose=0))


def killed_before_fit(strategy, folder, rank):
    """The second worker is gone before the first step."""
    gan = make_here(strategy)
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return fatal(lambda: gan.fit(small_runs.batches(), verbose=0))


def make_here(strategy):
    with strategy.scope():
        return small_runs.make()
