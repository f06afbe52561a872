"""Arguments of a GAN that cannot be, and what is said of them."""

import pathlib
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg

CONSTRUCTOR = [
    ({"latent_dim": 4}, ValueError, r"latents of shape \(3,\)\. Leave latent_dim out"),
    ({"latent_dim": 0}, ValueError, "`latent_dim` must be an integer of at least 1"),
    ({"latent_dim": "3"}, TypeError, "Received: latent_dim='3'"),
    ({"updates": "both"}, ValueError, "'alternating', 'simultaneous'.*updates='both'"),
    (
        {"discriminator_steps": 0},
        ValueError,
        "`discriminator_steps` must be an integer",
    ),
    ({"generator_steps": 1.5}, TypeError, "Received: generator_steps=1.5"),
    (
        {"updates": "simultaneous", "discriminator_steps": 2},
        ValueError,
        'Use 1 and 1, or updates="alternating"',
    ),
    ({"average_decay": 1.0}, ValueError, r"`average_decay` must be a number in \[0, "),
    ({"average_decay": -0.1}, ValueError, "Received: average_decay=-0.1"),
    ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
    ({"seed": 1.5}, TypeError, "`seed` must be an integer"),
]


@pytest.mark.parametrize(("arguments", "error", "match"), CONSTRUCTOR)
def test_constructor(networks, arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.GAN(*networks("linear"), **arguments)


def test_latent_dim_may_be_said(networks):
    assert kgg.GAN(*networks("linear"), 3).latent_dim == 3
    wide = keras.Sequential([keras.Input((2, 2)), layers.Flatten(), layers.Dense(2)])
    gan = kgg.GAN(networks("linear")[0], wide, latent_dim=4)
    assert gan.latent_dim == (2, 2)


@pytest.mark.parametrize(
    ("model", "arguments", "error", "match"),
    [
        (
            kgg.DualityGapGAN,
            {"best_response": 5},
            TypeError,
            r"must be a kgg.BestResponse\. Received: best_response=5\. Pass",
        ),
        (
            kgg.FictitiousGAN,
            {"history": 5},
            TypeError,
            r"must be a kgg.History\. Received: history=5\. Pass",
        ),
        (
            kgg.FictitiousGAN,
            {"mixture": "mean"},
            ValueError,
            "'sampled', 'sliced', 'full'.*'mean'",
        ),
    ],
)
def test_constructors_of_the_others(networks, model, arguments, error, match):
    with pytest.raises(error, match=match):
        model(*networks("linear"), **arguments)


LOGITS = r'loss="non_saturating" is binary cross-entropy on logits'
BINARY = keras.losses.BinaryCrossentropy(from_logits=True)
_ADAM_OF_KERAS_2 = type("Adam", (), {"__module__": "tf_keras.src.optimizers.adam"})()
# What is known from Keras and from guides, and what it is here.
COMPILE_HINTS = [
    ({"optimizer": "adam"}, TypeError, r"Received: optimizer=\. .*d_optimizer= and g_"),
    ({"metrics": ["mse"]}, TypeError, r"Received: metrics=.*callbacks\.Evaluate"),
    ({"loss_fn": BINARY}, TypeError, f"Received: loss_fn=.*{LOGITS}"),
    ({"generator_optimizer": "adam"}, TypeError, r"Pass g_optimizer="),
    ({"loss_weights": [1]}, TypeError, "Received: loss_weights=.*one game"),
    ({"augment": "color"}, TypeError, r"augment=.*belongs to the model: kgg\.GAN"),
    ({"seed": 0}, TypeError, r"Received: seed=\. The seed belongs to the model"),
    ({"penalties": "r1"}, TypeError, r"takes d_opt.*penalties=\. Check the spelling"),
    ({"a": 1, "optimizer": 2}, TypeError, r"Received: a=, optimizer=\. A GAN has two"),
    ({"loss": "bce"}, ValueError, LOGITS),
    (
        {"loss": keras.losses.BinaryCrossentropy(label_smoothing=0.2)},
        ValueError,
        r"on one side.*get\('non_saturating', label_smoothing=0\.1\)",
    ),
    (
        {"loss": keras.losses.BinaryCrossentropy(reduction="sum")},
        ValueError,
        r"mean over examples\. Received: BinaryCrossentropy\(reduction='sum'\)",
    ),
    ({"loss": keras.losses.MeanSquaredError()}, ValueError, 'loss="least_squares"'),
    ({"loss": keras.losses.Hinge()}, ValueError, 'loss="hinge"'),
    ({"loss": None}, ValueError, "Leave it out for the default"),
    ({"loss": kgg.payoffs.Hinge}, ValueError, r"Pass an object: Hinge\(\)"),
    (
        {"d_optimizer": _ADAM_OF_KERAS_2},
        ValueError,
        r"an optimizer of tf_keras \(Keras 2\)\. Pass, for instance, keras",
    ),
    (
        {"g_optimizer": keras.optimizers.Adam},
        ValueError,
        r"class .*Adam'>, a class and no object\. Pass, for instance",
    ),
    (
        {"d_optimizer": tf.compat.v1.train.AdamOptimizer(0.1)},
        ValueError,
        r"an optimizer of TensorFlow 1 \(tf.compat.v1\)\. Pass, for",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"loss": "gan"}, ValueError, "'minimax', 'non_saturating'.*loss='gan'"),
        ({"penalty": "r3"}, ValueError, "'r1', 'r2', 'gradient_penalty'.*penalty='r3'"),
        (
            {"d_optimizer": "best"},
            ValueError,
            "`d_optimizer` must be a Keras optimizer",
        ),
        (
            {"steps_per_execution": 0},
            ValueError,
            "`steps_per_execution` must be an int",
        ),
        *COMPILE_HINTS,
    ],
)
def test_compile(networks, arguments, error, match):
    gan = kgg.GAN(*networks("linear"))
    with pytest.raises(error, match=match):
        gan.compile(**arguments)
    assert not gan.compiled


def test_fit_before_compile(networks, points):
    with pytest.raises(ValueError, match=r"compile\(\) must be called before fit\(\)"):
        kgg.GAN(*networks("linear")).fit(points)


def test_another_backend():
    # Keras' other backends are not installed: a stand-in says it runs on one.
    code = """
import sys, types
keras = types.ModuleType("keras")
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
sys.modules["keras"] = keras
import keras_gamegan
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=pathlib.Path(kgg.__file__).parents[1],
    )
    assert result.returncode != 0
    assert "ValueError: keras_gamegan runs on Keras' TensorFlow" in result.stderr
    assert "Received: keras.backend.backend() == 'jax'" in result.stderr
    assert "KERAS_BACKEND=tensorflow" in result.stderr
