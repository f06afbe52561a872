import keras
import numpy as np
import pytest

import keras_gamegan as kgg
from keras_gamegan.sampling import generation, onnx_file

MISSING = "ONNX's packages are not installed: pip install '.[serving]'"


@pytest.fixture(name="run")
def fixture_run():
    """Function (path, inputs) -> what ONNX Runtime makes of them."""
    for name in ("tf2onnx", "onnx"):
        pytest.importorskip(name, reason=MISSING)
    onnxruntime = pytest.importorskip("onnxruntime", reason=MISSING)

    def run(path, **inputs):
        session = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )
        assert [item.name for item in session.get_inputs()] == list(inputs)
        (outputs,) = session.run(None, inputs)
        return outputs

    return run


@pytest.mark.parametrize("source", ["current", "average"])
def test_it_equals_sample(run, gan, tmp_path, source):
    before = gan.generator.get_weights()
    gan.export(tmp_path / "generator.onnx", source=source, format="onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["generator.onnx"]
    for number in (1, 30):
        latents = generation.latents(5, number, (3,), "float32").numpy()
        np.testing.assert_allclose(
            run(tmp_path / "generator.onnx", latents=latents),
            gan.sample(number, seed=5, source=source),
            rtol=1e-6,
            atol=1e-6,
        )
    # The live generator is as it was.
    for old, new in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_convolutions_normalization_and_labels(run, tmp_path):
    pair = kgg.networks.dcgan_pair(
        (8, 8, 1), latent_dim=4, base_filters=4, num_classes=3, seed=0
    )
    gan = kgg.GAN(*pair, seed=0)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")
    labels = np.arange(32, dtype="int32") % 3
    gan.fit(images, labels, batch_size=16, verbose=0)
    gan.export(tmp_path / "generator.onnx", source="average", format="onnx")
    latents = generation.latents(5, 7, (4,), "float32").numpy()
    np.testing.assert_allclose(
        run(tmp_path / "generator.onnx", latents=latents, labels=labels[:7]),
        gan.sample(7, seed=5, source="average", labels=labels[:7]),
        atol=1e-6,
    )


def test_a_failure_leaves_nothing(gan, tmp_path, monkeypatch):
    def fail(model, path, source, verbose):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(onnx_file, "check", lambda *arguments: None)
    monkeypatch.setattr(onnx_file, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        gan.export(tmp_path / "generator.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"source": "mixture"}, 'holds one generator. Received: source="mixture"'),
        ({"score": True}, "`score` belongs to the SavedModel. Received: score=True"),
        ({"version": 1}, "`version` belongs to the SavedModel.*Leave version out"),
        ({"warmup": True}, "`warmup` belongs to the SavedModel"),
    ],
)
def test_what_onnx_does_not_have(gan, tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        gan.export(tmp_path / "generator.onnx", format="onnx", **arguments)
    assert not list(tmp_path.iterdir())


def test_half_precision_is_refused(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    gan = kgg.GAN(*kgg.networks.mlp_pair(width=4), seed=0)
    with pytest.raises(ValueError, match=r"computes in float32.*float16, float32\."):
        gan.export(tmp_path / "generator.onnx", format="onnx")


def test_missing_packages_are_named(plain_gan, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"tf2onnx and onnx.*\[serving\]"):
        plain_gan.export(tmp_path / "generator.onnx", format="onnx")
    assert not list(tmp_path.iterdir())
