"""Spectral normalization against the singular values of NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import networks


def dense(kernel, **arguments):
    layer = networks.SpectralNormalization(
        keras.layers.Dense(kernel.shape[1], use_bias=False), seed=0, **arguments
    )
    layer.build((None, kernel.shape[0]))
    layer.layer.kernel.assign(kernel)
    return layer


def test_kernel_is_divided_by_its_largest_singular_value():
    kernel = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    layer = dense(kernel, power_iterations=200)
    expected = kernel / np.linalg.svd(kernel, compute_uv=False)[0]
    for training in (False, True):
        np.testing.assert_allclose(
            layer(np.eye(6), training=training), expected, rtol=1e-5, atol=1e-6
        )
    np.testing.assert_array_equal(layer.layer.kernel, kernel)


def test_convolution_uses_one_column_an_output_channel():
    inner = keras.layers.Conv2D(3, 2, use_bias=False)
    layer = networks.SpectralNormalization(inner, power_iterations=200, seed=0)
    images = np.random.default_rng(1).normal(size=(2, 5, 5, 2)).astype(np.float32)
    outputs = layer(images)
    matrix = np.reshape(inner.kernel, (8, 3))
    sigma = np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(outputs, inner(images) / sigma, rtol=1e-4, atol=1e-5)


def test_training_moves_the_vector_towards_the_singular_vector():
    kernel = np.diag([3.0, 1.0]).astype(np.float32)
    layer = dense(kernel)
    start = layer.vector_u.numpy()
    layer(np.eye(2))
    np.testing.assert_array_equal(layer.vector_u, start)
    for _ in range(20):
        layer(np.eye(2), training=True)
    np.testing.assert_allclose(np.abs(layer.vector_u[:, 0]), [1.0, 0.0], atol=1e-6)
    # From then on one iteration is exact, in training and in inference alike.
    for training in (False, True):
        np.testing.assert_allclose(
            layer(np.eye(2), training=training), kernel / 3.0, atol=1e-6
        )


def test_gradient_is_that_of_the_normalized_kernel():
    # f(W) = W_11 / sigma(W) does not change with the scale of W, so its derivative
    # along W vanishes: the derivative of the singular value is part of the gradient.
    kernel = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    layer = dense(kernel, power_iterations=200)
    with tf.GradientTape() as tape:
        value = layer(np.eye(4))[0, 0]
    gradient = tape.gradient(value, layer.layer.kernel.value)
    assert np.linalg.norm(gradient) > 1e-2
    assert abs(np.sum(gradient * kernel)) < 1e-5


def test_stateless_call_returns_the_moved_vector():
    kernel = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    layer = dense(kernel)
    trainable = [2.0 * variable.value for variable in layer.trainable_variables]
    frozen = [variable.value for variable in layer.non_trainable_variables]
    outputs, moved = layer.stateless_call(trainable, frozen, tf.eye(4), training=True)
    np.testing.assert_array_equal(layer.vector_u, frozen[0])
    assert not np.allclose(moved[0], frozen[0])
    # Twice the kernel is the same normalized kernel.
    np.testing.assert_allclose(outputs, layer(np.eye(4)), rtol=1e-5, atol=1e-6)


def test_a_layer_that_is_not_trainable_is_normalized_too():
    kernel = np.random.default_rng(4).normal(size=(4, 3)).astype(np.float32)
    layer = dense(kernel)
    expected = layer(np.eye(4))
    layer.trainable = False
    np.testing.assert_array_equal(layer(np.eye(4)), expected)


def test_zero_kernel_stays_finite():
    outputs = dense(np.zeros((3, 2), np.float32))(np.eye(3), training=True)
    np.testing.assert_array_equal(outputs, np.zeros((3, 2)))


def test_errors():
    with pytest.raises(ValueError, match="power_iterations=0"):
        networks.SpectralNormalization(keras.layers.Dense(1), power_iterations=0)
    layer = networks.SpectralNormalization(keras.layers.ReLU())
    with pytest.raises(ValueError, match=r"a ReLU.*Wrap a layer"):
        layer.build((None, 3))
