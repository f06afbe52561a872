"""Every kind of network trains, and its own losses count."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg


def _data(kind, points, images):
    if kind == "images":
        return images[:8], None
    labels = np.arange(8) % 4 if kind == "conditional" else None
    return points[:8], labels


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("regularized", "alternating"),
        ("spectral", "fictitious"),
        ("conditional", "duality_gap"),
        ("conditional", "full"),
        ("images", "simultaneous"),
        ("images", "full"),
    ],
)
def test_it_trains(make, points, images, kind, method):
    eager = (kind, method) != ("images", "full")  # One of them in a graph.
    compile = {"run_eagerly": eager, "penalty": "gradient_penalty"}
    gan = make(method, kind, compile=compile)
    x, y = _data(kind, points, images)
    before = [np.array(w) for w in gan.discriminator.weights + gan.generator.weights]
    history = gan.fit(x, y, batch_size=4, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    after = gan.discriminator.weights + gan.generator.weights
    same = {
        variable.path.split("/")[-1]
        for old, variable in zip(before, after, strict=True)
        if np.array_equal(old, np.array(variable))
    }
    assert not same
    samples = gan.sample(3, seed=0, labels=None if y is None else [0, 1, 2])
    assert samples.shape == (3, *x.shape[1:]) and np.isfinite(samples).all()


def test_a_spectral_discriminator_stays_normalized(make, points):
    gan = make("alternating", "spectral", compile={"run_eagerly": True})
    gan.fit(points, batch_size=8, verbose=0)
    layer = gan.discriminator.layers[0]
    assert isinstance(layer, keras.layers.SpectralNormalization)
    # Keras writes the normalised kernel back, and the optimizer then moves it a little.
    assert np.linalg.norm(np.array(layer.layer.kernel), 2) < 1.5


def test_regularizers_enter_the_losses(make, points):
    gan = make("simultaneous", "regularized", compile={"run_eagerly": True})

    def regularization(network):
        kernels = [w for w in network.layers if hasattr(w, "kernel_regularizer")]
        return sum(
            0.1 * np.sum(np.array(layer.kernel) ** 2)
            for layer in kernels
            if layer.kernel_regularizer is not None
        )

    expected = regularization(gan.discriminator), regularization(gan.generator)
    assert min(expected) > 0.1
    logs = gan.fit(points[:8], batch_size=8, shuffle=False, verbose=0).history
    (d_loss,), (value,) = logs["d_loss"], logs["value"]
    # The value is the game's alone.
    np.testing.assert_allclose(d_loss + value, expected[0], rtol=1e-4)


def test_a_regularizer_pulls_the_generator(networks, points):
    discriminator, generator = networks("regularized")
    for weight in discriminator.weights:
        weight.assign(tf.zeros_like(weight))
    gan = kgg.GAN(discriminator, generator, updates="simultaneous", seed=0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.5), run_eagerly=True)
    kernel = np.array(generator.layers[0].kernel)
    gan.fit(points[:8], batch_size=8, verbose=0)
    # Against a constant discriminator only 0.1 |w|^2 has a slope, 0.2 w.
    np.testing.assert_allclose(generator.layers[0].kernel, 0.9 * kernel, rtol=1e-5)


def test_labels_reach_both_networks(make, points):
    gan = make("alternating", "conditional", compile={"run_eagerly": True})
    embeddings = [
        next(w for w in network.weights if "embedding" in w.path)
        for network in (gan.discriminator, gan.generator)
    ]
    before = [np.array(w) for w in embeddings]
    gan.fit(points[:8], np.full(8, 2), batch_size=8, verbose=0)
    for old, new in zip(before, embeddings, strict=True):
        changed = np.any(old != np.array(new), axis=1)
        np.testing.assert_array_equal(changed, [False, False, True, False])


def test_layers_set_fast_stay(make, networks, points):
    discriminator, generator = networks("mlp")
    generator.layers[0].trainable = False
    gan = kgg.FictitiousGAN(discriminator, generator, seed=0)
    gan.compile(run_eagerly=True)
    before = [np.array(w) for w in generator.weights]
    gan.fit(points[:8], batch_size=8, verbose=0)
    changed = [
        bool(np.any(old != np.array(new)))
        for old, new in zip(before, generator.weights, strict=True)
    ]
    assert changed == [False, False, True, True]
