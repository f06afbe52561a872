"""Payoffs by name, and by the names that Keras has for them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        keras.losses.binary_crossentropy,
        keras.losses.BinaryCrossentropy(),
        keras.losses.BinaryCrossentropy(from_logits=True),
    ],
    ids=["name", "function", "on probabilities", "on logits"],
)
def test_binary_cross_entropy_is_non_saturating(loss):
    payoff = kgg.payoffs.get(loss)
    assert type(payoff) is kgg.payoffs.NonSaturating
    # As the guides write it, on logits and halved.
    logits = np.array([[-2.0], [0.5], [3.0]], "float32")
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    real, fake = np.ones_like(logits), np.zeros_like(logits)
    for term, label in (("real_term", real), ("fake_term", fake)):
        found = tf.reduce_mean(getattr(payoff, term)(tf.constant(logits)))
        np.testing.assert_allclose(found, -0.5 * entropy(label, logits), rtol=1e-6)
    found = tf.reduce_mean(payoff.generator_term(tf.constant(logits)))
    np.testing.assert_allclose(found, 0.5 * entropy(real, logits), rtol=1e-6)


def test_arguments_go_with_a_name():
    payoff = kgg.payoffs.get("binary_crossentropy", label_smoothing=0.1)
    assert payoff.label_smoothing == 0.1
    with pytest.raises(TypeError, match=r"'hinge' must be among: none.*label_noise"):
        kgg.payoffs.get("hinge", label_noise=0.1)
    with pytest.raises(TypeError, match=r"label_smoothing, label_noise\. Received: x"):
        kgg.payoffs.get("minimax", x=0.1)
    with pytest.raises(TypeError, match=r"label_noise for Minimax\(\)"):
        kgg.payoffs.get(kgg.payoffs.Minimax(), label_noise=0.1)
    for name in ("label_smoothing", "label_noise"):
        with pytest.raises(ValueError, match=rf"`{name}` must be a number in \[0, 0.5"):
            kgg.payoffs.get("minimax", **{name: 0.6})
