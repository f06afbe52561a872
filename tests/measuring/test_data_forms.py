"""Every form of real data gives the same batches, or says what to hand over instead."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.measuring import data_forms

DATA = np.random.default_rng(0).normal(size=(70, 2)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 70)
IMAGES = np.random.default_rng(2).uniform(-1, 1, (70, 4, 4, 1)).astype("float32")

POINT = [keras.Input((2,), name="image")]
PAIR = [*POINT, keras.Input((), dtype="int32", name="label")]
COLUMN = [*POINT, keras.Input((1,), dtype="int32", name="label")]
PICTURE = [keras.Input((4, 4, 1), name="image")]


class Batches(keras.utils.PyDataset):
    """Batches of 30 of whatever the arrays are put into."""

    def __init__(self, *arrays, form=tuple):
        super().__init__()
        self._arrays, self._form = arrays, form

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self._form(a[30 * index : 30 * index + 30] for a in self._arrays)


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return DATA


def only(arrays):
    (array,) = arrays
    return array


def dataset(elements):
    return tf.data.Dataset.from_tensor_slices(elements).batch(32)


def stream(*arrays):
    options = {"batch_size": 32, "drop_remainder": False}
    return kgg.datasets.ShuffledStream(*arrays, shuffle=False, **options)


def parts(*arrays):
    return (tuple(a[i : i + 32] for a in arrays) for i in (0, 32, 64))


def read(data, inputs, size=32):
    found = list(data_forms.batches("real_data", data, inputs, size))
    labels = [labels for _, labels in found]
    whole = None if labels[0] is None else np.concatenate(labels)
    return np.concatenate([part for part, _ in found]), whole


FORMS = {
    "array": lambda x, y: x,
    "tensor": lambda x, y: tf.constant(x),
    "nested list": lambda x, y: x.tolist(),
    "(x,)": lambda x, y: (x,),
    "data set": lambda x, y: dataset(x),
    "data set of (x,)": lambda x, y: dataset((x,)),
    "data set of dictionaries": lambda x, y: dataset({"image": x, "label": y}),
    "dictionary": lambda x, y: {"image": x},
    "PyDataset": lambda x, y: Batches(x, form=only),
    "PyDataset of (x,)": lambda x, y: Batches(x),
    "generator": lambda x, y: (batch for (batch,) in parts(x)),
    "generator of (x,)": lambda x, y: parts(x),
    "iterator of tensors": lambda x, y: iter(dataset(x)),
    "stream": lambda x, y: stream(x),
    "stream's epochs": lambda x, y: stream(x).epochs(),
}
LABELED = {
    "pair": lambda x, y: (x, y),
    "list": lambda x, y: [x, y],
    "with weights": lambda x, y: (x, y, np.ones(70)),
    "data set": lambda x, y: dataset((x, y)),
    "nested": lambda x, y: dataset(((x, y),)),
    "data set of dictionaries": lambda x, y: dataset({"label": y, "image": x}),
    "dictionary": lambda x, y: {"image": x, "label": y},
    "PyDataset": lambda x, y: Batches(x, y),
    "generator": lambda x, y: parts(x, y),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_alone(form):
    data, labels = read(FORMS[form](DATA, LABELS), POINT)
    np.testing.assert_array_equal(data, DATA)
    assert labels is None


@pytest.mark.parametrize("form", LABELED)
@pytest.mark.parametrize("shape", [(70,), (70, 1)])
@pytest.mark.parametrize("inputs", [PAIR, COLUMN])
def test_data_with_labels(form, shape, inputs):
    given = LABELED[form](DATA, LABELS.reshape(shape))
    data, labels = read(given, inputs)
    np.testing.assert_array_equal(data, DATA)
    expected = LABELS.reshape(70, *inputs[1].shape[1:])
    np.testing.assert_array_equal(labels, expected, strict=True)


@pytest.mark.parametrize("form", LABELED)
def test_labels_that_the_model_does_not_take_are_left_out(form):
    data, labels = read(LABELED[form](DATA, LABELS), POINT)
    np.testing.assert_array_equal(data, DATA)
    assert labels is None


def test_labels_of_other_shapes():
    one_hot = [*POINT, keras.Input((3,), name="label")]
    rows = np.eye(3)[LABELS]
    np.testing.assert_array_equal(read((DATA, rows), one_hot)[1], rows)
    x, y = read(stream(DATA, LABELS), PAIR)
    np.testing.assert_array_equal(x, DATA)
    np.testing.assert_array_equal(y, LABELS)


def test_a_stream_is_read_from_its_beginning_and_does_not_move():
    shuffled = kgg.datasets.ShuffledStream(DATA, batch_size=7, seed=1)
    epochs = shuffled.epochs()
    for _ in range(2):
        first, _ = read(epochs, POINT)
        second, _ = read(shuffled, POINT)
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, DATA)
    np.testing.assert_array_equal(np.sort(first, axis=0), np.sort(DATA, axis=0))
    np.testing.assert_array_equal(np.concatenate(list(epochs)), first)


def spent():
    iterator = iter([DATA])
    list(iterator)
    return iterator


BAD = {
    "other keys": (
        lambda: dataset({"picture": DATA, "digit": LABELS}),
        PAIR,
        r"keys \['image', 'label'\].*Received: keys \['picture', 'digit'\]\. Map them: "
        r"dataset\.map\(lambda e: \(e\['picture'\], e\['digit'\]\)\)",
    ),
    "key missing": (
        lambda: dataset({"image": DATA}),
        PAIR,
        r"Received: keys \['image'\]",
    ),
    "list of images": (lambda: list(IMAGES), PICTURE, r"70 single.*np\.stack\(real_d"),
    "two images": (lambda: list(IMAGES[:2]), PICTURE, r"a list of 2 single examples"),
    "two labeled images": (lambda: tuple(DATA[:2]), PAIR, r"a tuple of 2 single exam"),
    "list of batches": (lambda: [DATA] * 4, POINT, r"list of 4 parts.*np\.concatenat"),
    "unbatched": (
        lambda: tf.data.Dataset.from_tensor_slices(IMAGES),
        PICTURE,
        r"\(None, 4, 4, 1\).*Received: shape \(4, 4, 1\)\. That is one example\. Batch",
    ),
    "unbatched with labels": (
        lambda: tf.data.Dataset.from_tensor_slices((DATA, LABELS)),
        PAIR,
        r"Received: shape \(2,\)\. That is one example\. Batch",
    ),
    "another shape": (lambda: IMAGES[..., 0], PICTURE, r"images\[\.\.\., None\]"),
    "endless data set": (lambda: dataset(DATA).repeat(), POINT, "an endless tf.data"),
    "endless stream": (lambda: stream(DATA).endless(), POINT, "an endless tf.data"),
    "endless PyDataset": (Endless, POINT, "an endless PyDataset"),
    "spent generator": (spent, POINT, "one that was read before"),
    "no labels": (lambda: DATA, PAIR, r"Received: data alone\. Pass a pair"),
    "fewer labels": (lambda: (DATA, LABELS[:9]), PAIR, "70 examples and 9 labels"),
    "fewer labels in a batch": (
        lambda: iter([(DATA, LABELS[:9])]),
        PAIR,
        "70 examples and 9 labels",
    ),
    "one-hot labels": (
        lambda: (DATA, np.eye(3)[LABELS]),
        COLUMN,
        r"shape \(None, 1\).*Received: shape \(32, 3\)",
    ),
    "a path": (lambda: "images/", POINT, "Received: real_data='images/'"),
    "words": (lambda: np.array([["a", "b"]]), POINT, "must hold numbers"),
    "an object": (object, POINT, "Received: an object of type object"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    make, inputs, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        read(make(), inputs)


def test_the_gap_and_the_payoffs_take_the_same_forms():
    pair = kgg.networks.mlp_pair(2, latent_dim=4, width=8, num_classes=3, seed=1)
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    more = np.random.default_rng(5).normal(size=(70, 2)).astype("float32")
    keys = [each.name for each in gan.discriminator.inputs]
    forms = [
        ((DATA, LABELS), (more, LABELS)),
        (
            dataset(dict(zip(keys, (DATA, LABELS), strict=True))),
            Batches(more, LABELS[:, None]),
        ),
    ]
    arguments = {"num_steps": 1, "batch_size": 32, "seed": 0, "verbose": 0}
    one, other = (kgg.duality_gap(gan, *form, **arguments).gap for form in forms)
    assert one == other
    tables = [
        kgg.payoff_matrix(gan, data, batch_size=32).values
        for data in ((DATA, LABELS), parts(DATA, LABELS))
    ]
    np.testing.assert_array_equal(*tables)
    for measure in (
        lambda data: kgg.duality_gap(gan, data, (more, LABELS), **arguments),
        lambda data: kgg.payoff_matrix(gan, data, batch_size=32),
    ):
        with pytest.raises(ValueError, match=r"`(finding_)?data` must .*np\.stack"):
            measure(list(DATA))


def test_data_that_the_generator_cannot_reach_are_told():
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh")])
    gan = kgg.GAN(discriminator, generator, seed=0)
    gan.compile()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 2)).astype("uint8")
    with pytest.warns(UserWarning, match=r"only reaches \[-1, 1\].*x / 127\.5 - 1"):
        kgg.payoff_matrix(gan, pixels, batch_size=32)
