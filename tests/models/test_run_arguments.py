"""What `compile`, `fit`, `evaluate` and `sample` refuse before they do anything."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.models import serialization
from tests import strategies

DATA = np.ones((4, 2), "float32")


@pytest.fixture(scope="module")
def gan():
    found = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=0)
    found.compile("sgd", "sgd", run_eagerly=True)
    return found


def _set(*rows):
    return tf.data.Dataset.from_tensor_slices(rows if len(rows) > 1 else rows[0])


FIT = {
    "no data": ({"x": None}, ValueError, "`x` must be an array.*Received: x=None"),
    "a number": ({"x": 3}, TypeError, r"Received: x=3 \(of type int\)"),
    "a text": ({"x": "data"}, TypeError, "Received: x='data'"),
    "uneven lists": ({"x": [[[1.0], [1.0, 2.0]]]}, TypeError, "one array of numbers"),
    "texts": (
        {"x": _set(np.array([["a", "b"]] * 4)).batch(2)},
        TypeError,
        r"real numbers\. Received: elements of dtype string",
    ),
    "complex": (
        {"x": _set(DATA.astype("complex64")).batch(2)},
        TypeError,
        "Received: elements of dtype complex64",
    ),
    "ragged": (
        {"x": tf.data.Dataset.from_tensors(tf.ragged.constant([[1.0], [1.0, 2.0]]))},
        TypeError,
        r"dense tensors\. Received: elements of type RaggedTensorSpec",
    ),
    "float epochs": ({"epochs": 1.5}, TypeError, r"Received: epochs=1\.5"),
    "negative epochs": ({"epochs": -1}, ValueError, "Received: epochs=-1"),
    "steps": ({"steps_per_epoch": 0}, ValueError, "Received: steps_per_epoch=0"),
    "huge steps": ({"steps_per_epoch": 2**70}, ValueError, "at most 9223372036854775"),
    "first epoch": ({"initial_epoch": "a"}, TypeError, "Received: initial_epoch='a'"),
    "verbose": ({"verbose": 7}, ValueError, "Received: verbose=7"),
    "shuffle": ({"shuffle": "batch"}, TypeError, "Received: shuffle='batch'"),
    "a class": (
        {"callbacks": [keras.callbacks.TerminateOnNaN]},
        TypeError,
        r"of type type\)\. Make an object of it",
    ),
    "no callback": ({"callbacks": [len]}, TypeError, r"Received: <built-in function"),
    "a list": (
        {"callbacks": keras.callbacks.CallbackList([])},
        TypeError,
        "Received: a CallbackList",
    ),
    "unknown": ({"worker": 2}, TypeError, r"Received: worker=\. Check the spelling"),
    "split of a set": (
        {"x": _set(DATA).batch(2), "validation_split": 0.5},
        ValueError,
        "`validation_split` belongs to arrays.*Received",
    ),
    "endless": (
        {"x": _set(DATA).repeat().batch(2)},
        ValueError,
        r"needs `steps_per_epoch`\. Received: steps_per_epoch=None and a tf\.data",
    ),
    "endless validation": (
        {"validation_data": _set(DATA).repeat().batch(2)},
        ValueError,
        "never ends needs `validation_steps`",
    ),
    "validation": ({"validation_data": 3}, TypeError, "Received: validation_data=3"),
    "empty validation": ({"validation_data": ()}, ValueError, "a tuple of 0 entries"),
    "validation of another shape": (
        {"validation_data": _set(np.ones((4, 3), "float32")).batch(2)},
        ValueError,
        r"Received: shape \(None, 3\)",
    ),
}


@pytest.mark.parametrize("case", FIT)
def test_fit(case, gan):
    arguments, kind, text = FIT[case]
    called = []
    watch = keras.callbacks.LambdaCallback(on_train_begin=called.append)
    with pytest.raises(kind, match=text):
        gan.fit(**{"x": DATA, "verbose": 0, "callbacks": [watch], **arguments})
    assert gan.num_steps == 0 and not called


EVALUATE = {
    "no data": ({"x": None}, ValueError, "`x` must be an array.*Received: x=None"),
    "weights": ({"sample_weight": DATA}, ValueError, "Received: sample_weight=..."),
    "steps": ({"steps": 0.5}, TypeError, r"Received: steps=0\.5"),
    "endless": (
        {"x": _set(DATA).repeat().batch(2)},
        ValueError,
        r"evaluate\(\) of a data set that never ends needs `steps`",
    ),
    "flag": ({"return_dict": 1}, TypeError, "Received: return_dict=1"),
    "labels of a set": (
        {"x": _set(DATA).batch(2), "y": DATA},
        ValueError,
        "`y` belongs to arrays",
    ),
    "another shape": (
        {"x": _set(np.ones((4, 3), "float32")).batch(2)},
        ValueError,
        r"Received: shape \(None, 3\)",
    ),
}


@pytest.mark.parametrize("case", EVALUATE)
def test_evaluate(case, gan):
    arguments, kind, text = EVALUATE[case]
    with pytest.raises(kind, match=text):
        gan.evaluate(**{"x": DATA, "verbose": 0, **arguments})


def test_what_is_right_stays_right(gan):
    validation = _set(DATA).batch(2)
    trained = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=0)
    trained.compile("sgd", "sgd", run_eagerly=True)
    history = trained.fit(
        DATA, batch_size=2, epochs=np.int64(1), validation_data=validation, verbose=0
    )
    assert "val_value" in history.history and trained.num_steps == 2
    positional = trained.evaluate(DATA, None, 2, 0)
    named = trained.evaluate(DATA, batch_size=2, verbose=0, return_dict=True)
    assert len(positional) == len(named) == 6


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"jit_compile": 0.5}, r"one of True, False, 'auto'\. Received: jit_compile=0"),
        ({"jit_compile": "x"}, "Received: jit_compile='x'"),
        ({"jit_compile": 1}, r"Received: jit_compile=1 \(of type int\)"),
        ({"run_eagerly": "yes"}, "Received: run_eagerly='yes'"),
        ({"auto_scale_loss": None}, "Received: auto_scale_loss=None"),
        ({"steps_per_execution": 2.0}, r"Received: steps_per_execution=2\.0"),
    ],
)
def test_options_of_compile(arguments, text, gan):
    before = gan.d_optimizer
    with pytest.raises(TypeError, match=text):
        gan.compile(**arguments)
    assert gan.d_optimizer is before


def test_xla_on_several_devices():
    with strategies.mirrored().scope():
        gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=0)
        with pytest.raises(ValueError, match="Received: jit_compile=True on 2 devices"):
            gan.compile(jit_compile=True)
    assert gan.d_optimizer is None


@pytest.mark.parametrize(
    ("capacity", "text"),
    [(10**9, "at most 65536. Received"), (2**70, "Received: capacity=118059")],
)
def test_capacities_beyond_all_use(capacity, text):
    with pytest.raises(ValueError, match=text):
        kgg.History(capacity=capacity)


def test_a_bank_that_memory_cannot_hold_takes_none():
    wide = keras.Sequential([keras.Input((2**13,)), keras.layers.Dense(2**13)])
    text = r"memory of this machine.*a bank of capacity=65536 models, .* Lower the cap"
    with pytest.raises(ValueError, match=text):
        kgg.WeightBank(wide, 65536)


@pytest.mark.parametrize("number", [2**31, 2**40, 2**70])
def test_numbers_of_samples_beyond_all_use(number, gan):
    with pytest.raises(ValueError, match=f"Received: num_samples={number}.*in parts"):
        gan.sample(number)


@pytest.mark.parametrize("kind", [kgg.GAN, kgg.DualityGapGAN, kgg.FictitiousGAN])
def test_seeds(kind):
    for seed in (2**63, 2**70):
        with pytest.raises(ValueError, match=f"Received: seed={seed}"):
            kind(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=seed)
    gan = kind(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=2**63 - 1)
    gan.compile("sgd", "sgd", run_eagerly=True)
    assert np.isfinite(gan.train_on_batch(DATA)).all()


@pytest.mark.parametrize(
    "made_by", [None, 1, "", "x", "1" * 50, ["1"], {}, "-1.0.0", "newest"]
)
def test_a_file_of_no_version(made_by):
    with pytest.raises(ValueError, match=r"must name the version.*Received: keras_g"):
        serialization.check_version(made_by)
    for right in ("0.1.0", "0.2.0.dev1", "0"):
        serialization.check_version(right)


def _network(last, dtype=None):
    return keras.Sequential(
        [keras.Input((2,), dtype=dtype), keras.layers.Dense(2), last]
    )


def _rounded(network):
    return keras.Model(network.inputs, keras.ops.cast(network.outputs[0], "int32"))


@pytest.mark.parametrize(
    ("discriminator", "generator", "text"),
    [
        (
            _network(keras.layers.Dense(1)),
            _rounded(_network(keras.layers.Dense(2))),
            "The data that the generator makes must be floating.*of dtype int32",
        ),
        (
            _network(keras.layers.Dense(1)),
            _network(keras.layers.Dense(2), "int32"),
            "The latents of the generator must be floating numbers",
        ),
    ],
)
def test_dtypes_that_no_gradient_passes(discriminator, generator, text):
    with pytest.raises(ValueError, match=text):
        kgg.GAN(discriminator, generator)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_exported(value, tmp_path):
    gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2, latent_dim=3), seed=0)
    weight = gan.generator.weights[0]
    weight.assign(tf.fill(weight.shape, value))
    text = rf"finite weights\. Received: NaN or infinite values in '{weight.path}'"
    for format in ("tf_saved_model", "onnx"):
        with pytest.raises(ValueError, match=text):
            gan.export(tmp_path / "sampler", format=format, warmup=None)
    assert not list(tmp_path.iterdir())
    # The average is another generator, and the discriminator is not in it.
    gan.export(tmp_path / "average", source="average", warmup=False)
    gan.discriminator.weights[0].assign(
        tf.fill(gan.discriminator.weights[0].shape, value)
    )
    with pytest.raises(ValueError, match="The discriminator that is exported must"):
        gan.export(tmp_path / "scored", source="average", score=True)


@pytest.mark.parametrize("name", ["version", "verbose", "score", "warmup"])
def test_arguments_of_export_that_are_arrays(name, gan, tmp_path):
    with pytest.raises(TypeError, match=rf"`{name}` must be .*Received: {name}=array"):
        gan.export(tmp_path / "sampler", **{name: np.ones(2)})
    assert not list(tmp_path.iterdir())
