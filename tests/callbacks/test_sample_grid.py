"""In which range `SampleGrid` draws, and when it is checked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg


def make(shape, activation="tanh", classes=None):
    """A compiled GAN whose generator ends in an activation."""
    size = int(np.prod(shape))
    if classes:
        pair = kgg.networks.mlp_pair(2, 4, width=8, num_classes=classes, seed=0)
    else:
        pair = (
            keras.Sequential(
                [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)]
            ),
            keras.Sequential(
                [
                    keras.Input((4,)),
                    keras.layers.Dense(size, activation=activation),
                    keras.layers.Reshape(shape),
                ]
            ),
        )
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    return gan


def begin(gan, folder, **arguments):
    """What `fit` does before its first step; returns the callback."""
    grid = kgg.callbacks.SampleGrid(folder, **arguments)
    grid.set_model(gan)
    grid.on_train_begin()
    return grid


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", (-1, 1)),
        ("sigmoid", (0, 1)),
        ("softmax", (0, 1)),
        ("relu", None),
        (None, None),
    ],
)
def test_the_range_is_that_of_the_generator(activation, expected, tmp_path):
    gan = make((6, 6, 1), activation)
    grid = begin(gan, tmp_path, num_samples=4, seed=3)
    grid.on_epoch_end(0)
    picture = tf.io.decode_png((tmp_path / "epoch_001.png").read_bytes()).numpy()
    samples = gan.sample(4, seed=3)
    low, high = expected or (samples.min(), samples.max())
    pixels = np.rint((samples[0] - low) / (high - low) * 255)
    np.testing.assert_allclose(picture[1:7, 1:7], pixels, atol=1)
    given = begin(gan, tmp_path, value_range=(-4, 4))
    assert abs(int(given._picture()[3, 3, 0]) - 128) < 64


@pytest.mark.parametrize("shape", [(8, 8, 2), (3, 8, 8), (24, 3), (4, 8, 8, 1), (7,)])
def test_every_shape_is_written(shape, tmp_path):
    grid = begin(make(shape), tmp_path, num_samples=5)
    assert not list(tmp_path.iterdir())
    grid.on_epoch_end(0)
    picture = tf.io.decode_png((tmp_path / "epoch_001.png").read_bytes()).numpy()
    assert len(np.unique(picture)) > 2


def test_what_cannot_be_drawn_is_told_when_training_begins(tmp_path):
    gan = make((2, 2, 2, 2, 2))
    data = np.zeros((8, 2, 2, 2, 2, 2), "float32")
    with pytest.raises(ValueError, match="Leave SampleGrid out"):
        gan.fit(data, verbose=0, callbacks=[kgg.callbacks.SampleGrid(tmp_path)])
    assert gan.num_steps == 0

    gan = make((2,), classes=10)
    with pytest.raises(
        ValueError, match=r"10 labels for num_samples=64.*np\.resize\(labels, 64\)"
    ):
        begin(gan, tmp_path, labels=np.arange(10))
    with pytest.raises(ValueError, match="labels"):
        begin(gan, tmp_path)
    assert isinstance(
        begin(gan, tmp_path, labels=np.arange(64) % 10).labels, np.ndarray
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value_range", [(1, 1), (1, -1), (1,), 1.0, (0, 1, 2)])
def test_bad_ranges(value_range, tmp_path):
    with pytest.raises(ValueError, match=r"must be a pair.*Received: value_range="):
        kgg.callbacks.SampleGrid(tmp_path, value_range=value_range)
    with pytest.raises(TypeError, match="`value_range` must be a number"):
        kgg.callbacks.SampleGrid(tmp_path, value_range=("black", "white"))
