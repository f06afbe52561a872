"""Networks that cannot play, and what is said of them."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg


def _discriminator(*last, shape=(2,)):
    return keras.Sequential([keras.Input(shape), *(last or [layers.Dense(1)])])


def _generator(*last, latent=3):
    return keras.Sequential([keras.Input((latent,)), *(last or [layers.Dense(2)])])


def _shared():
    layer = layers.Dense(2)
    return (
        keras.Sequential([keras.Input((2,)), layer, layers.Dense(1)]),
        keras.Sequential([keras.Input((2,)), layer]),
    )


def _two_outputs():
    inputs = keras.Input((2,))
    return keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])


def _labelled(size):
    inputs = [keras.Input((size,)), keras.Input((), dtype="int32")]
    label = layers.Embedding(3, 2)(inputs[1])
    return keras.Model(
        inputs, layers.Dense(1)(layers.Concatenate()([inputs[0], label]))
    )


def _fixed(*last, size):
    return keras.Sequential([keras.Input((size,), batch_size=32), *last])


def _built_by_a_call():
    model = keras.Sequential([layers.Dense(1)])
    model(np.ones((32, 2)))
    return model


# Of another package: what its classes say of themselves is all that is looked at.
_OF_KERAS_2 = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})


def _conditional(first, second, units):
    """A network of two inputs of these shapes, an integer where that is ()."""
    inputs = [
        keras.Input(shape, dtype="float32" if shape else "int32", name=name)
        for name, shape in (("first", first), ("second", second))
    ]
    parts = [
        tensor if len(tensor.shape) == 2 else layers.Embedding(3, 2)(tensor)
        for tensor in inputs
    ]
    outputs = layers.Dense(units)(layers.Concatenate()(parts))
    return keras.Model(inputs, outputs)


NETWORKS = {
    "two kinds of labels": (
        lambda: (_conditional((2,), (4,), 1), _conditional((3,), (), 2)),
        ValueError,
        r"a generator that takes labels of shape \(None,\) and a .*\(None, 4\)\. Give",
    ),
    "tf_keras": (
        lambda: (_OF_KERAS_2(), _generator()),
        TypeError,
        r"of type Sequential\)\. It is a model of tf_keras \(Keras 2\): build it with",
    ),
    "discriminator of fixed batch": (
        lambda: (_fixed(layers.Dense(1), size=2), _generator()),
        ValueError,
        r"The discriminator must take batches of any.*\(32, 2\), .*without batch_size",
    ),
    "built by a call": (
        lambda: (_built_by_a_call(), _generator()),
        ValueError,
        r"\(32, 2\), whose batch size is fixed.*by a first call",
    ),
    "no model": (
        lambda: (_discriminator(), lambda z: z),
        TypeError,
        r"`generator` must be a keras.Model .*of type function",
    ),
    "two outputs": (
        lambda: (_two_outputs(), _generator()),
        ValueError,
        r"`discriminator` must have one input.*1 inputs and 2 outputs\. There.*ACGAN",
    ),
    "shapes": (
        lambda: (_discriminator(), _generator(layers.Dense(5))),
        ValueError,
        r"must fit .*returns shape \(None, 5\) and a discr.* that takes \(None, 2",
    ),
    "ranks": (
        lambda: (
            _discriminator(layers.Flatten(), layers.Dense(1), shape=(4, 4, 1)),
            _generator(),
        ),
        ValueError,
        "generator's output must fit the discriminator's input",
    ),
    "swapped": (
        lambda: (_generator(), _discriminator(layers.Dense(1))),
        ValueError,
        r"The discriminator comes first.*returns shape \(None, 2\).*Swap them",
    ),
    "swapped images": (
        lambda: kgg.networks.dcgan_pair((28, 28, 1), 5, base_filters=2)[::-1],
        ValueError,
        r"comes first.*\(None, 28, 28, 1\).*Swap them",
    ),
    "swapped conditional networks": (
        lambda: kgg.networks.mlp_pair(2, 3, width=2, num_classes=4)[::-1],
        ValueError,
        r"comes first.*Swap them",
    ),
    "two logits": (
        lambda: (_discriminator(layers.Dense(2)), _generator()),
        ValueError,
        r"must end in one logit .*has shape \(None, 2\)\. End it with keras",
    ),
    "a logit a pixel": (
        lambda: (_discriminator(layers.Reshape((2, 1)), layers.Dense(1)), _generator()),
        ValueError,
        r"must end in one logit .*has shape \(None, 2, 1\)",
    ),
    "shared layers": (
        _shared,
        ValueError,
        r"must not share layers.*dense.*/kernel.*Build two",
    ),
    "one network": (
        lambda: (network := _discriminator(), network),
        ValueError,
        "must not share layers",
    ),
    "labels for one": (
        lambda: (_labelled(2), _generator()),
        ValueError,
        r"with 2 input\(s\) and a generator with 1\. Give labels to both or to none",
    ),
    "open latents": (
        lambda: (
            _discriminator(),
            keras.Sequential([keras.Input((None, 2)), layers.GlobalAveragePooling1D()]),
        ),
        ValueError,
        r"latent input must have a static shape.*\(None, None, 2\)",
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_networks_that_cannot_play(case):
    build, error, match = NETWORKS[case]
    discriminator, generator = build()
    with pytest.raises(error, match=match):
        kgg.GAN(discriminator, generator)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softmax"])
def test_a_squashed_logit_warns(activation):
    with pytest.warns(UserWarning, match=f"should return a logit.*'{activation}'"):
        kgg.GAN(_discriminator(layers.Dense(1, activation=activation)), _generator())


def test_an_activation_layer_at_the_end_warns_too():
    last = [layers.Dense(1), layers.Activation("sigmoid")]
    with pytest.warns(UserWarning, match="should return a logit"):
        kgg.GAN(_discriminator(*last), _generator())
