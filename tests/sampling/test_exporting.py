import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.sampling import exporting, generation


@pytest.fixture(scope="module")
def exported(gan, conditional_gan, tmp_path_factory):
    """Function (source or "conditional") -> (folder, loaded SavedModel)."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def export(name):
        if name not in done:
            model, source = (
                (conditional_gan, "current") if name == "conditional" else (gan, name)
            )
            model.export(folder / name, source=source)
            done[name] = folder / name, tf.saved_model.load(str(folder / name))
        return done[name]

    return export


def _signatures(loaded):
    return loaded.signatures["serving_default"], loaded.signatures["sample"]


@pytest.mark.parametrize("source", kgg.sampling.SOURCES)
def test_sample_signature_equals_sample(exported, gan, source):
    _, sample = _signatures(exported(source)[1])
    result = sample(num_samples=tf.constant(40), seed=tf.constant(5, tf.int64))
    np.testing.assert_allclose(
        result["samples"], gan.sample(40, seed=5, source=source), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("source", ["current", "average"])
def test_serving_signature_equals_sample(exported, gan, source):
    serve, _ = _signatures(exported(source)[1])
    latents = generation.latents(5, 40, (3,), "float32")
    np.testing.assert_allclose(
        serve(latents=latents)["samples"],
        gan.sample(40, seed=5, source=source),
        rtol=1e-5,
        atol=1e-6,
    )


def test_serving_a_mixture_chooses_by_the_latent(exported):
    serve, _ = _signatures(exported("mixture")[1])
    latents = generation.latents(8, 1500, (3,), "float32")
    samples = serve(latents=latents)["samples"].numpy()
    biases = np.round(samples.mean(axis=1) / 50) * 50
    counts = np.array([np.sum(biases == value) for value in (100, 200, 300)])
    expected = 1500 * np.array([0.25, 0.25, 0.5])
    # Chi-squared with 2 degrees of freedom exceeds 18.4 once in 10,000.
    assert ((counts - expected) ** 2 / expected).sum() < 18.4
    # A latent's generator does not depend on what else is asked for.
    alone = serve(latents=latents[7:9])["samples"]
    np.testing.assert_allclose(alone, samples[7:9], rtol=1e-5)


def test_conditional(exported, conditional_gan):
    labels = np.array([0, 1, 2, 1], "int32")
    serve, sample = _signatures(exported("conditional")[1])
    expected = conditional_gan.sample(4, seed=5, labels=labels)
    by_seed = sample(
        num_samples=tf.constant(4),
        seed=tf.constant(5, tf.int64),
        labels=tf.constant(labels),
    )
    by_latents = serve(
        latents=generation.latents(5, 4, (3,), "float32"), labels=tf.constant(labels)
    )
    for result in (by_seed, by_latents):
        np.testing.assert_allclose(result["samples"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (-3, 0), (5000, 4096)])
def test_a_client_cannot_ask_for_more_than_the_limit(exported, asked, given):
    _, sample = _signatures(exported("current")[1])
    result = sample(num_samples=tf.constant(asked), seed=tf.constant(1, tf.int64))
    assert result["samples"].shape == (given, 2)
    assert exporting.MAX_SAMPLES == 4096


def test_it_needs_neither_keras_nor_this_library(exported, gan):
    path, _ = exported("mixture")
    code = textwrap.dedent(f"""
        import sys
        sys.modules["keras"] = sys.modules["keras_gamegan"] = None  # Import fails.
        import tensorflow as tf
        sample = tf.saved_model.load({str(path)!r}).signatures["sample"]
        samples = sample(num_samples=tf.constant(3), seed=tf.constant(5, tf.int64))
        print(*samples["samples"].numpy().ravel())
    """)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    np.testing.assert_allclose(
        np.array(result.stdout.split(), float),
        gan.sample(3, seed=5, source="mixture").ravel(),
        rtol=1e-5,
    )


def test_it_holds_the_generator_and_no_more(tmp_path):
    # A discriminator and a history that would show.
    discriminator, _ = kgg.networks.mlp_pair(width=512, depth=3)
    _, generator = kgg.networks.mlp_pair(width=128, depth=3)
    model = kgg.FictitiousGAN(discriminator, generator)
    model.compile()
    weights = 4 * generator.count_params()
    for source in ("current", "average"):
        model.export(tmp_path / source, source=source)
        files = [p for p in (tmp_path / source).rglob("*") if p.is_file()]
        size = sum(path.stat().st_size for path in files)
        assert weights < size < 2 * weights + 100_000


def test_it_is_exported_where_the_caller_says(plain_gan, tmp_path):
    plain_gan.export(str(tmp_path / "deep" / "sampler" / "1"), verbose=False)
    assert (tmp_path / "deep" / "sampler" / "1" / "saved_model.pb").is_file()
    # Nothing is left beside it.
    left = {path.name for path in (tmp_path / "deep" / "sampler").iterdir()}
    assert left == {"1"}


def test_nothing_is_overwritten(plain_gan, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("precious")
    with pytest.raises(ValueError, match=r"must be a folder that does not exist yet"):
        plain_gan.export(tmp_path / "mine")
    assert (tmp_path / "mine" / "work.txt").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_failure_leaves_nothing_half_written(plain_gan, tmp_path, monkeypatch):
    class Archive:
        def write_out(self, path, verbose):
            pathlib.Path(path).mkdir()
            raise OSError("no space left on device")

    monkeypatch.setattr(exporting, "_archive", lambda model, source: Archive())
    with pytest.raises(OSError, match="no space left"):
        plain_gan.export(tmp_path / "sampler")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"format": "onnx"}, "`format` must be one of 'tf_saved_model'"),
        ({"source": "average"}, "Build it with average_decay=0.999"),
        ({"source": "best"}, "'current', 'average', 'mixture'"),
    ],
)
def test_bad_arguments(plain_gan, tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        plain_gan.export(tmp_path / "sampler", **arguments)
    assert not list(tmp_path.iterdir())
