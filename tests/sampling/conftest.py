"""Small models for the tests of sampling and export."""

import keras
import numpy as np
import pytest

import keras_gamegan as kgg


def _fill(network, number):
    """Gives the last layer a bias that names the model."""
    network.layers[-1].bias.assign(np.full((2,), number, "float32"))


def _networks(num_classes=None):
    keras.utils.set_random_seed(2)
    return kgg.networks.mlp_pair(
        latent_dim=3, width=4, depth=1, num_classes=num_classes, seed=0
    )


@pytest.fixture(scope="session")
def gan():
    """A FictitiousGAN whose average and stored generators all differ.

    The biases of the generator's last layer are 100 in the oldest member, 200 in the
    next and 300 in the live one, and 50 in the average.
    """
    discriminator, generator = _networks()
    model = kgg.FictitiousGAN(
        discriminator,
        generator,
        history=kgg.History(capacity=4, retention="fifo", current_weight=0.5),
        seed=7,
    )
    for number in (100.0, 200.0):
        _fill(generator, number)
        model.generator_bank.push()
    _fill(generator, 300.0)
    # The live model enters the bank at the end of every train step.
    model.generator_bank.record(model.generator_network.player())
    average = model.generator_average
    average.weights[-1].assign(np.full((2,), 50.0, "float32"))
    return model


@pytest.fixture(scope="session")
def conditional_gan():
    """A GAN of three classes."""
    return kgg.GAN(*_networks(num_classes=3), seed=7)


@pytest.fixture(scope="session")
def plain_gan():
    """A GAN that keeps no average and no history."""
    return kgg.GAN(*_networks(), average_decay=None, seed=7)
