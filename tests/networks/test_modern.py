import math

import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.networks import grouped

TINY = {"latent_dim": 3, "base_filters": 2, "num_blocks": 1, "seed": 0}


def small(shape=(8, 8, 1), **arguments):
    return kgg.networks.modern_pair(shape, **{**TINY, **arguments})


@pytest.mark.parametrize(
    "shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3), (128, 128, 1), (24, 36, 2)]
)
def test_shapes(shape):
    discriminator, generator = small(shape)
    assert discriminator.input_shape == (None, *shape)
    assert generator.output_shape == (None, *shape)
    assert discriminator.output_shape == (None, 1)
    made = generator(np.random.default_rng(0).normal(size=(2, 3)))
    assert np.abs(made).max() <= 1.0 and np.std(made) > 0.01
    assert np.isfinite(discriminator(made)).all()


def test_groups_are_blocks_of_a_dense_convolution():
    layer = grouped.GroupedConvolution(6, group_size=2, kernel_size=3)
    images = np.random.default_rng(0).normal(size=(2, 5, 4, 6)).astype("float32")
    found = layer(images)
    layer.bias.assign(np.arange(6.0))
    kernel = np.zeros((3, 3, 6, 6), "float32")
    for group in range(3):
        place = slice(2 * group, 2 * group + 2)
        kernel[:, :, place, place] = np.array(layer.kernel)[..., place]
    dense = keras.layers.Conv2D(6, 3, padding="same", data_format="channels_last")
    dense.build(images.shape)
    dense.set_weights([kernel, np.zeros(6)])
    np.testing.assert_allclose(found, dense(images), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        layer(images), dense(images) + np.arange(6.0), rtol=1e-4, atol=1e-5
    )


def test_a_network_begins_as_its_skeleton():
    for network in small((16, 16, 1), num_blocks=2):
        adds = [each for each in network.layers if isinstance(each, keras.layers.Add)]
        assert len(adds) == 2 * 3
        tensors = [tensor for add in adds for tensor in (*add.input, add.output)]
        probe = keras.Model(network.input, tensors)
        shape = network.input_shape[1:]
        inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
        values = [np.array(each) for each in probe(inputs)]
        for before, branch, after in zip(
            values[::3], values[1::3], values[2::3], strict=True
        ):
            np.testing.assert_array_equal(branch, np.zeros_like(branch))
            np.testing.assert_array_equal(before, after)


def test_initial_variances():
    discriminator, _ = small((16, 16, 1), base_filters=64, num_blocks=2)
    blocks = 2 * 3
    kernels = [
        (each.kernel, math.prod(each.kernel.shape[:-1]))
        for each in discriminator.layers
        if isinstance(each, grouped.GroupedConvolution)
    ]
    assert len(kernels) == blocks
    # Groups of 16 channels, 3 x 3 pixels.
    assert {fan for _, fan in kernels} == {144}
    for kernel, fan in kernels:
        expected = 2 / 1.04 / fan / math.sqrt(blocks)
        assert np.var(kernel) == pytest.approx(expected, rel=0.05)


def count(width, channels=1, levels=(1, 2)):
    """Parameters of the discriminator of 8 x 8 images, by hand."""
    total = channels * width
    for level in levels:
        now, inner = width * level, 2 * width * level
        if level > 1:
            total += now // 2 * now
        group = math.gcd(inner, 16)
        total += now * inner + inner + 9 * group * inner + inner + inner * now
    last = width * levels[-1]
    return total + 16 * last + last + 1


@pytest.mark.parametrize("width", [2, 16])
def test_parameters(width):
    discriminator, _ = small(base_filters=width)
    assert discriminator.count_params() == count(width)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_every_weight_learns_under_both_penalties(jit_compile):
    networks = small(num_classes=3)
    gan = kgg.GAN(*networks, seed=0)
    gan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1),
        loss="relativistic",
        penalty=["r1", "r2"],
        jit_compile=jit_compile,
    )
    before = [[np.array(w) for w in each.trainable_weights] for each in networks]
    data = np.random.default_rng(0).uniform(-1, 1, (48, 8, 8, 1)).astype("float32")
    gan.fit(data, np.arange(48) % 3, batch_size=8, verbose=0)
    for network, weights in zip(networks, before, strict=True):
        for old, new in zip(weights, network.trainable_weights, strict=True):
            # A constant added to all logits is nothing to a relativistic loss.
            if new.shape == (1,) and network is networks[0]:
                continue
            assert np.any(old != np.array(new)), new.path


def test_classes_enter_as_a_projection():
    discriminator, _ = small(num_classes=3)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32")
    embedding = next(
        each
        for each in discriminator.layers
        if isinstance(each, keras.layers.Embedding)
    )
    flat = next(
        each for each in discriminator.layers if isinstance(each, keras.layers.Flatten)
    )
    features = keras.Model(discriminator.inputs, flat.output)
    labels = np.array([0, 2, 1])
    projected = discriminator([images, labels]) - discriminator([images, labels * 0])
    vectors = np.array(embedding.embeddings)
    phi = np.array(features([images, labels]))
    expected = np.sum((vectors[labels] - vectors[0]) * phi, axis=1)
    np.testing.assert_allclose(projected[:, 0], expected, rtol=1e-4, atol=1e-6)


# Files of Keras 3.10 make a list of a single input, and warn of it.
@pytest.mark.filterwarnings("ignore:(?s).*structure of `inputs` doesn't match")
def test_files_and_float16(tmp_path):
    for number, network in enumerate(small()):
        path = tmp_path / f"{number}.keras"
        network.save(path)
        shape = network.input_shape[1:]
        inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
        loaded = keras.models.load_model(path)
        np.testing.assert_array_equal(loaded(inputs), network(inputs))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = kgg.GAN(*small(), seed=0)
        gan.compile("adam", "adam", loss="relativistic", penalty="r1")
        data = np.zeros((8, 8, 8, 1), "float32")
        data[0] = 1.0
        logs = gan.fit(data - 0.5, verbose=0).history
    finally:
        keras.config.set_dtype_policy(before)
    assert np.isfinite(logs["d_loss"]).all()
    assert gan.discriminator.output.dtype == gan.generator.output.dtype == "float32"


def test_one_seed_gives_one_pair():
    one, other, third = small(), small(), small(seed=1)
    for left, right, different in zip(one, other, third, strict=True):
        for a, b in zip(left.weights, right.weights, strict=True):
            np.testing.assert_array_equal(np.array(a), np.array(b))
        assert np.any(np.array(left.weights[0]) != np.array(different.weights[0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (27, 27, 1)}, r"`image_shape` must have a shorter side.*Received"),
        ({"latent_dim": 0}, r"`latent_dim` must.*Received: latent_dim=0"),
        ({"base_filters": 0}, r"`base_filters` must.*Received: base_filters=0"),
        ({"num_blocks": 0}, r"`num_blocks` must.*Received: num_blocks=0"),
        ({"num_classes": 0}, r"`num_classes` must.*Received: num_classes=0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)


def test_a_group_that_does_not_fit():
    with pytest.raises(ValueError, match=r"`group_size` must divide.*group_size=4"):
        grouped.GroupedConvolution(6, group_size=4, kernel_size=3)
