"""Small models, quick measurements and real data, for the tests of `Evaluate`."""

import numpy as np

import keras_gamegan as kgg

RING = kgg.datasets.gaussian_ring(seed=0)
REAL = RING.sample(300, seed=1)


def make(num_classes=None, history=None, **arguments):
    """A small compiled GAN."""
    pair = kgg.networks.mlp_pair(
        2, latent_dim=4, width=8, num_classes=num_classes, seed=1
    )
    if history is None:
        gan = kgg.GAN(*pair, seed=3, **arguments)
    else:
        gan = kgg.FictitiousGAN(*pair, history=history, seed=3, **arguments)
    gan.compile()
    return gan


def distance(**arguments):
    """The Fréchet distance of the points themselves."""
    return kgg.metrics.FrechetDistance(name="distance", **arguments)


def evaluator(metrics=None, num_samples=50, **arguments):
    """A quick callback; several batches a measurement, the last one smaller."""
    arguments = {"real_data": REAL, "batch_size": 20, **arguments}
    return kgg.callbacks.Evaluate(metrics or distance(), num_samples, **arguments)


def batches(steps=3):
    """A finite data set of the ring."""
    return RING.batches(16, steps_per_epoch=steps)


class Remembering(kgg.metrics.ModeCoverage):
    """A metric that keeps the samples it was given."""

    def __init__(self):
        super().__init__(RING.centers, RING.standard_deviation)
        self.seen = []

    def update_fake(self, samples):
        self.seen.append(np.array(samples))
        super().update_fake(samples)
