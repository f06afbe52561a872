"""Data that a GAN cannot be trained on, and what is said of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.models.step import data_checks
from tests.models import sequences


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


def test_masked_numbers_are_no_data(conditional, points):
    masked = np.ma.masked_equal(np.arange(32) % 4, 1)
    holes = np.ma.masked_greater(points[:32], 1.0)
    latents = np.ma.masked_less(np.zeros((32, *conditional.latent_shape)), 1.0)
    calls = (
        lambda: conditional.fit(points[:32], masked, verbose=0),
        lambda: conditional.fit([points[:32], masked], verbose=0),
        lambda: conditional.evaluate(points[:32], masked, verbose=0),
        lambda: conditional.fit(holes, masked.filled(0), verbose=0),
        lambda: kgg.duality_gap(conditional, (points[:8], masked[:8]), points[8:]),
        lambda: kgg.duality_gap(conditional, (holes, masked.filled(0)), points),
        lambda: conditional.train_on_batch(holes, masked.filled(0)),
        lambda: conditional.train_on_batch(x=points[:32], y=masked),
        lambda: conditional.test_on_batch(points[:32], masked),
        lambda: conditional.predict([latents, masked], verbose=0),
        lambda: conditional.predict_on_batch([latents, masked]),
        lambda: conditional.sample(labels=masked),
        lambda: conditional.sample(latents=latents, labels=masked.filled(0)),
        lambda: conditional.interpolate(32, labels=masked),
    )
    for call in calls:
        with pytest.raises(TypeError, match=r"all there. Received: a masked array"):
            call()
    assert conditional.num_steps == 0


def test_masks_that_mask_nothing_are_no_harm(conditional, points):
    labels = np.ma.array(np.arange(32) % 4)
    latents = np.ma.zeros((32, *conditional.latent_shape))
    conditional.train_on_batch(np.ma.array(points[:32]), labels)
    expected = conditional.sample(latents=latents.data, labels=labels.data)
    for found in (
        conditional.sample(latents=latents, labels=labels),
        conditional.predict([latents, labels], verbose=0),
        conditional.predict_on_batch([latents, labels]),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


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
        lambda x: sequences.Sequence(x),
    ],
)
def test_labels_are_missing(make, points, data):
    gan = make(kind="conditional", compile={"run_eagerly": True})
    with pytest.raises(
        ValueError, match=r"need elements \(data, labels\).*fit\(images"
    ):
        gan.fit(data(points), verbose=0)


def test_other_kinds_of_data(make, points):
    gan = make(kind="linear", compile={"run_eagerly": True})
    gan.fit(sequences.Sequence(points), verbose=0)
    assert gan.num_steps == 2
    # Integers, and labels that unconditional networks have no use for.
    with pytest.warns(UserWarning, match="`y` is left unused. Leave it out, or build"):
        gan.fit(np.ones((8, 2), "int32"), np.arange(8), verbose=0)
    assert gan.num_steps == 3
    with pytest.raises(ValueError, match=r"Received: shape \(8, 1\)"):
        gan.fit(sequences.Sequence(points[:, :1]), verbose=0)


GREY, COLOUR, POINTS = (None, 28, 28, 1), (None, 28, 28, 3), (None, 2)
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
    found = data_checks.hint(given, taken)
    assert all(part in found for part in hint.split(".*"))
    assert data_checks.hint(given, taken).endswith(".")


def test_an_open_discriminator_takes_what_the_generator_makes(make):
    discriminator = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(1, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [keras.Input((3,)), layers.Dense(64), layers.Reshape((8, 8, 1))]
    )
    gan = kgg.GAN(discriminator, generator)
    gan.compile(run_eagerly=True)
    coloured = kgg.GAN(
        keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(1)]),
        keras.Sequential(
            [keras.Input((3,)), layers.Dense(192), layers.Reshape((8, 8, 3))]
        ),
    )
    message = r"\(None, 8, 8, 1\), as the generator makes it \(.*Received: shape \(4, 9"
    data = np.zeros((4, 9, 9, 1), "float32")
    for x in (
        data,
        tf.data.Dataset.from_tensors(data),
        sequences.Sequence(np.zeros((16, 9, 9, 1))),
    ):
        with pytest.raises(ValueError, match=message.replace(r"\(4", r"\(\d")):
            gan.fit(x, verbose=0)
    with pytest.raises(
        ValueError, match=r"as the discriminator takes it.*\[\.\.\., :3\]"
    ):
        data_checks.check_shape(tf.TensorShape((4, 8, 8, 4)), coloured)
    gan.fit(data[:, :8, :8], verbose=0)
