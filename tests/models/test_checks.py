"""Everything a newcomer may get wrong is answered with what to do."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.models import checks


def _discriminator(*last, shape=(2,)):
    return keras.Sequential([keras.Input(shape), *(last or [layers.Dense(1)])])


def _generator(*last, latent=3):
    return keras.Sequential([keras.Input((latent,)), *(last or [layers.Dense(2)])])


def _shared():
    layer = layers.Dense(2)
    return (
        keras.Sequential([keras.Input((2,)), layer, layers.Dense(1)]),
        keras.Sequential([keras.Input((2,)), layer]),
    )


def _two_outputs():
    inputs = keras.Input((2,))
    return keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])


def _labelled(size):
    inputs = [keras.Input((size,)), keras.Input((), dtype="int32")]
    label = layers.Embedding(3, 2)(inputs[1])
    return keras.Model(
        inputs, layers.Dense(1)(layers.Concatenate()([inputs[0], label]))
    )


NETWORKS = {
    "no model": (
        lambda: (_discriminator(), lambda z: z),
        TypeError,
        r"`generator` must be a keras.Model .*of type function",
    ),
    "not built": (
        lambda: (keras.Sequential([layers.Dense(1)], name="critic"), _generator()),
        ValueError,
        r"`discriminator` must be a functional.*'critic', which is not built\. Give a",
    ),
    "two outputs": (
        lambda: (_two_outputs(), _generator()),
        ValueError,
        "`discriminator` must have one input.*1 inputs and 2 outputs",
    ),
    "shapes": (
        lambda: (_discriminator(), _generator(layers.Dense(5))),
        ValueError,
        r"must fit .*returns shape \(None, 5\) and a discr.* that takes \(None, 2",
    ),
    "ranks": (
        lambda: (
            _discriminator(layers.Flatten(), layers.Dense(1), shape=(4, 4, 1)),
            _generator(),
        ),
        ValueError,
        "generator's output must fit the discriminator's input",
    ),
    "two logits": (
        lambda: (_discriminator(layers.Dense(2)), _generator()),
        ValueError,
        r"must end in one logit .*has shape \(None, 2\)\. End it with keras",
    ),
    "a logit a pixel": (
        lambda: (_discriminator(layers.Reshape((2, 1)), layers.Dense(1)), _generator()),
        ValueError,
        r"must end in one logit .*has shape \(None, 2, 1\)",
    ),
    "shared layers": (
        _shared,
        ValueError,
        r"must not share layers.*dense.*/kernel.*Build two",
    ),
    "one network": (
        lambda: (network := _discriminator(), network),
        ValueError,
        "must not share layers",
    ),
    "labels for one": (
        lambda: (_labelled(2), _generator()),
        ValueError,
        r"with 2 input\(s\) and a generator with 1\. Give labels to both or to none",
    ),
    "open latents": (
        lambda: (
            _discriminator(),
            keras.Sequential([keras.Input((None, 2)), layers.GlobalAveragePooling1D()]),
        ),
        ValueError,
        r"latent input must have a static shape.*\(None, None, 2\)",
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_networks_that_cannot_play(case):
    build, error, match = NETWORKS[case]
    discriminator, generator = build()
    with pytest.raises(error, match=match):
        kgg.GAN(discriminator, generator)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softmax"])
def test_a_squashed_logit_warns(activation):
    with pytest.warns(UserWarning, match=f"should return a logit.*'{activation}'"):
        kgg.GAN(_discriminator(layers.Dense(1, activation=activation)), _generator())


def test_an_activation_layer_at_the_end_warns_too():
    last = [layers.Dense(1), layers.Activation("sigmoid")]
    with pytest.warns(UserWarning, match="should return a logit"):
        kgg.GAN(_discriminator(*last), _generator())


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ([layers.Dense(2)], None),
        ([layers.Dense(2, activation="tanh"), layers.Reshape((2,))], "tanh"),
        ([layers.Dense(2), layers.ReLU()], "relu"),
        ([layers.Dense(2), layers.LeakyReLU()], None),
        (
            [keras.Sequential([keras.Input((3,)), layers.Dense(2, "sigmoid")])],
            "sigmoid",
        ),
        (
            [layers.SpectralNormalization(layers.Dense(2, activation="softplus"))],
            "softplus",
        ),
    ],
)
def test_last_activation(last, name):
    assert checks.last_activation(_generator(*last)) == name
    ranges = {None: None, "tanh": (-1, 1), "sigmoid": (0, 1)}
    if name in ranges:
        assert checks.reachable_range(_generator(*last)) == ranges[name]


CONSTRUCTOR = [
    ({"latent_dim": 4}, ValueError, r"latents of shape \(3,\)\. Leave latent_dim out"),
    ({"latent_dim": 0}, ValueError, "`latent_dim` must be an integer of at least 1"),
    ({"latent_dim": "3"}, TypeError, "Received: latent_dim='3'"),
    ({"updates": "both"}, ValueError, "'alternating', 'simultaneous'.*updates='both'"),
    (
        {"discriminator_steps": 0},
        ValueError,
        "`discriminator_steps` must be an integer",
    ),
    ({"generator_steps": 1.5}, TypeError, "Received: generator_steps=1.5"),
    (
        {"updates": "simultaneous", "discriminator_steps": 2},
        ValueError,
        'Use 1 and 1, or updates="alternating"',
    ),
    ({"average_decay": 1.0}, ValueError, r"`average_decay` must be a number in \[0, "),
    ({"average_decay": -0.1}, ValueError, "Received: average_decay=-0.1"),
    ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
    ({"seed": 1.5}, TypeError, "`seed` must be an integer"),
]


@pytest.mark.parametrize(("arguments", "error", "match"), CONSTRUCTOR)
def test_constructor(networks, arguments, error, match):
    with pytest.raises(error, match=match):
        kgg.GAN(*networks("linear"), **arguments)


def test_latent_dim_may_be_said(networks):
    assert kgg.GAN(*networks("linear"), 3).latent_dim == 3
    wide = keras.Sequential([keras.Input((2, 2)), layers.Flatten(), layers.Dense(2)])
    gan = kgg.GAN(_discriminator(), wide, latent_dim=4)
    assert gan.latent_dim == (2, 2)


@pytest.mark.parametrize(
    ("model", "arguments", "error", "match"),
    [
        (
            kgg.DualityGapGAN,
            {"best_response": 5},
            TypeError,
            r"must be a kgg.BestResponse\. Received: best_response=5\. Pass",
        ),
        (
            kgg.FictitiousGAN,
            {"history": 5},
            TypeError,
            r"must be a kgg.History\. Received: history=5\. Pass",
        ),
        (
            kgg.FictitiousGAN,
            {"mixture": "mean"},
            ValueError,
            "'sampled', 'sliced', 'full'.*'mean'",
        ),
    ],
)
def test_constructors_of_the_others(networks, model, arguments, error, match):
    with pytest.raises(error, match=match):
        model(*networks("linear"), **arguments)


LOGITS = r'loss="non_saturating" is binary cross-entropy on logits'
BINARY = keras.losses.BinaryCrossentropy(from_logits=True)
# What is known from Keras and from guides, and what it is here.
COMPILE_HINTS = [
    ({"optimizer": "adam"}, TypeError, r"Received: optimizer=\. .*d_optimizer= and g_"),
    ({"metrics": ["mse"]}, TypeError, r"Received: metrics=.*callbacks\.Evaluate"),
    ({"loss_fn": BINARY}, TypeError, f"Received: loss_fn=.*{LOGITS}"),
    ({"generator_optimizer": "adam"}, TypeError, r"Pass g_optimizer="),
    ({"loss_weights": [1]}, TypeError, "Received: loss_weights=.*one game"),
    ({"penalties": "r1"}, TypeError, r"takes d_opt.*penalties=\. Check the spelling"),
    ({"a": 1, "optimizer": 2}, TypeError, r"Received: a=, optimizer=\. A GAN has two"),
    ({"loss": BINARY}, ValueError, LOGITS),
    ({"loss": "binary_crossentropy"}, ValueError, LOGITS),
    ({"loss": "bce"}, ValueError, LOGITS),
    ({"loss": keras.losses.binary_crossentropy}, ValueError, LOGITS),
    ({"loss": keras.losses.MeanSquaredError()}, ValueError, 'loss="least_squares"'),
    ({"loss": keras.losses.Hinge()}, ValueError, 'loss="hinge"'),
    ({"loss": None}, ValueError, "Leave it out for the default"),
    ({"loss": kgg.payoffs.Hinge}, ValueError, r"Pass an object: Hinge\(\)"),
    (
        {"g_optimizer": keras.optimizers.Adam},
        ValueError,
        r"class .*Adam'>, a class and no object\. Pass, for instance",
    ),
    (
        {"d_optimizer": tf.compat.v1.train.AdamOptimizer(0.1)},
        ValueError,
        r"an optimizer of TensorFlow 1 \(tf.compat.v1\)\. Pass, for",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"loss": "gan"}, ValueError, "'minimax', 'non_saturating'.*loss='gan'"),
        ({"penalty": "r2"}, ValueError, "'r1', 'gradient_penalty'.*penalty='r2'"),
        (
            {"d_optimizer": "best"},
            ValueError,
            "`d_optimizer` must be a Keras optimizer",
        ),
        (
            {"steps_per_execution": 0},
            ValueError,
            "`steps_per_execution` must be an int",
        ),
        *COMPILE_HINTS,
    ],
)
def test_compile(networks, arguments, error, match):
    gan = kgg.GAN(*networks("linear"))
    with pytest.raises(error, match=match):
        gan.compile(**arguments)
    assert not gan.compiled


def test_fit_before_compile(networks, points):
    with pytest.raises(ValueError, match=r"compile\(\) must be called before fit\(\)"):
        kgg.GAN(*networks("linear")).fit(points)


def _nan(points):
    bad = points.copy()
    bad[3, 0], bad[5, 1] = np.nan, np.inf
    return bad


DATA = {
    "nan": (_nan, "an array with 2 NaN or infinite value.s. of 64"),
    "a tensor": (lambda x: tf.constant(_nan(x)), "2 NaN or infinite"),
    "no examples": (lambda x: x[:0], r"at least one example.*shape \(0, 2\)"),
    "no batches": (
        lambda x: tf.data.Dataset.from_tensor_slices(x).batch(64, drop_remainder=True),
        "a tf.data.Dataset of cardinality 0.*batch size may exceed",
    ),
    "not batched": (
        lambda x: tf.data.Dataset.from_tensor_slices(x),
        r"in batches of shape \(None, 2\).*Received: shape \(2,\)\. Batch the data",
    ),
    "misshapen": (lambda x: x[:, :1], r"Received: shape \(32, 1\)"),
    "no channels": (lambda x: np.zeros((4, 8, 8)), r"Received: shape \(4, 8, 8\)"),
    "weights": (
        lambda x: tf.data.Dataset.from_tensors((x, x, x)),
        "takes no sample weights",
    ),
}


@pytest.fixture(scope="module")
def linear(make):
    return make(kind="linear", compile={"run_eagerly": True})


@pytest.mark.parametrize("case", DATA)
def test_data_that_cannot_be_trained_on(linear, points, case):
    spoil, match = DATA[case]
    with pytest.raises(ValueError, match=match):
        linear.fit(spoil(points), verbose=0)
    assert linear.num_steps == 0


@pytest.mark.parametrize(
    "data",
    [
        lambda x: x,
        lambda x: tf.data.Dataset.from_tensors(x),
        lambda x: _Sequence(x),
    ],
)
def test_labels_are_missing(make, points, data):
    gan = make(kind="conditional", compile={"run_eagerly": True})
    with pytest.raises(
        ValueError, match=r"need elements \(data, labels\).*fit\(images"
    ):
        gan.fit(data(points), verbose=0)


class _Sequence(keras.utils.PyDataset):
    """Data of which nothing is known before the first batch."""

    def __init__(self, x):
        super().__init__()
        self._x = x

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self._x[index * 8 : index * 8 + 8]


def test_other_kinds_of_data(make, points):
    gan = make(kind="linear", compile={"run_eagerly": True})
    gan.fit(_Sequence(points), verbose=0)
    assert gan.num_steps == 2
    # Integers, and labels that unconditional networks have no use for.
    gan.fit(np.ones((8, 2), "int32"), np.arange(8), verbose=0)
    assert gan.num_steps == 3
    with pytest.raises(ValueError, match=r"Received: shape \(8, 1\)"):
        gan.fit(_Sequence(points[:, :1]), verbose=0)


def test_another_backend():
    # Keras' other backends are not installed: a stand-in says it runs on one.
    code = """
import sys, types
keras = types.ModuleType("keras")
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
sys.modules["keras"] = keras
import keras_gamegan
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=pathlib.Path(kgg.__file__).parents[1],
    )
    assert result.returncode != 0
    assert "ValueError: keras_gamegan runs on Keras' TensorFlow" in result.stderr
    assert "Received: keras.backend.backend() == 'jax'" in result.stderr
    assert "KERAS_BACKEND=tensorflow" in result.stderr
