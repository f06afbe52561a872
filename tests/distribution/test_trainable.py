import keras
from keras import layers

from keras_gamegan.distribution import trainable


def names(model):
    return [variable.name for variable in trainable.trainable_by_nature(model)]


def test_freezing_does_not_change_what_is_trainable_by_nature():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.BatchNormalization(),
            inner,
            layers.SpectralNormalization(layers.Dense(1, use_bias=False)),
        ]
    )
    # As Keras has it while nothing is frozen.
    expected = [variable.name for variable in model.trainable_variables]
    assert names(model) == expected == ["gamma", "beta", "kernel", "bias", "kernel"]
    model.layers[0].trainable = False
    inner.layers[0].trainable = False
    assert names(model) == expected
    model.trainable = False
    assert names(model) == expected and not model.trainable_variables
