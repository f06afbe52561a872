"""Keras' private names that the library stands on: fails when Keras changes one."""

import inspect

import keras
import pytest
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.distribution import keras_private


def _chosen(_):
    return keras.optimizers.SGD()


OPTIMIZERS = {
    "Adam": keras.optimizers.Adam,
    "SGD": keras.optimizers.SGD,
    "Muon": keras.optimizers.Muon,
    "average": lambda: keras.optimizers.Adam(use_ema=True),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}
if hasattr(keras.optimizers, "MultiOptimizer"):
    OPTIMIZERS["several"] = lambda: keras.optimizers.MultiOptimizer(_chosen)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_variables_an_optimizer_was_built_for(name):
    variables = [keras.Variable([[1.0]]), keras.Variable([[1.0]])]
    optimizer = OPTIMIZERS[name]()
    assert keras_private.variables_of(optimizer) == []
    optimizer.build(variables)
    found = keras_private.variables_of(optimizer)
    assert [id(v) for v in found] == [id(v) for v in variables]


def names(model):
    return [variable.name for variable in keras_private.trainable_by_nature(model)]


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


def test_a_batch_is_drawn_to_build_a_model_under_the_name_that_is_overridden():
    drawn = inspect.signature(keras.Model._maybe_symbolic_build)
    assert list(drawn.parameters) == ["self", "iterator", "data_batch"]
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=3, seed=0))
    assert gan._maybe_symbolic_build(iterator=iter(())) is None


def test_a_compiled_model_of_keras_tracks_a_loss_and_a_gan_does_not():
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.compile(loss="mse")
    assert plain._loss_tracker is not None
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, latent_dim=3, seed=0))
    gan.compile()
    assert gan._loss_tracker is None
