"""What the workers of the tests train: a small model, its data, and its digest."""

import keras
import numpy as np

import keras_gamegan as kgg

RING = kgg.datasets.gaussian_ring(seed=0)


def make(seed=3, penalty="r1"):
    """A small compiled FictitiousGAN, the model with the most state."""
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, seed=1)
    history = kgg.History(capacity=3, interval=2)
    gan = kgg.FictitiousGAN(*pair, history=history, seed=seed)
    adam = [keras.optimizers.Adam(0.01) for _ in range(2)]
    gan.compile(*adam, penalty=penalty)
    return gan


def batches():
    return RING.batches(10, steps_per_epoch=4)


def digest(gan):
    """The sum of every array that training changes: equal only if all are."""
    optimizers = [*gan.d_optimizer.variables, *gan.g_optimizer.variables]
    arrays = [*gan.get_weights(), *(np.array(v.numpy()) for v in optimizers)]
    return [float(np.sum(array, dtype="float64")) for array in arrays]
