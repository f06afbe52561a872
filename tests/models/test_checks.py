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
from keras_gamegan.models import shapes


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


def _fixed(*last, size):
    return keras.Sequential([keras.Input((size,), batch_size=32), *last])


def _built_by_a_call():
    model = keras.Sequential([layers.Dense(1)])
    model(np.ones((32, 2)))
    return model


# Of another package: what its classes say of themselves is all that is looked at.
_OF_KERAS_2 = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})


def _conditional(first, second, units):
    """A network of two inputs of these shapes, an integer where that is ()."""
    inputs = [
        keras.Input(shape, dtype="float32" if shape else "int32", name=name)
        for name, shape in (("first", first), ("second", second))
    ]
    parts = [
        tensor if len(tensor.shape) == 2 else layers.Embedding(3, 2)(tensor)
        for tensor in inputs
    ]
    outputs = layers.Dense(units)(layers.Concatenate()(parts))
    return keras.Model(inputs, outputs)


NETWORKS = {
    "two kinds of labels": (
        lambda: (_conditional((2,), (4,), 1), _conditional((3,), (), 2)),
        ValueError,
        r"a generator that takes labels of shape \(None,\) and a .*\(None, 4\)\. Give",
    ),
    "tf_keras": (
        lambda: (_OF_KERAS_2(), _generator()),
        TypeError,
        r"of type Sequential\)\. It is a model of tf_keras \(Keras 2\): build it with",
    ),
    "discriminator of fixed batch": (
        lambda: (_fixed(layers.Dense(1), size=2), _generator()),
        ValueError,
        r"The discriminator must take batches of any.*\(32, 2\), .*without batch_size",
    ),
    "built by a call": (
        lambda: (_built_by_a_call(), _generator()),
        ValueError,
        r"\(32, 2\), whose batch size is fixed.*by a first call",
    ),
    "no model": (
        lambda: (_discriminator(), lambda z: z),
        TypeError,
        r"`generator` must be a keras.Model .*of type function",
    ),
    "two outputs": (
        lambda: (_two_outputs(), _generator()),
        ValueError,
        r"`discriminator` must have one input.*1 inputs and 2 outputs\. There.*ACGAN",
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
    "swapped": (
        lambda: (_generator(), _discriminator(layers.Dense(1))),
        ValueError,
        r"The discriminator comes first.*returns shape \(None, 2\).*Swap them",
    ),
    "swapped images": (
        lambda: kgg.networks.dcgan_pair((28, 28, 1), 5, base_filters=2)[::-1],
        ValueError,
        r"comes first.*\(None, 28, 28, 1\).*Swap them",
    ),
    "swapped conditional networks": (
        lambda: kgg.networks.mlp_pair(2, 3, width=2, num_classes=4)[::-1],
        ValueError,
        r"comes first.*Swap them",
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
_ADAM_OF_KERAS_2 = type("Adam", (), {"__module__": "tf_keras.src.optimizers.adam"})()
# What is known from Keras and from guides, and what it is here.
COMPILE_HINTS = [
    ({"optimizer": "adam"}, TypeError, r"Received: optimizer=\. .*d_optimizer= and g_"),
    ({"metrics": ["mse"]}, TypeError, r"Received: metrics=.*callbacks\.Evaluate"),
    ({"loss_fn": BINARY}, TypeError, f"Received: loss_fn=.*{LOGITS}"),
    ({"generator_optimizer": "adam"}, TypeError, r"Pass g_optimizer="),
    ({"loss_weights": [1]}, TypeError, "Received: loss_weights=.*one game"),
    ({"augment": "color"}, TypeError, r"augment=.*belongs to the model: kgg\.GAN"),
    ({"seed": 0}, TypeError, r"Received: seed=\. The seed belongs to the model"),
    ({"penalties": "r1"}, TypeError, r"takes d_opt.*penalties=\. Check the spelling"),
    ({"a": 1, "optimizer": 2}, TypeError, r"Received: a=, optimizer=\. A GAN has two"),
    ({"loss": "bce"}, ValueError, LOGITS),
    (
        {"loss": keras.losses.BinaryCrossentropy(label_smoothing=0.2)},
        ValueError,
        r"on one side.*get\('non_saturating', label_smoothing=0\.1\)",
    ),
    (
        {"loss": keras.losses.BinaryCrossentropy(reduction="sum")},
        ValueError,
        r"mean over examples\. Received: BinaryCrossentropy\(reduction='sum'\)",
    ),
    ({"loss": keras.losses.MeanSquaredError()}, ValueError, 'loss="least_squares"'),
    ({"loss": keras.losses.Hinge()}, ValueError, 'loss="hinge"'),
    ({"loss": None}, ValueError, "Leave it out for the default"),
    ({"loss": kgg.payoffs.Hinge}, ValueError, r"Pass an object: Hinge\(\)"),
    (
        {"d_optimizer": _ADAM_OF_KERAS_2},
        ValueError,
        r"an optimizer of tf_keras \(Keras 2\)\. Pass, for instance, keras",
    ),
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
        ({"penalty": "r3"}, ValueError, "'r1', 'r2', 'gradient_penalty'.*penalty='r3'"),
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


GREY, COLOUR, POINTS = (None, 28, 28, 1), (None, 28, 28, 3), (None, 2)
NCHW = (None, 3, 28, 28)
HINTS = [
    # Shape of the data, of what the networks take, what to do.
    ((8, 28, 28), GREY, "channel axis to grey images: images[..., None]"),
    ((8, 28, 28), COLOUR, "np.repeat(images[..., None], 3, axis=-1)"),
    ((28, 28, 1), GREY, "Batch the data set: dataset.batch(32)"),
    ((28, 28, 3), COLOUR, "Batch the data set"),
    ((2,), POINTS, "Batch the data set"),
    ((8, 1, 28, 28), GREY, "channels come first: np.moveaxis(images, 1, -1)"),
    ((None, 3, 28, 28), COLOUR, "channels come first"),
    ((8, 28, 28, 3), NCHW, "take the channels first: np.moveaxis(images, -1, 1)"),
    ((8, 28, 28, 4), COLOUR, "RGBA as a rule: drop alpha, images[..., :3]"),
    ((8, 28, 28, 4), GREY, "images[..., :3].mean(axis=-1, keepdims=True)"),
    ((8, 28, 28, 1), COLOUR, "are grey: np.repeat(images, 3, axis=-1)"),
    ((8, 28, 28, 3), GREY, "are in colour: images.mean(axis=-1, keepdims=True)"),
    ((8, 32, 32, 1), GREY, "another size: resize them.*resize(images, (28, 28))"),
    ((None, 32, 32, 3), GREY, "another size"),
    ((8, 1, 28, 28, 1), GREY, "Drop the second axis: np.squeeze(data, axis=1)"),
    ((8, 28, 28, 1, 1), GREY, "Drop the last axis: np.squeeze(data, axis=-1)"),
    ((8, 4, 28, 28, 1), GREY, "batched twice: leave out one"),
    ((8, 2, 1), POINTS, "Drop the last axis"),
    ((8, 784), GREY, "data.reshape((-1, 28, 28, 1))"),
    ((8, 28, 28, 1), (None, 784), "data.reshape((-1, 784))"),
    ((8, 3), POINTS, "has 3 coordinates: build the networks for them"),
    ((8, 28, 28, 5), COLOUR, "Give the data that shape, or build the networks"),
    ((8,), GREY, "Give the data that shape"),
    ((), POINTS, "Give the data that shape"),
]


@pytest.mark.parametrize(("given", "taken", "hint"), HINTS, ids=str)
def test_what_is_wrong_with_a_shape(given, taken, hint):
    found = shapes.hint(given, taken)
    assert all(part in found for part in hint.split(".*"))
    assert shapes.hint(given, taken).endswith(".")


def test_an_open_discriminator_takes_what_the_generator_makes(make):
    discriminator = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(1, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    generator = _generator(layers.Dense(64), layers.Reshape((8, 8, 1)))
    gan = kgg.GAN(discriminator, generator)
    gan.compile(run_eagerly=True)
    coloured = kgg.GAN(
        _discriminator(layers.Flatten(), layers.Dense(1), shape=(8, 8, 3)),
        _generator(layers.Dense(192), layers.Reshape((8, 8, 3))),
    )
    message = r"\(None, 8, 8, 1\), as the generator makes it \(.*Received: shape \(4, 9"
    data = np.zeros((4, 9, 9, 1), "float32")
    for x in (
        data,
        tf.data.Dataset.from_tensors(data),
        _Sequence(np.zeros((16, 9, 9, 1))),
    ):
        with pytest.raises(ValueError, match=message.replace(r"\(4", r"\(\d")):
            gan.fit(x, verbose=0)
    with pytest.raises(
        ValueError, match=r"as the discriminator takes it.*\[\.\.\., :3\]"
    ):
        shapes.check(tf.TensorShape((4, 8, 8, 4)), coloured)
    gan.fit(data[:, :8, :8], verbose=0)


LABELS = {
    "out of range": (np.arange(32) % 5, "from 0 to 3, .*Received: labels from 0 to 4"),
    "one-hot": (np.eye(4)[np.arange(32) % 4], r"shape \(32, 4\).*argmax\(axis=-1\)"),
    "too few": (np.arange(30) % 4, "32 examples and 30 labels"),
    "of rank 3": (np.zeros((32, 2, 2)), "Received: labels of shape"),
    "text": (np.array(["a"] * 32), "must be numbers"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_that_cannot_be_trained_on(conditional, points, case):
    labels, match = LABELS[case]
    for given in (labels, labels.tolist()):
        with pytest.raises(ValueError, match=match):
            conditional.fit(points, given, verbose=0)
    # Of a data set only the shape and dtype are known.
    if case in ("one-hot", "of rank 3", "text"):
        dataset = tf.data.Dataset.from_tensor_slices((points, labels)).batch(32)
        with pytest.raises(ValueError, match=match.replace(r"\(32", r"\(None")):
            conditional.fit(dataset, verbose=0)
    assert conditional.num_steps == 0


def test_a_column_of_labels_is_not_refused(conditional, points):
    for labels in (np.arange(32) % 4, (np.arange(32) % 4)[:, None]):
        dataset = tf.data.Dataset.from_tensor_slices((points, labels)).batch(32)
        before = conditional.num_steps
        conditional.fit(points, labels, verbose=0)
        conditional.fit(dataset, verbose=0)
        assert conditional.num_steps == before + 2


@pytest.fixture(scope="module")
def conditional(make):
    return make(kind="conditional", compile={"run_eagerly": True})


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
    with pytest.warns(UserWarning, match="`y` is left unused. Leave it out, or build"):
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
