"""What every pair of networks has to keep, over sizes and options."""

import itertools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan import networks
from keras_gamegan.networks import building

SIZES = [(28, 28, 1), (32, 32, 3), (64, 64, 1), (64, 64, 3), (24, 24, 1), (40, 80, 3)]
IMAGE_PAIRS = {
    "dcgan": networks.dcgan_pair,
    "residual": networks.residual_pair,
    "modern": networks.modern_pair,
}
# Those that can be normalized in more ways than one.
NORMALIZED_PAIRS = ["dcgan", "residual"]
PAIRS = {
    "mlp": lambda **arguments: networks.mlp_pair(latent_dim=5, width=8, **arguments),
    "dcgan": lambda **arguments: networks.dcgan_pair(
        (28, 28, 1), 5, base_filters=4, **arguments
    ),
    "residual": lambda **arguments: networks.residual_pair(
        (28, 28, 1), 5, base_filters=4, **arguments
    ),
    "modern": lambda **arguments: networks.modern_pair(
        (28, 28, 1), 5, base_filters=4, **arguments
    ),
}


def spectral_if_possible(pair):
    """Arguments for spectral normalization, of a pair that takes them."""
    if pair not in NORMALIZED_PAIRS:
        return {}
    return {"discriminator_normalization": "spectral"}


def inputs_of(network, batch_size=3, seed=0):
    """Random inputs that fit a network: a tensor, or a list of two with labels."""
    generator = np.random.default_rng(seed)
    inputs = [
        tf.constant(generator.integers(0, 4, (batch_size,)), tf.int32)
        if tensor.name == "labels"
        else tf.constant(
            generator.normal(size=(batch_size, *tensor.shape[1:])), tf.float32
        )
        for tensor in network.inputs
    ]
    return inputs if len(inputs) > 1 else inputs[0]


@pytest.mark.parametrize("pair", IMAGE_PAIRS)
@pytest.mark.parametrize("image_shape", SIZES)
def test_shapes_and_ranges(pair, image_shape):
    discriminator, generator = IMAGE_PAIRS[pair](image_shape, 7, base_filters=2, seed=0)
    assert generator.input_shape == (None, 7)
    assert discriminator.input_shape == (None, *image_shape)
    assert discriminator.output_shape == (None, 1)
    # Far from zero the latents drive the outputs to the ends of their range.
    latents = 1e9 * np.random.default_rng(0).normal(size=(2, 7))
    images = generator(latents).numpy()
    assert images.shape == (2, *image_shape)
    assert 0.5 < np.abs(images).max() <= 1.0
    # One logit without an activation: it scales with the images, beyond [0, 1].
    logits = discriminator(1e9 * images)
    assert logits.shape == (2, 1) and np.abs(logits).max() > 1.0


@pytest.mark.parametrize("pair", NORMALIZED_PAIRS)
@pytest.mark.parametrize("num_classes", [None, 4])
@pytest.mark.parametrize(
    ("generator_normalization", "discriminator_normalization"),
    [
        ("batch", None),
        (None, "spectral"),
        pytest.param("batch", "layer", marks=pytest.mark.slow),
    ],
)
def test_options_train(
    pair, num_classes, generator_normalization, discriminator_normalization
):
    discriminator, generator = PAIRS[pair](
        num_classes=num_classes,
        generator_normalization=generator_normalization,
        discriminator_normalization=discriminator_normalization,
        seed=0,
    )
    kinds = {type(layer).__name__ for layer in generator.layers}
    assert ("BatchNormalization" in kinds) == (generator_normalization == "batch")
    kinds = {type(layer).__name__ for layer in discriminator.layers}
    spectral = discriminator_normalization == "spectral"
    assert ("SpectralNormalization" in kinds) == spectral
    # Nothing but the embedding may then be left without a bound.
    assert not spectral or not kinds & {"Conv2D", "Dense"}
    assert ("GroupNormalization" in kinds) == (discriminator_normalization == "layer")
    # Every weight of both players takes part in the game.
    latents = inputs_of(generator)

    def discriminator_input(images):
        return images if num_classes is None else [images, latents[1]]

    with tf.GradientTape(persistent=True) as tape:
        images = generator(latents, training=True)
        logits = discriminator(discriminator_input(images), training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-logits))
    for network in (discriminator, generator):
        for variable in network.trainable_variables:
            gradient = tape.gradient(loss, variable.value)
            assert gradient is not None, variable.path
            assert np.all(np.isfinite(tf.convert_to_tensor(gradient))), variable.path


