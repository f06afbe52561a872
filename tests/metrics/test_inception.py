import keras
import numpy as np
import pytest

from keras_gamegan import metrics


@pytest.fixture
def small_inception(monkeypatch):
    """Stands in for 22 million weights: checks the arguments, gives image means."""
    calls = []

    def build(**kwargs):
        calls.append(kwargs)
        images = keras.Input(kwargs["input_shape"])
        outputs = keras.layers.GlobalAveragePooling2D()(images)
        return keras.Model(images, outputs)

    monkeypatch.setattr(keras.applications, "InceptionV3", build)
    return calls


def test_images_are_resized_and_colored_but_not_rescaled(small_inception):
    extractor = metrics.inception_features((32, 32, 1))
    assert small_inception == [
        {
            "include_top": False,
            "weights": "imagenet",
            "input_shape": (299, 299, 3),
            "pooling": "avg",
        }
    ]
    images = np.full((2, 32, 32, 1), -1.0, "float32")
    images[1] = 0.5
    np.testing.assert_allclose(extractor(images), [[-1.0] * 3, [0.5] * 3], rtol=1e-5)
    assert not extractor.trainable


def test_images_of_any_size(small_inception):
    extractor = metrics.inception_features()
    for size in (16, 299, 320):
        images = np.full((1, size, size + 1, 3), 0.25, "float32")
        np.testing.assert_allclose(extractor(images), [[0.25] * 3], rtol=1e-5)


def test_inception_itself_gives_2048_features():
    extractor = metrics.inception_features((8, 8, 3), weights=None)
    assert extractor.name == "inception_v3_features"
    assert metrics.FrechetDistance(extractor, num_features=2048).num_features == 2048


def test_without_a_network_it_says_what_to_do(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(RuntimeError, match=r"URL fetch failure.*`~/\.keras/models`"):
        metrics.inception_features()


def test_a_missing_file_of_weights_stays_kerass_own_error(tmp_path):
    with pytest.raises(ValueError, match="`weights` argument"):
        metrics.inception_features(weights=str(tmp_path / "none.h5"))


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 2)])
def test_wrong_shapes(shape):
    with pytest.raises(ValueError, match="`image_shape` must be"):
        metrics.inception_features(shape, weights=None)
