# %% [markdown]
# # Several devices and workers
# Build and compile under a strategy, as any Keras model. Here two CPU devices stand in
# for two GPUs.

# %%
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)

import keras_gamegan as kgg

data = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")


def train(strategy):
    with strategy.scope():
        networks = kgg.networks.mlp_pair(2, 4, width=32, seed=0)
        gan = kgg.GAN(*networks, seed=0)
        gan.compile("sgd", "sgd")
    gan.fit(data, batch_size=64, epochs=2, verbose=0)
    return gan


one = train(tf.distribute.get_strategy())
two = train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))

# %% [markdown]
# The batch size is the global one, and the run is the same on any number of replicas, up
# to the order of sums:

# %%
difference = max(
    float(np.abs(a - b).max())
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True)
)
print(f"largest difference of a weight: {difference:.1e}")

# %% [markdown]
# Several workers: the same script on each, `tf.distribute.MultiWorkerMirroredStrategy()`
# first, `TF_CONFIG` set; each worker reads the whole data set and takes its part of every
# batch. `kgg.distribution.wait_for_workers` waits until all have started. See
# [Several devices](../distributed.md).
