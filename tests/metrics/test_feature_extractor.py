import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import metrics
from keras_gamegan.metrics import feature_extractor
from tests import strategies


@keras.saving.register_keras_serializable(package="test_feature_extractor")
def grey_to_rgb(images):
    return tf.repeat(images, 3, axis=-1)


@keras.saving.register_keras_serializable(package="test_feature_extractor")
def mean_color(images):
    return tf.reduce_mean(images, axis=(1, 2))


def make_network(size=8, channels=3):
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            keras.layers.Dropout(0.5),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
        ],
        name="small",
    )


def make_images(size=8, channels=3, num=6):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1.0, 1.0, size=(num, size, size, channels))
    return images.astype("float32")


def test_no_network_flattens():
    extract = feature_extractor.FeatureExtractor(None)
    images = make_images()
    features = extract(images, "real")
    np.testing.assert_array_equal(features, images.reshape(6, -1).astype("float64"))
    assert (extract.name, extract.num_features) == ("identity", None)


def test_networks_run_as_for_inference_and_unchanged():
    network, images = make_network(), make_images()
    before = network.get_weights()
    extract = feature_extractor.FeatureExtractor(network)
    features = extract(images, "real")
    assert features.dtype == tf.float64
    assert (extract.name, extract.num_features) == ("small", 4)
    expected = network(images, training=False)
    np.testing.assert_allclose(features, expected, rtol=1e-6)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_any_callable_will_do():
    extract = feature_extractor.FeatureExtractor(mean_color)
    images = make_images()
    found = extract(images, "fake")
    np.testing.assert_allclose(found, images.mean(axis=(1, 2)), rtol=1e-5, atol=1e-7)
    assert extract.name == "mean_color"


def test_images_of_another_size_are_refused_unless_to_be_resized():
    network, images = make_network(), make_images(size=16)
    extract = feature_extractor.FeatureExtractor(network)
    with pytest.raises(
        ValueError, match=r"`fake` .* \(small\) takes.*16, 16.*`resize=True`"
    ):
        extract(images, "fake")
    resized = keras.ops.image.resize(images, (8, 8), antialias=True)
    expected = network(resized, training=False)
    extract = feature_extractor.FeatureExtractor(network, resize=True)
    np.testing.assert_allclose(extract(images, "fake"), expected, rtol=1e-5, atol=1e-7)


def test_channels_are_converted_by_preprocess_only():
    network, images = make_network(), make_images(channels=1)
    for resize in (False, True):
        extract = feature_extractor.FeatureExtractor(network, resize=resize)
        with pytest.raises(ValueError, match="`preprocess=`, a callable"):
            extract(images, "real")
    extract = feature_extractor.FeatureExtractor(network, preprocess=grey_to_rgb)
    expected = network(np.repeat(images, 3, axis=-1), training=False)
    np.testing.assert_allclose(extract(images, "real"), expected, rtol=1e-5)


def test_feature_maps_are_refused():
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    metric = metrics.FrechetDistance(network)
    with pytest.raises(ValueError, match=r"\(batch, features\).*global pooling"):
        metric.update_real(make_images())


def test_wrong_arguments():
    with pytest.raises(TypeError, match="`extractor` must be None, a Keras model"):
        metrics.FrechetDistance("inception")
    with pytest.raises(TypeError, match="`classifier` must be None, a Keras model"):
        metrics.ClassifierScore("inception")
    with pytest.raises(TypeError, match="`preprocess` must be None or a callable"):
        metrics.FrechetDistance(preprocess="grey")
    with pytest.raises(TypeError, match="`resize` must be True or False"):
        metrics.FrechetDistance(resize=299)
    with pytest.raises(ValueError, match="`resize=True` needs a Keras model"):
        metrics.FrechetDistance(resize=True)
    with pytest.raises(ValueError, match=r"returns, 4\. Received: num_features=5"):
        metrics.FrechetDistance(make_network(), num_features=5)
    with pytest.raises(ValueError, match="Add the batch axis"):
        metrics.FrechetDistance().update_real(1.0)


def test_the_network_travels_in_the_config_but_its_weights_do_not():
    network, images = make_network(channels=3), make_images(channels=1)
    metric = metrics.FrechetDistance(network, preprocess=grey_to_rgb, name="fid")
    config = keras.saving.serialize_keras_object(metric)
    restored = keras.saving.deserialize_keras_object(config)
    assert restored.name == "fid"
    assert restored.num_features == 4
    # The layers are there, their weights are random: no numbers.
    with pytest.raises(ValueError, match=r"layers of `extractor` but not its weights"):
        restored.update_real(images)
    restored._features.network.set_weights(network.get_weights())
    restored.update_real(images)
    metric.update_real(images)
    assert restored.get_config() == metric.get_config()
    for name, value in metric.get_state().items():
        np.testing.assert_allclose(restored.get_state()[name], value, rtol=1e-6)


def test_functions_travel_whole():
    metric = metrics.KernelDistance(mean_color, max_samples=10)
    restored = metrics.KernelDistance.from_config(metric.get_config())
    restored.update_state(make_images(), make_images())
    assert restored.details()["extractor"] == "mean_color"


def test_fingerprints_tell_weights_apart():
    one, other = make_network(), make_network()
    fingerprints = {
        feature_extractor.FeatureExtractor(network).fingerprint()
        for network in (one, other)
    }
    assert len(fingerprints) == 2
    other.set_weights(one.get_weights())
    assert feature_extractor.FeatureExtractor(other).fingerprint() in fingerprints
    metric = metrics.FrechetDistance(one, allow_singular=True)
    metric.update_state(make_images(), make_images())
    assert metric.details()["extractor_fingerprint"] in fingerprints


# Keras itself still converts variables the way NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_model_that_holds_a_metric_does_not_save_its_network(tmp_path):
    def make_model(metric=None):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.quality = metric
        return model

    plain, with_metric = (
        make_model(),
        make_model(metrics.FrechetDistance(make_network())),
    )
    assert len(with_metric.weights) == len(plain.weights)
    plain.save_weights(tmp_path / "plain.weights.h5")
    with_metric.load_weights(tmp_path / "plain.weights.h5")
    np.testing.assert_array_equal(with_metric.weights[0], plain.weights[0])
    with_metric.save_weights(tmp_path / "other.weights.h5")
    plain.load_weights(tmp_path / "other.weights.h5")


def test_networks_of_half_precision_are_summed_in_double():
    keras.config.set_dtype_policy("mixed_float16")
    network = make_network()
    metric = metrics.FrechetDistance(network, allow_singular=True)
    images = make_images()
    metric.update_state(images, -images)
    features = np.asarray(network(images, training=False), "float64")
    np.testing.assert_allclose(
        metric.get_state()["real_outer"], features.T @ features, rtol=1e-12
    )
    assert float(metric.result()) > 0.0


def test_networks_run_in_replicas():
    strategy = strategies.mirrored()
    with strategy.scope():
        network = make_network()
        metric = metrics.FrechetDistance(network, allow_singular=True)
    images = make_images(num=8)
    dataset = tf.data.Dataset.from_tensor_slices((images, -images)).batch(4)
    step = tf.function(lambda *data: strategy.run(metric.update_state, args=data))
    for batch in strategy.experimental_distribute_dataset(dataset):
        step(*batch)
    alone = metrics.FrechetDistance(network, allow_singular=True)
    alone.update_state(images, -images)
    assert metric.details()["n_fake"] == 8
    # Features are float32, and rounded differently in other batches.
    np.testing.assert_allclose(
        metric.details()["value"], alone.details()["value"], rtol=1e-3, atol=1e-6
    )
