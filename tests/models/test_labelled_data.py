"""Networks and data in every form that Keras takes: each trains as the plain one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(32, 2)).astype("float32")
LABELS = (np.arange(32) % 3).astype("int32")


def network(main, width, units, form, name="label", label_shape=()):
    """A conditional network whose inputs stand in a list or a dictionary."""
    data = keras.Input((width,), name=main)
    label = keras.Input(label_shape, dtype="int32", name=name)
    embedded = layers.Embedding(3, 4)(label)
    if label_shape:
        embedded = layers.Flatten()(embedded)
    outputs = layers.Dense(units)(layers.Concatenate()([data, embedded]))
    inputs = {
        "list": [data, label],
        "reversed": [label, data],
        "dictionary": {main: data, name: label},
    }
    return keras.Model(inputs[form], outputs)


def trained(form_of_d="list", form_of_g="list", x=DATA, y=LABELS, **networks):
    keras.utils.set_random_seed(0)
    gan = kgg.GAN(
        network("image", 2, 1, form_of_d, **networks),
        network("z", 4, 2, form_of_g, **networks),
        seed=0,
    )
    gan.compile("sgd", "sgd", penalty="r1", run_eagerly=True)
    gan.fit(x, y, shuffle=False, verbose=0)
    return gan


@pytest.fixture(scope="module")
def plain():
    return trained()


def assert_equal(gan, plain):
    weights = [sorted(map(np.sum, each.get_weights())) for each in (gan, plain)]
    np.testing.assert_allclose(*weights, rtol=1e-6)
    for labels in (LABELS[:5], LABELS[:5, None]):
        np.testing.assert_allclose(
            gan.sample(5, seed=1, labels=labels),
            plain.sample(5, seed=1, labels=LABELS[:5]),
            rtol=1e-5,
        )


@pytest.mark.parametrize(
    "forms",
    [("list", "reversed"), ("reversed", "list"), ("dictionary", "dictionary")],
    ids=str,
)
def test_the_order_of_inputs_does_not_matter(plain, forms):
    assert_equal(trained(*forms), plain)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([DATA, LABELS], None),
        ((DATA, LABELS), None),
        ({"image": DATA, "label": LABELS, "id": np.arange(32)}, None),
        (DATA, LABELS[:, None]),
        (tf.constant(DATA), LABELS.tolist()),
        (tf.data.Dataset.from_tensor_slices((DATA, LABELS)).batch(32), None),
        (tf.data.Dataset.from_tensor_slices((DATA, LABELS[:, None])).batch(32), None),
        (tf.data.Dataset.from_tensor_slices(((DATA, LABELS),)).batch(32), None),
        (
            tf.data.Dataset.from_tensor_slices({"image": DATA, "label": LABELS}).batch(
                32
            ),
            None,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_form_of_the_data_does_not_matter(plain, x, y):
    assert_equal(trained(x=x, y=y), plain)


def test_labels_of_one_column_into_an_input_of_one_column(plain):
    for labels in (LABELS, LABELS[:, None]):
        assert_equal(trained(y=labels, label_shape=(1,)), plain)


def test_labels_of_another_rank_than_before():
    """A step that is traced anew for them does not know their rank."""
    keras.utils.set_random_seed(0)
    gan = kgg.GAN(network("image", 2, 1, "list"), network("z", 4, 2, "list"), seed=0)
    gan.compile("sgd", "sgd")
    gan.fit(DATA, LABELS, verbose=0)
    slices = tf.data.Dataset.from_tensor_slices((DATA, LABELS[:, None]))
    gan.fit(slices.batch(32), verbose=0)
    assert gan.num_steps == 2


def test_labels_out_of_range_under_xla():
    gan = trained(y=LABELS)
    gan.compile("sgd", "sgd", jit_compile=True)
    wrong = tf.data.Dataset.from_tensor_slices((DATA, LABELS + 5)).batch(32)
    before = gan.generator.get_weights()[1]
    for call in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=r"Labels must be classes.*from 0"):
            call(wrong, verbose=0)
    np.testing.assert_array_equal(before, gan.generator.get_weights()[1])


@pytest.mark.parametrize("dtype", ["bool", "longdouble", "float32"])
def test_labels_and_data_of_rare_dtypes(dtype):
    labels = (LABELS % 2).astype(dtype)
    gan = trained(x=DATA.astype("longdouble"), y=labels)
    assert_equal(gan, trained(y=LABELS % 2))


def test_labels_out_of_range_of_a_data_set(plain):
    gan = trained()
    wrong = tf.data.Dataset.from_tensor_slices((DATA, LABELS - 1)).batch(16)
    with pytest.raises(ValueError, match=r"from 0 to 2,.*Received: a label of -1\."):
        gan.fit(wrong, verbose=0)
    wrong = tf.data.Dataset.from_tensor_slices((DATA, LABELS + 5)).batch(16)
    gan.compile("sgd", "sgd")
    with pytest.raises(ValueError, match=r"from 0 to 2,.*Received: a label of 7\."):
        gan.fit(wrong, verbose=0)
    assert gan.num_steps == plain.num_steps


def test_inputs_of_one_shape_are_told_apart_by_name():
    data, label = keras.Input((2,), name="image"), keras.Input((4,), name="label")
    joined = layers.Concatenate()([data, label])
    discriminator = keras.Model([data, label], layers.Dense(1)(joined))
    z, label = keras.Input((4,), name="z"), keras.Input((4,), name="label")
    # What comes in by the name of the labels does not count.
    idle = layers.Rescaling(0.0)(label)
    outputs = layers.Dense(2)(layers.Concatenate()([z, idle]))
    gan = kgg.GAN(discriminator, keras.Model({"z": z, "label": label}, outputs))
    samples = gan.sample(3, seed=0, labels=np.zeros((3, 4), "float32"))
    assert len(np.unique(samples.round(5))) == 6
    other = keras.Input((4,), name="classes")
    outputs = layers.Dense(2)(layers.Concatenate()([z, other]))
    with pytest.raises(ValueError, match=r"told apart.*'classes'.*'z'.*same name"):
        kgg.GAN(discriminator, keras.Model({"z": z, "classes": other}, outputs))


def single(width, units, form):
    tensor = keras.Input((width,), name="only")
    return keras.Model(form(tensor), form(layers.Dense(units)(tensor)))


@pytest.mark.parametrize(
    "form", [lambda x: [x], lambda x: (x,), lambda x: {"only": x}], ids="ltd"
)
def test_one_input_and_one_output_in_any_structure(form):
    gan = kgg.GAN(single(2, 1, form), single(4, 2, form), seed=0)
    gan.compile(penalty="r1", run_eagerly=True)
    gan.fit(DATA, verbose=0)
    assert gan.num_steps == 1 and gan.sample(3, source="average").shape == (3, 2)


@pytest.fixture(scope="module")
def unconditional():
    gan = kgg.GAN(*kgg.networks.mlp_pair(2, 4, width=4), seed=0)
    gan.compile(run_eagerly=True)
    return gan


SLICES = tf.data.Dataset.from_tensor_slices
REFUSED = {
    "a list of examples": (list(DATA), "a list of 32 entries.*np.stack"),
    "a tuple of examples": (tuple(DATA), "a tuple of 32 entries.*np.stack"),
    "a list of columns": ([DATA[:, 0], DATA[:, 1]], "a list of 2 entries"),
    "foreign keys": (
        SLICES({"picture": DATA, "label": LABELS}).batch(8),
        r"'data'. Received: a dictionary of 'picture', 'label'.*element\['picture'\]",
    ),
    "a dictionary of arrays": ({"x": DATA}, "Received: a dictionary of 'x'"),
    "text": (np.array([["a", "b"]]), "real numbers"),
    "complex numbers": (DATA.astype("complex64"), "real numbers"),
    "objects": (DATA.astype(object), "real numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_what_is_no_data_is_refused(unconditional, case, method):
    data, message = REFUSED[case]
    before = unconditional.num_steps
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(unconditional, method)(data, verbose=0)
    assert unconditional.num_steps == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": np.ones(32)}, "Received: sample_weight=.*Resample"),
        ({"class_weight": {0: 1.0}}, "Received: class_weight=.*Resample"),
        ({"validation_data": (DATA, None, np.ones(32))}, "weights of examples.*third"),
        ({"validation_data": (DATA * np.nan,)}, "must be finite"),
        ({"validation_data": (DATA[:, :1],)}, r"shape \(None, 2\)"),
        ({"validation_split": 1.0}, "at least one example on both sides"),
        ({"validation_split": 2.0}, r"\[0, 1\]"),
        ({"batch_size": 0}, "`batch_size`.*at least 1"),
        ({"batch_size": 1.5}, "`batch_size`.*1.5"),
    ],
)
def test_bad_arguments_of_fit(unconditional, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        unconditional.fit(DATA, verbose=0, **arguments)


def test_a_share_of_the_arrays_validates(unconditional):
    logs = unconditional.fit(DATA, validation_split=0.25, batch_size=8, verbose=0)
    scored = unconditional.evaluate(DATA[24:], verbose=0, return_dict=True)
    assert logs.history["val_d_loss"][0] == pytest.approx(
        float(scored["d_loss"]), abs=0.2
    )
    assert logs.params["steps"] == 3


def test_data_of_a_shuffled_stream_is_taken_as_it_is(unconditional):
    stream = kgg.datasets.ShuffledStream(DATA, batch_size=8, seed=0)
    before = unconditional.num_steps
    unconditional.fit(stream, epochs=2, verbose=0)
    assert unconditional.num_steps == before + 8
