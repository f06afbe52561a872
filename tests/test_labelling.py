"""Labels: what networks know of them, what fits, and what is said of what does not."""

import re

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg
from keras_gamegan import labelling


def _network(embed):
    """A generator with labels, put together by ``embed``."""
    latents = keras.Input((4,), name="latents")
    labels, classes = embed()
    joined = layers.Concatenate()([latents, classes])
    return keras.Model([latents, labels], layers.Dense(2)(joined))


def _plain():
    labels = keras.Input((), dtype="int32")
    return labels, layers.Embedding(5, 3)(labels)


def _reshaped():
    labels = keras.Input((1,), dtype="int32")
    embedded = layers.Embedding(6, 3)(layers.Reshape(())(labels))
    return labels, embedded


def _column():
    labels = keras.Input((1,), dtype="int32")
    return labels, layers.Flatten()(layers.Embedding(7, 3)(labels))


def _twice():
    labels = keras.Input((), dtype="int32")
    both = [layers.Embedding(size, 3)(labels) for size in (9, 8)]
    return labels, layers.Add()(both)


def _one_hot():
    labels = keras.Input((3,))
    return labels, layers.Dense(2)(labels)


@pytest.mark.parametrize(
    ("embed", "classes"),
    [(_plain, 5), (_reshaped, 6), (_column, 7), (_twice, 8), (_one_hot, None)],
)
def test_number_of_classes(embed, classes):
    network = _network(embed)
    assert labelling.num_classes(network) == classes
    assert labelling.num_classes(keras.models.clone_model(network)) == classes


def test_networks_without_labels_have_no_classes():
    assert labelling.num_classes(kgg.networks.mlp_pair()[1]) is None
    # An Embedding of something else than labels.
    tokens = keras.Input((2,), dtype="int32")
    outputs = layers.Flatten()(layers.Embedding(5, 3)(tokens))
    labels = keras.Input((3,))
    outputs = layers.Concatenate()([outputs, labels])
    assert labelling.num_classes(keras.Model([tokens, labels], outputs)) is None


@pytest.mark.parametrize("network", ["dcgan", "residual"])
def test_the_librarys_image_networks_are_known(network):
    if network == "dcgan":
        pair = kgg.networks.dcgan_pair(
            (8, 8, 1), latent_dim=2, base_filters=2, num_classes=4
        )
    else:
        pair = kgg.networks.residual_pair(
            (8, 8, 1), latent_dim=2, base_filters=2, num_classes=4
        )
    assert [labelling.num_classes(model) for model in pair] == [4, 4]


INTEGERS, COLUMN, ONE_HOT = (None,), (None, 1), (None, 3)
SHAPES = [
    # Given, taken, text (None: it fits).
    ((8,), INTEGERS, None),
    ((8, 1), INTEGERS, None),
    ((None, 1), INTEGERS, None),
    ((None, None), INTEGERS, None),
    ((8,), COLUMN, None),
    ((8, 1), COLUMN, None),
    ((8, 3), ONE_HOT, None),
    ((8, 3), (None, None), None),
    ((8, 1, 3), ONE_HOT, None),
    (
        (8, 3),
        INTEGERS,
        "as integers.*Received: labels of shape (8, 3).*argmax(axis=-1)",
    ),
    ((None, 3), COLUMN, "as integers, one for each example: of shape (None, 1)"),
    ((8,), ONE_HOT, "one-hot labels.*(8,). Pass keras.utils.to_categorical(labels, 3)"),
    ((8, 1), ONE_HOT, "Pass keras.utils.to_categorical(labels, 3)"),
    ((8, 4), ONE_HOT, "of shape (None, 3). Received: labels of shape (8, 4). Reshape"),
    ((8, 2, 2), INTEGERS, "of shape (None,). Received: labels of shape (8, 2, 2)"),
    ((), INTEGERS, "Received: labels of shape (). Reshape"),
]


def _pattern(text):
    return ".*".join(re.escape(part) for part in text.split(".*"))


@pytest.mark.parametrize(("given", "taken", "text"), SHAPES, ids=str)
def test_shapes(given, taken, text):
    if text is None:
        assert labelling.check_shape(given, taken) is None
        return
    with pytest.raises(ValueError, match=_pattern(text)):
        labelling.check_shape(given, taken)


VALUES = [
    # Labels, classes, text (None: they fit).
    ([0, 1, 2], 3, None),
    ([[0], [1], [2]], 3, None),
    ([0.0, 2.0, 1.0], 3, None),
    ([True, False, True], 2, None),
    ([7, -7, 0], None, None),
    ([0.5, 1.5, 2.5], None, None),
    (
        [0, 1, 3],
        3,
        "from 0 to 2.*Received: labels from 0 to 3. Count classes from 0",
    ),
    ([0, -1, 2], 3, "Received: labels from -1 to 2"),
    ([0.0, 0.5, 1.0], 3, "whole numbers from 0 to 2. Received: labels such as 0.5"),
    ([0.0, np.nan, 1.0], 3, "whole numbers"),
    ([0, 1], 3, "one label for each example. Received: 3 examples and 2 labels"),
    (["a", "b", "c"], 3, "must be numbers.*return_inverse"),
]


@pytest.mark.parametrize(("labels", "classes", "text"), VALUES, ids=str)
def test_values(labels, classes, text):
    if text is None:
        assert labelling.check_values(labels, 3, classes, "int32") is None
        return
    with pytest.raises(ValueError, match=_pattern(text)):
        labelling.check_values(labels, 3, classes, "int32")
