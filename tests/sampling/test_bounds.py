"""What a served client is refused, and that it is told why."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_gamegan as kgg
from keras_gamegan.sampling import bounds


@pytest.fixture(scope="module", name="signatures")
def fixture_signatures(conditional_gan, plain_gan, tmp_path_factory):
    """The signatures of an export with three classes, and of one without labels."""
    folder = tmp_path_factory.mktemp("bounds")
    loaded = []
    for name, model in (("labels", conditional_gan), ("plain", plain_gan)):
        model.export(folder / name, score=True)
        loaded.append(tf.saved_model.load(str(folder / name)))
    # Until the tests are through: a signature does not keep its variables alive.
    yield loaded[0].signatures, loaded[1].signatures


def _sample(signature, num_samples, seed=1, labels=None):
    inputs = {
        "num_samples": tf.constant(num_samples, tf.int32),
        "seed": tf.constant(seed, tf.int64),
    }
    if labels is not None:
        inputs["labels"] = tf.constant(labels, tf.int32)
    return signature(**inputs)["samples"]


@pytest.mark.parametrize("number", [-1, -(2**31), 4097, 2**31 - 1])
def test_a_number_of_samples_out_of_bounds_is_refused(signatures, number):
    match = rf"(?s)`num_samples` must be from 0 to 4096.*\[{number}\].*several requests"
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        _sample(signatures[1]["sample"], number)


@pytest.mark.parametrize("number", [0, 1, 4096])
def test_the_bounds_themselves_are_served(signatures, number):
    assert _sample(signatures[1]["sample"], number).shape == (number, 2)
    assert bounds.MAX_SAMPLES == 4096


@pytest.mark.parametrize("seed", [-1, -(2**63)])
def test_a_negative_seed_is_refused(signatures, seed):
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=rf"`seed` must be at least 0.*\[{seed}\]",
    ):
        _sample(signatures[1]["sample"], 1, seed)


def test_the_largest_seed_is_a_seed(signatures, plain_gan):
    np.testing.assert_array_equal(
        _sample(signatures[1]["sample"], 3, 2**63 - 1), plain_gan.sample(3, 2**63 - 1)
    )
    with pytest.raises(ValueError, match="`seed` must be an integer of at most 922337"):
        plain_gan.sample(3, 2**63)


@pytest.mark.parametrize("labels", [[0, 1], [], [0, 1, 2, 1]])
def test_a_wrong_number_of_labels_is_refused(signatures, labels):
    match = rf"`labels` must have one entry for each .*\[{len(labels)}\] \[3\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        _sample(signatures[0]["sample"], 3, labels=labels)
    labels = tf.constant(labels, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        signatures[0]["serving_default"](latents=tf.zeros([3, 3]), labels=labels)
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        signatures[0]["score"](data=tf.zeros([3, 2]), labels=labels)


@pytest.mark.parametrize("labels", [[0, 3, 1], [-1, 0, 2]])
def test_labels_out_of_range_are_refused(signatures, conditional_gan, labels):
    match = rf"`labels` must be from 0 to 2.*\[{min(labels)}\] \[{max(labels)}\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        _sample(signatures[0]["sample"], 3, labels=labels)
    given = tf.constant(labels, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        signatures[0]["serving_default"](latents=tf.zeros([3, 3]), labels=given)
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        signatures[0]["score"](data=tf.zeros([3, 2]), labels=given)
    match = rf"from 0 to 2, .*labels from {min(labels)} to {max(labels)}\."
    with pytest.raises(ValueError, match=match):
        conditional_gan.sample(3, labels=labels)


def test_no_samples_need_no_labels(signatures):
    assert _sample(signatures[0]["sample"], 0, labels=[]).shape == (0, 2)


# Under XLA, which leaves assertions out of what it compiles.


def _compiled(signature):
    return tf.function(lambda **x: signature(**x), jit_compile=True, autograph=False)


@pytest.mark.parametrize("number", [3, 5000])
def test_xla_does_not_compile_a_signature_without_its_bounds(signatures, number):
    match = "unsupported operations .* XLA_CPU_JIT: AsString"
    for pair, name, inputs in (
        (signatures[1], "sample", {}),
        (signatures[0], "sample", {"labels": tf.zeros([number], tf.int32)}),
    ):
        inputs |= {"num_samples": tf.constant(number), "seed": tf.zeros([], tf.int64)}
        with pytest.raises(tf.errors.InvalidArgumentError, match=match):
            _compiled(pair[name])(**inputs)
    labels = tf.zeros([number], tf.int32)
    for name, inputs in (
        ("serving_default", {"latents": tf.zeros([number, 3])}),
        ("score", {"data": tf.zeros([number, 2])}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=match):
            _compiled(signatures[0][name])(**inputs, labels=labels)
        # Without labels these have no bound to lose.
        (result,) = _compiled(signatures[1][name])(**inputs).values()
        (expected,) = signatures[1][name](**inputs).values()
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


CLUSTERED = """
import sys
import numpy as np
import tensorflow as tf

sample = tf.saved_model.load(sys.argv[1]).signatures["sample"]


def ask(number, seed):
    return sample(num_samples=tf.constant(number), seed=tf.constant(seed, tf.int64))


np.save(sys.argv[2], ask(5, 7)["samples"])
for number, seed in ((5000, 0), (-1, 0), (3, -1)):
    try:
        ask(number, seed)
    except tf.errors.InvalidArgumentError as error:
        print(error.message)
"""


@pytest.mark.slow
def test_the_bounds_hold_where_xla_clusters_the_graph(gan, tmp_path):
    gan.export(tmp_path / "sampler", source="mixture")
    finished = subprocess.run(
        [sys.executable, "-c", CLUSTERED, tmp_path / "sampler", tmp_path / "x.npy"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={
            **os.environ,
            "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit "
            "--tf_xla_min_cluster_size=1",
            "TF_CPP_MIN_LOG_LEVEL": "0",
        },
    )
    assert "Compiled cluster using XLA" in finished.stderr
    samples = np.load(tmp_path / "x.npy")
    expected = gan.sample(5, seed=7, source="mixture")
    np.testing.assert_allclose(samples, expected, rtol=1e-6, atol=1e-6)
    assert finished.stdout.count("`num_samples` must be from 0 to 4096") == 2
    assert finished.stdout.count("`seed` must be at least 0") == 1


# Where the number of classes is known.


def test_labels_of_unknown_range_are_not_checked(tmp_path):
    latents, labels = keras.Input((2,)), keras.Input((3,))
    outputs = layers.Dense(2)(layers.Concatenate()([latents, labels]))
    generator = keras.Model([latents, labels], outputs)
    data, classes = keras.Input((2,)), keras.Input((3,))
    outputs = layers.Dense(1)(layers.Concatenate()([data, classes]))
    gan = kgg.GAN(keras.Model([data, classes], outputs), generator)
    gan.export(tmp_path / "sampler")
    sample = tf.saved_model.load(str(tmp_path / "sampler")).signatures["sample"]
    given = np.array([[5.0, -7.0, 0.0]], "float32")
    result = sample(
        num_samples=tf.constant(1),
        seed=tf.constant(1, tf.int64),
        labels=tf.constant(given),
    )
    np.testing.assert_array_equal(result["samples"], gan.sample(1, 1, labels=given))
    text = (tmp_path / "sampler" / "assets.extra" / "signatures.md").read_text()
    assert "`labels`: float32 (n, 3), one for each example, range not checked" in text
