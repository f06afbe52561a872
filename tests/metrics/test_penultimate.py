import keras
import numpy as np
import pytest

from keras_gamegan import metrics


def make_classifier(last_layers, name="small"):
    hidden = keras.layers.Dense(5, activation="relu", name="hidden")
    return keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), hidden, *last_layers],
        name=name,
    )


@pytest.mark.parametrize(
    "last_layers",
    [
        [keras.layers.Dense(3)],
        [keras.layers.Dense(3, activation="softmax")],
        [keras.layers.Dense(3), keras.layers.Softmax()],
        [keras.layers.Dropout(0.5), keras.layers.Dense(3), keras.layers.Dropout(0.5)],
    ],
    ids=["logits", "softmax", "softmax-layer", "dropout"],
)
def test_features_are_what_the_last_weights_see(last_layers):
    classifier = make_classifier(last_layers)
    extractor = metrics.penultimate_features(classifier)
    images = np.random.default_rng(0).normal(size=(6, 4, 4, 1)).astype("float32")
    kernel, bias = classifier.get_layer("hidden").get_weights()
    expected = np.maximum(images.reshape(6, 16) @ kernel + bias, 0.0)
    found = extractor(images, training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert extractor.name == "small_features"
    metric = metrics.FrechetDistance(extractor, allow_singular=True)
    assert metric.num_features == 5
    metric.update_state(images, images)
    assert metric.details()["extractor"] == "small_features"
    # Weights are shared: what is trained on changes the features too.
    classifier.get_layer("hidden").set_weights([2.0 * kernel, 2.0 * bias])
    np.testing.assert_allclose(
        extractor(images, training=False), 2.0 * expected, rtol=1e-5, atol=1e-6
    )


def test_functional_models_with_branches():
    inputs = keras.Input((4,))
    left = keras.layers.Dense(2, name="left")(inputs)
    right = keras.layers.Dense(3, name="right")(inputs)
    joined = keras.layers.Concatenate()([left, right])
    classifier = keras.Model(inputs, keras.layers.Dense(2)(joined))
    assert metrics.penultimate_features(classifier).output_shape == (None, 5)


def test_wrong_classifiers():
    with pytest.raises(TypeError, match=r"functional or Sequential.*of type str"):
        metrics.penultimate_features("mnist")
    with pytest.raises(ValueError, match=r"keras\.Input as its first layer"):
        metrics.penultimate_features(keras.Sequential([keras.layers.Dense(2)]))
    convolutions = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="last")]
    )
    with pytest.raises(ValueError, match=r"ends in Conv2D 'last'\. Make .* by hand"):
        metrics.penultimate_features(convolutions)
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"ends in no weights"):
        metrics.penultimate_features(flat)