@pytest.mark.parametrize("pair", PAIRS)
def test_labels_matter(pair):
    for network in PAIRS[pair](num_classes=4, seed=0):
        first, _ = inputs_of(network)
        assert [tensor.name for tensor in network.inputs][1] == "labels"
        assert network.inputs[1].dtype == "int32"
        assert network.input_shape[1] == (None,)
        outputs = [network([first, tf.fill((3,), label)]).numpy() for label in (0, 1)]
        assert not np.array_equal(*outputs)


def test_projection_is_an_inner_product():
    discriminator, _ = PAIRS["residual"](num_classes=4, seed=0)
    images, labels = inputs_of(discriminator)
    layer = {type(layer).__name__: layer for layer in discriminator.layers}
    features = keras.Model(
        discriminator.inputs, layer["GlobalAveragePooling2D"].output
    )([images, labels]).numpy()
    classes = tf.gather(layer["Embedding"].embeddings, labels).numpy()
    kernel, bias = (weight.numpy() for weight in layer["Dense"].weights)
    expected = features @ kernel + bias + np.sum(classes * features, 1, keepdims=True)
    np.testing.assert_allclose(
        discriminator([images, labels]), expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("pair", PAIRS)
def test_weights_follow_the_seed(pair):
    spectral = spectral_if_possible(pair)

    def weights(seed):
        return [
            weight
            for network in PAIRS[pair](num_classes=4, seed=seed, **spectral)
            for weight in network.get_weights()
        ]

    first, again, other = weights(1), weights(1), weights(2)
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    differ = [not np.array_equal(a, b) for a, b in zip(first, other, strict=True)]
    # All but biases and statistics, which begin at 0 and 1, are drawn.
    random = [not np.all(np.isin(weight, (0.0, 1.0))) for weight in first]
    assert differ == random
    # No two layers of the same shape share their weights.
    drawn = [
        weight.tobytes() for weight, drew in zip(first, random, strict=True) if drew
    ]
    assert len(set(drawn)) == len(drawn)


def test_without_a_seed_weights_follow_keras():
    def kernel():
        return networks.mlp_pair()[0].get_weights()[0]

    keras.utils.set_random_seed(3)
    first, second = kernel(), kernel()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(kernel(), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("pair", "counts"),
    [
        # D: 2*128+128, 128*128+128, 128+1. G: 16*128+128, 128*128+128, 128*2+2.
        (networks.mlp_pair(), (17025, 18946)),
        # D: 16*32+32, 16*32*64+64, 49*64+1. G: 64*49*64 and 4 a channel; 16*64*32 and
        # 4 a channel; 16*32+1.
        (networks.dcgan_pair(), (36513, 234369)),
        (networks.dcgan_pair((64, 64, 3)), (694241, 953731)),
    ],
)
def test_parameter_counts(pair, counts):
    assert tuple(network.count_params() for network in pair) == counts


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("num_classes", [None, 4])
def test_keras_file_round_trip(pair, num_classes, tmp_path):
    spectral = spectral_if_possible(pair)
    for network in PAIRS[pair](num_classes=num_classes, **spectral):
        network(inputs_of(network), training=True)  # Moves the statistics.
        path = str(tmp_path / f"{network.name}.keras")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Of TensorFlow's variables under NumPy 2, whatever is saved.
            warnings.filterwarnings("ignore", ".*__array__", DeprecationWarning)
            network.save(path)
            loaded = keras.models.load_model(path)
        inputs = inputs_of(network, seed=1)
        np.testing.assert_array_equal(loaded(inputs), network(inputs))


@pytest.mark.parametrize("pair", PAIRS)
def test_mixed_precision_ends_in_float32(pair):
    spectral = spectral_if_possible(pair)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        networks_of_pair = PAIRS[pair](num_classes=4, seed=0, **spectral)
    finally:
        keras.config.set_dtype_policy(policy)
    exact = PAIRS[pair](num_classes=4, seed=0, **spectral)
    for network, reference in zip(networks_of_pair, exact, strict=True):
        assert network.layers[-1].compute_dtype == "float32"
        hidden = {layer.compute_dtype for layer in network.layers}
        assert "float16" in hidden
        inputs = inputs_of(network)
        outputs = network(inputs)
        assert outputs.dtype == tf.float32
        np.testing.assert_allclose(outputs, reference(inputs), rtol=0.05, atol=0.02)


@pytest.mark.parametrize("pair", IMAGE_PAIRS)
def test_stateless_call_is_the_network(pair):
    # Players are called with tensors for weights: frozen or live, eagerly or compiled.
    network, _ = PAIRS[pair](seed=0, **spectral_if_possible(pair))
    inputs = inputs_of(network)
    trainable = [variable.value for variable in network.trainable_variables]
    frozen = [variable.value for variable in network.non_trainable_variables]

    @tf.function(jit_compile=True)
    def compiled(trainable, frozen):
        return network.stateless_call(trainable, frozen, inputs, training=True)

    outputs, moved = compiled(trainable, frozen)
    expected = network(inputs, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    for left, right in zip(moved, network.non_trainable_variables, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


def test_halvings():
    assert building.halvings((28, 28, 1)) == (2, (7, 7))
    assert building.halvings((32, 32, 3)) == (3, (4, 4))
    assert building.halvings((64, 64, 3)) == (4, (4, 4))
    assert building.halvings((8, 12, 1)) == (1, (4, 6))
    assert building.halvings([48, 24, 1]) == (2, (12, 6))


@pytest.mark.parametrize("pair", IMAGE_PAIRS)
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (
            {"image_shape": (30, 30, 1)},
            ValueError,
            r"\(30, 30, 1\).*28 or 32.*image_size=",
        ),
        ({"image_shape": (7, 7, 1)}, ValueError, r"\(7, 7, 1\)"),
        ({"image_shape": (32, 36, 1)}, ValueError, r"\(32, 36, 1\)"),
        ({"image_shape": (28, 28)}, ValueError, r"height, width, channels"),
        ({"image_shape": (28, 28, 0)}, ValueError, r"image_shape=0"),
        ({"image_shape": (28.0, 28, 1)}, TypeError, r"image_shape=28.0"),
        ({"latent_dim": 0}, ValueError, r"latent_dim=0"),
        ({"base_filters": 0}, ValueError, r"base_filters=0"),
        ({"num_classes": 0}, ValueError, r"num_classes=0.*no labels"),
        ({"seed": -1}, ValueError, r"seed=-1"),
    ],
)
def test_errors(pair, arguments, error, match):
    with pytest.raises(error, match=match):
        IMAGE_PAIRS[pair](**arguments)


@pytest.mark.parametrize("pair", NORMALIZED_PAIRS)
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            {"discriminator_normalization": "batch"},
            r"'spectral', 'layer'.*'batch'.*None is valid",
        ),
        ({"generator_normalization": "layer"}, r"'batch'.*'layer'"),
    ],
)
def test_unknown_normalizations(pair, arguments, match):
    with pytest.raises(ValueError, match=match):
        IMAGE_PAIRS[pair](**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"data_dim": 0}, ValueError, "data_dim=0"),
        ({"width": 0}, ValueError, "width=0"),
        ({"depth": 1.5}, TypeError, "depth=1.5"),
        ({"activation": "rleu"}, ValueError, "'rleu'.*'tanh'"),
    ],
)
def test_mlp_errors(arguments, error, match):
    with pytest.raises(error, match=match):
        networks.mlp_pair(**arguments)


