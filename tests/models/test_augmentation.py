"""Augmentation within a discriminator: told, for every layer that Keras has for it."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.models import augmenting_layers

# Arguments with which a layer changes the images below, where it needs any.
ARGUMENTS = {
    "CenterCrop": (6, 6),
    "MaxNumBoundingBoxes": (2,),
    "RandomBrightness": (0.5,),
    "RandomColorDegeneration": (0.9,),
    "RandomColorJitter": ((0, 255), 0.5),
    "RandomContrast": (0.5,),
    "RandomCrop": (6, 6),
    "RandomHue": (0.5,),
    "RandomPosterization": (2,),
    "RandomRotation": (0.3,),
    "RandomSaturation": ((0.1, 0.2),),
    "RandomSharpness": ((0.9, 1.0),),
    "RandomShear": (0.5, 0.5),
    "RandomTranslation": (0.5, 0.5),
    "RandomZoom": (0.5,),
    "Resizing": (6, 6),
}


def _image_layers():
    """Keras' public layers for images, by the method that they share."""
    found = {name: getattr(layers, name) for name in dir(layers)}
    return {
        name: layer
        for name, layer in found.items()
        if isinstance(layer, type) and hasattr(layer, "get_random_transformation")
    }


@pytest.mark.parametrize("name", _image_layers())
def test_a_layer_augments_if_its_modes_differ(name):
    """When this fails for a new layer of Keras, it belongs into one of two lists."""
    layer = _image_layers()[name](*ARGUMENTS.get(name, ()))
    images = np.random.default_rng(0).uniform(50, 200, (4, 8, 8, 3)).astype("float32")
    fixed = np.array(layer(images, training=False))
    moved = [np.array(layer(images, training=True)) for _ in range(3)]
    differ = any(not np.array_equal(each, fixed) for each in moved)
    assert augmenting_layers.augments(layer) == differ


def test_every_layer_that_is_called_random_is_swept():
    random = {name for name in dir(layers) if name.startswith("Random")}
    missing = random - set(_image_layers()) - {"RandomApply"}
    assert not missing and len(random) > 5


def _network(*inner):
    return keras.Sequential(
        [keras.Input((4, 4, 1)), *inner, layers.Flatten(), layers.Dense(1)]
    )


def _functional():
    inputs = keras.Input((4, 4, 1))
    # Overruled when the network is called in inference mode.
    flipped = layers.RandomFlip(name="flip")(inputs, training=True)
    return keras.Model(inputs, layers.Dense(1)(layers.Flatten()(flipped)))


class _Mine(layers.RandomFlip):
    """A layer of one's own."""


class _Always(layers.Layer):
    """The remedy: one layer that augments in every call."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        """Augments whatever the mode."""
        return self.inner(inputs, training=True)


FOUND = {
    "plain": lambda: _network(layers.RandomFlip(name="flip")),
    "functional": _functional,
    "nested": lambda: _network(
        keras.Sequential([keras.Sequential([layers.RandomFlip(name="flip")])])
    ),
    "pipeline": lambda: _network(layers.Pipeline([layers.RandomFlip(name="flip")])),
    "derived": lambda: _network(_Mine(name="flip")),
}


@pytest.mark.parametrize("case", FOUND)
def test_it_is_told_wherever_it_stands(case):
    generator = keras.Sequential(
        [keras.Input((3,)), layers.Dense(16), layers.Reshape((4, 4, 1))]
    )
    message = r"Received: a discriminator with 'flip' \(.*own step: .*augment=layer\)"
    with pytest.warns(UserWarning, match=f"(?s){message}") as told:
        kgg.GAN(FOUND[case](), generator)
    assert len(told) == 1 and told[0].filename == __file__


def test_what_is_right_is_not_warned_of():
    network = _network(
        _Always(layers.RandomFlip()), layers.Resizing(4, 4), layers.Dropout(0.1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        augmenting_layers.warn(network, stacklevel=1)
    # It augments in both players' steps.
    images = np.random.default_rng(0).normal(size=(64, 4, 4, 1)).astype("float32")
    one, other = network(images, training=False), network(images, training=False)
    assert np.any(np.array(one) != np.array(other))
