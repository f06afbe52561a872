"""What models and settings say of themselves."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.models import short_repr


def test_a_model_in_one_line():
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4, width=32)
    gan = kgg.DualityGapGAN(*pair, seed=0)
    sizes = [network.count_params() for network in pair]
    assert sizes == [1185, 1282]
    scheme = "DualityGap(response=BestResponse(optimizer='player'))"
    size = "1.19k + 1.28k parameters"
    assert repr(gan) == f"<DualityGapGAN {scheme}, not compiled, {size}, step 0>"
    gan.compile(loss="hinge", penalty=kgg.penalties.R1(2.0), run_eagerly=True)
    gan.fit(np.zeros((4, 2), "float32"), verbose=0)
    payoff = "Hinge + R1(weight=2.0)"
    assert repr(gan) == f"<DualityGapGAN {scheme}, {payoff}, {size}, step 1>"


def test_a_model_within_a_graph_or_its_constructor():
    gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=4), seed=0)
    found = []

    @tf.function
    def traced():
        found.append(repr(gan))

    traced()
    assert found[0].endswith("parameters>")
    assert repr(kgg.GAN.__new__(kgg.GAN)) == "<GAN, not built>"


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999"), (1000, "1k"), (1_234_567, "1.23M"), (12 * 10**9, "12G")],
)
def test_numbers(count, text):
    assert short_repr._number(count) == text


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (kgg.BestResponse(5, "sgd"), "BestResponse(num_steps=5, optimizer='sgd')"),
        (
            kgg.BestResponse(start="perturbed"),
            "BestResponse(start='perturbed', perturbation=Perturbation(",
        ),
        (kgg.History(capacity=7), "History(capacity=7)"),
        (kgg.penalties.GradientPenalty(), "GradientPenalty()"),
        (kgg.payoffs.Wasserstein(), "Wasserstein()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_settings(made, text):
    assert repr(made).startswith(text)