def test_mlp_is_a_composition_of_layers():
    discriminator, _ = networks.mlp_pair(width=5, depth=3, activation="tanh", seed=0)
    weights = discriminator.get_weights()
    x = points = inputs_of(discriminator).numpy()
    for kernel, bias in zip(weights[0:6:2], weights[1:6:2], strict=True):
        x = np.tanh(x @ kernel + bias)
    expected = x @ weights[6] + weights[7]
    np.testing.assert_allclose(discriminator(points), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("pair", "normalizations"),
    [
        *itertools.product(
            NORMALIZED_PAIRS, [("batch", None), (None, "spectral"), ("batch", "layer")]
        ),
        ("modern", None),
    ],
)
def test_the_global_image_format_does_not_matter(pair, normalizations):
    options = ("generator_normalization", "discriminator_normalization")
    if pair == "modern" and keras.__version__.startswith(("3.8.", "3.9.", "3.10.")):
        pytest.skip("This Keras' bilinear UpSampling2D ignores its data_format.")
    arguments = dict(zip(options, normalizations or (), strict=False))

    def outputs():
        players = IMAGE_PAIRS[pair](
            (12, 20, 3),
            5,
            base_filters=2,
            num_classes=4,
            seed=0,
            **arguments,
        )
        formats = {
            getattr(getattr(layer, "layer", layer), "data_format", "channels_last")
            for network in players
            for layer in network.layers
        }
        assert formats == {"channels_last"}
        # As a file has them: the setting of the machine that reads it is another one.
        copies = [keras.Model.from_config(network.get_config()) for network in players]
        for network, copy in zip(players, copies, strict=True):
            copy.set_weights(network.get_weights())
        return [
            np.array(network(inputs_of(network), training=True))
            for network in (*players, *copies)
        ]

    expected = outputs()
    keras.config.set_image_data_format("channels_first")
    for one, other in zip(outputs(), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert expected[1].shape == (3, 12, 20, 3)


def test_channels_first_shapes_are_told():
    with pytest.raises(
        ValueError, match=r"channels first\. Pass \(32, 32, 3\).*moveaxis"
    ):
        networks.dcgan_pair((3, 32, 32))
