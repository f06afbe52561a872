"""What an exported sampler returns, refuses and weighs."""

import json
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.sampling import generation, saved_model

SOURCES = kgg.sampling.SOURCES
LABELS = np.array([0, 1, 2, 1, 0], "int32")


@pytest.fixture(scope="module", name="exported")
def fixture_exported(gan, conditional_gan, tmp_path_factory):
    """Function (source or "conditional") -> (folder, loaded SavedModel)."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def export(name):
        if name not in done:
            model, source = (
                (conditional_gan, "current") if name == "conditional" else (gan, name)
            )
            model.export(folder / name, source=source, score=True)
            done[name] = folder / name, tf.saved_model.load(str(folder / name))
        return done[name]

    return export


def _signature(exported, source, name):
    return exported(source)[1].signatures[name]


def _ask(function, num_samples, seed=5, **labels):
    """Calls a "sample" signature with Python numbers."""
    labels = {name: tf.constant(value, tf.int32) for name, value in labels.items()}
    return function(
        num_samples=tf.constant(num_samples), seed=tf.constant(seed, tf.int64), **labels
    )["samples"].numpy()


def _with_average(model):
    """Gives a conditional model an average that differs from the live generator."""
    for variable in model.generator_average.weights:
        variable.assign_add(tf.ones(variable.shape))
    return model


# Bit for bit: the same operations on as many rows, on one machine.
@pytest.mark.parametrize("source", SOURCES)
def test_sample_signature_equals_sample(exported, gan, source):
    sample = _signature(exported, source, "sample")
    for number in (0, 1, 40):
        expected = gan.sample(number, seed=5, source=source)
        np.testing.assert_array_equal(_ask(sample, number), expected)


@pytest.mark.parametrize("source", ["current", "average"])
def test_serving_signature_equals_sample(exported, gan, source):
    serve = _signature(exported, source, "serving_default")
    latents = generation.latents(5, 40, (3,), "float32")
    np.testing.assert_array_equal(
        serve(latents=latents)["samples"], gan.sample(40, seed=5, source=source)
    )


@pytest.mark.parametrize("source", SOURCES)
def test_labels_for_every_source(tmp_path, source):
    model = kgg.FictitiousGAN(
        *kgg.networks.mlp_pair(latent_dim=3, width=4, num_classes=3, seed=0),
        history=kgg.History(capacity=2, current_weight=0.5),
        seed=7,
    )
    model.generator_bank.push()
    layer = model.generator.layers[-1]
    layer.bias.assign([3.0, 4.0])
    model.generator_bank.push()
    _with_average(model).export(tmp_path / "sampler", source=source)
    loaded = tf.saved_model.load(str(tmp_path / "sampler"))
    expected = model.sample(5, seed=5, source=source, labels=LABELS)
    got = _ask(loaded.signatures["sample"], 5, labels=LABELS)
    np.testing.assert_array_equal(got, expected)
    if source != "mixture":
        latents = generation.latents(5, 5, (3,), "float32")
        serve = loaded.signatures["serving_default"]
        got = serve(latents=latents, labels=tf.constant(LABELS))["samples"]
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_other_precisions(tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    model = kgg.GAN(*kgg.networks.mlp_pair(latent_dim=3, width=4, seed=0), seed=0)
    model.export(tmp_path / "sampler")
    sample = tf.saved_model.load(str(tmp_path / "sampler")).signatures["sample"]
    expected = model.sample(9, seed=5)
    assert expected.dtype == ("float64" if policy == "float64" else "float32")
    np.testing.assert_array_equal(_ask(sample, 9), expected)


def test_it_needs_neither_keras_nor_this_library(
    exported, gan, conditional_gan, tmp_path
):
    paths = {name: str(exported(name)[0]) for name in (*SOURCES, "conditional")}
    code = textwrap.dedent(f"""
        import json, sys
        for name in ("keras", "tf_keras", "keras_gamegan"):
            sys.modules[name] = None  # Its import fails.
            try:
                __import__(name)
            except ImportError:
                continue
            raise AssertionError(name)
        import numpy as np
        import tensorflow as tf
        made = {{}}
        for name, path in json.loads({json.dumps(paths)!r}).items():
            signatures = tf.saved_model.load(path).signatures
            asked = dict(num_samples=tf.constant(5), seed=tf.constant(5, tf.int64))
            labels = {{}}
            if name == "conditional":
                labels["labels"] = tf.constant({LABELS.tolist()})
            made[name] = signatures["sample"](**asked, **labels)["samples"]
            data = tf.constant(made[name])
            made[name + " score"] = signatures["score"](data=data, **labels)["logits"]
        assert not any(name.startswith("keras") and sys.modules[name] is not None
                       for name in sys.modules)
        np.savez({str(tmp_path / "made.npz")!r}, **made)
    """)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    made = np.load(tmp_path / "made.npz")
    for source in SOURCES:
        expected = gan.sample(5, seed=5, source=source)
        np.testing.assert_allclose(made[source], expected, rtol=1e-6)
        assert made[f"{source} score"].shape == (5, 1)
    expected = conditional_gan.sample(5, seed=5, labels=LABELS)
    np.testing.assert_allclose(made["conditional"], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        made["conditional score"],
        conditional_gan.discriminator([expected, LABELS]),
        rtol=1e-5,
        atol=1e-6,
    )


# The mixture by latents.


def _bias(samples):
    return np.round(samples.mean(axis=1) / 50) * 50


def _latents(law, number):
    generator = np.random.default_rng(8)
    if law == "normal":
        return generator.normal(size=(number, 3)).astype("float32")
    if law == "uniform":
        return generator.uniform(-1, 1, size=(number, 3)).astype("float32")
    # Corners of a cube and a grid: few bits differ.
    return np.stack(np.meshgrid(*[np.arange(12.0)] * 3), -1).reshape(-1, 3)[:number]


@pytest.mark.parametrize("law", ["normal", "uniform", "grid"])
def test_serving_a_mixture_chooses_by_the_latent(exported, law):
    serve = _signature(exported, "mixture", "serving_default")
    latents = _latents(law, 1500).astype("float32")
    samples = serve(latents=tf.constant(latents))["samples"].numpy()
    counts = np.array([np.sum(_bias(samples) == value) for value in (100, 200, 300)])
    expected = 1500 * np.array([0.25, 0.25, 0.5])
    # Chi-squared with 2 degrees of freedom exceeds 18.4 once in 10,000.
    assert ((counts - expected) ** 2 / expected).sum() < 18.4
    # A latent's generator does not depend on what else is asked for.
    alone = serve(latents=tf.constant(latents[7:9]))["samples"]
    np.testing.assert_array_equal(alone, samples[7:9])


def test_the_hash_of_a_latent_is_exact():
    coefficients = saved_model.hash_coefficients((2, 3))
    assert coefficients.shape == (6,) and np.all(coefficients > 0)
    prime = 2**31 - 1
    assert np.all(coefficients < prime) and len(set(coefficients)) == 6
    points = np.random.default_rng(0).normal(size=(50, 2, 3)).astype("float32")
    probabilities = np.array([0.2, 0.0, 0.5, 0.3], "float32")
    # The same in Python's integers.
    numbers = [
        sum(int(a) * int(x) for a, x in zip(coefficients, row, strict=True)) % prime
        for row in points.reshape(50, 6).view(np.int32)
    ]
    edges = np.cumsum(probabilities)
    expected = [int(np.sum(edges <= (n >> 7) / 2**24 * edges[-1])) for n in numbers]
    chosen = saved_model.choose_by_latent(
        tf.constant(points), tf.constant(probabilities), coefficients
    )
    np.testing.assert_array_equal(chosen, expected)
    assert set(expected) == {0, 2, 3}


# The score.


def test_score_is_the_mean_over_the_bank(tmp_path):
    gan = kgg.FictitiousGAN(
        *kgg.networks.mlp_pair(width=4, seed=0),
        history=kgg.History(capacity=4, retention="fifo", current_weight=0.5),
    )
    bank = gan.discriminator_bank
    for number in (1.0, 2.0):
        gan.discriminator.layers[-1].bias.assign([number])
        bank.push()
    gan.export(tmp_path / "sampler", score=True)
    score = tf.saved_model.load(str(tmp_path / "sampler")).signatures["score"]
    data = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    copy = keras.models.clone_model(gan.discriminator)
    expected = np.zeros((6, 1))
    shares = zip(bank.member_weights, bank.member_probabilities, strict=True)
    for weights, share in shares:
        copy.set_weights(weights)
        expected += share * np.asarray(copy(data), np.float64)
    np.testing.assert_array_equal(bank.member_probabilities, [0.25, 0.25, 0.5])
    np.testing.assert_allclose(
        score(data=tf.constant(data))["logits"], expected, rtol=1e-5, atol=1e-6
    )


def test_score_without_a_bank_is_the_live_discriminator(plain_gan, tmp_path):
    plain_gan.export(tmp_path / "with", score=True)
    plain_gan.export(tmp_path / "without")
    loaded = tf.saved_model.load(str(tmp_path / "with"))
    data = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    np.testing.assert_array_equal(
        loaded.signatures["score"](data=tf.constant(data))["logits"],
        plain_gan.discriminator(data),
    )
    assert "score" not in tf.saved_model.load(str(tmp_path / "without")).signatures


# The size.


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_it_holds_the_weights_it_needs_and_no_more(tmp_path, dtype):
    discriminator, _ = kgg.networks.mlp_pair(width=256, depth=3)
    _, generator = kgg.networks.mlp_pair(width=128, depth=3)
    # Five slots, two of them filled; average, optimizers and slots would show.
    model = kgg.FictitiousGAN(
        discriminator, generator, history=kgg.History(capacity=5, dtype=dtype)
    )
    model.compile()
    model.generator_bank.push()
    model.discriminator_bank.push()
    made, judges = 4 * generator.count_params(), 4 * discriminator.count_params()
    share = 1 if dtype is None else 0.5
    weights = {"current": made, "average": made, "mixture": 2 * share * made}
    for source, needed in weights.items():
        folder, score = tmp_path / source, source == "mixture"
        model.export(folder, source=source, score=score)
        total = needed + 2 * share * judges * score
        size = sum(path.stat().st_size for path in (folder / "variables").iterdir())
        # The names of the variables.
        assert total < size <= total + 6000
        # None of the weights is a constant of the graph.
        assert (folder / "saved_model.pb").stat().st_size < 150_000 + 80_000 * score
    assert made > 130_000 and judges > 500_000


def test_a_bank_in_half_precision_samples_as_the_model_does(tmp_path):
    model = kgg.FictitiousGAN(
        *kgg.networks.mlp_pair(latent_dim=3, width=8, seed=0),
        history=kgg.History(capacity=3, dtype="bfloat16", current_weight=None),
        seed=0,
    )
    model.generator_bank.push()
    model.export(tmp_path / "sampler", source="mixture")
    sample = tf.saved_model.load(str(tmp_path / "sampler")).signatures["sample"]
    expected = model.sample(30, seed=5, source="mixture")
    np.testing.assert_array_equal(_ask(sample, 30), expected)
    # The store has 8 bits of significand: this is not the live generator.
    assert np.any(expected != model.sample(30, seed=5))
