"""Where an export goes, what it refuses, and that it is written whole or not at all."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.sampling import exporting, onnx_file, saved_model, warmup


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _fail(*arguments, **options):
    raise OSError("no space left on device")


def test_it_is_exported_where_the_caller_says(plain_gan, tmp_path):
    plain_gan.export(str(tmp_path / "deep" / "sampler" / "1"), verbose=False)
    assert (tmp_path / "deep" / "sampler" / "1" / "saved_model.pb").is_file()
    # Nothing is left beside it.
    assert _names(tmp_path / "deep" / "sampler") == ["1"]


def test_versions_stand_beside_each_other(plain_gan, tmp_path):
    folder = tmp_path / "sampler"
    plain_gan.export(folder, version=1)
    plain_gan.export(folder, version=7)
    assert _names(folder) == ["1", "7"]
    for version in ("1", "7"):
        loaded = tf.saved_model.load(str(folder / version))
        assert set(loaded.signatures) == {"serving_default", "sample"}
    with pytest.raises(ValueError, match=r"version=7, and .* holds 1, 7\. .*version=8"):
        plain_gan.export(folder, version=7)
    # A server reads 002 as 2; other names are nobody's version.
    (folder / "002").mkdir()
    (folder / "notes").mkdir()
    with pytest.raises(ValueError, match=r"version=2, and .* holds 1, 2, 7\. "):
        plain_gan.export(folder, version=2)
    assert _names(folder) == ["002", "1", "7", "notes"]
    # The same script again: one above the largest.
    plain_gan.export(folder, version="next")
    assert _names(folder) == ["002", "1", "7", "8", "notes"]


def test_the_next_version_of_none_is_the_first(plain_gan, tmp_path):
    plain_gan.export(tmp_path / "sampler", version="next")
    assert _names(tmp_path / "sampler") == ["1"]


def test_a_remote_export_ends_with_what_makes_it_valid(
    plain_gan, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = f"ram://{tmp_path.name}/sampler"
    copied, copy = [], tf.io.gfile.copy

    def noting(one, other, overwrite):
        copied.append(other)
        copy(one, other, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", noting)
    plain_gan.export(folder, version="next")
    # `pathlib` makes one slash of two.
    plain_gan.export(pathlib.PurePosixPath(folder), version="next")
    assert sorted(tf.io.gfile.listdir(folder)) == ["1", "2"]
    assert copied[-1] == f"{folder}/2/saved_model.pb"
    loaded = tf.saved_model.load(f"{folder}/2").signatures["sample"]
    made = loaded(num_samples=tf.constant(3), seed=tf.constant(1, tf.int64))["samples"]
    np.testing.assert_allclose(made, plain_gan.sample(3, seed=1), rtol=1e-5)
    with pytest.raises(ValueError, match=r"holds 1, 2\. Pass version=3, or"):
        plain_gan.export(folder, version=2)
    with pytest.raises(ValueError, match="which is a SavedModel"):
        plain_gan.export(f"{folder}/2", version=1)
    with pytest.raises(ValueError, match="does not exist yet"):
        plain_gan.export(folder)
    # Of one that fails, nothing is left.
    monkeypatch.setattr(tf.io.gfile, "copy", _fail)
    with pytest.raises(OSError, match="no space left"):
        plain_gan.export(folder, version="next")
    assert sorted(tf.io.gfile.listdir(folder)) == ["1", "2"]
    # And never a local folder named `ram:`.
    assert _names(tmp_path) == []


def test_a_remote_onnx_file(plain_gan, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "check", lambda *arguments: None)
    monkeypatch.setattr(
        onnx_file, "write", lambda model, path, *arguments: path.write_bytes(b"onnx")
    )
    path = f"ram://{tmp_path.name}/generator.onnx"
    plain_gan.export(path, format="onnx")
    with tf.io.gfile.GFile(path, "rb") as file:
        assert file.read() == b"onnx"
    with pytest.raises(ValueError, match="for ONNX, a file"):
        plain_gan.export(path, format="onnx")


@pytest.mark.parametrize("version", [None, 1, "next"])
@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("x" * 300, "`path` must be a place that can be.*File name too long"),
        ("file/sampler", "`path` must be a place that can be.*(Not a dir|exists)"),
    ],
)
def test_a_path_that_cannot_be_written(plain_gan, tmp_path, name, match, version):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ValueError, match=match):
        plain_gan.export(tmp_path / name, version=version)
    assert _names(tmp_path) == ["file"]


def test_a_name_as_long_as_can_be(plain_gan, tmp_path):
    plain_gan.export(tmp_path / ("x" * 255))
    assert (tmp_path / ("x" * 255) / "saved_model.pb").is_file()
    assert len(_names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("version", "error", "match"),
    [
        (0, ValueError, "`version` must be an integer of at least 1"),
        (True, TypeError, "`version` must be an integer"),
        ("1", TypeError, "Received: version='1'.*version=\"next\" adds one"),
    ],
)
def test_bad_versions(plain_gan, tmp_path, version, error, match):
    with pytest.raises(error, match=match):
        plain_gan.export(tmp_path / "sampler", version=version)
    assert not _names(tmp_path)


def test_a_version_does_not_go_into_a_sampler_or_a_file(plain_gan, tmp_path):
    plain_gan.export(tmp_path / "sampler")
    with pytest.raises(ValueError, match="which is a SavedModel"):
        plain_gan.export(tmp_path / "sampler", version=1)
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ValueError, match="which is a file"):
        plain_gan.export(tmp_path / "file", version=1)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("format", exporting.FORMATS)
def test_nothing_is_overwritten(plain_gan, tmp_path, monkeypatch, format):
    # Whether ONNX can be written here does not matter.
    monkeypatch.setattr(onnx_file, "check", lambda *arguments: None)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("precious")
    with pytest.raises(ValueError, match=r"must be a folder that does not exist yet"):
        plain_gan.export(tmp_path / "mine", format=format)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"Received: path='.*link'"):
        plain_gan.export(tmp_path / "link", format=format)
    assert (tmp_path / "mine" / "work.txt").read_text() == "precious"
    assert _names(tmp_path) == ["link", "mine"]


def _failing(monkeypatch, step):
    """Makes a step of writing fail, the archive's when it has been written."""
    if step == "archive":
        monkeypatch.setattr(saved_model, "_describe", _fail)
    elif step == "warmup":
        monkeypatch.setattr(warmup, "is_available", lambda: True)
        monkeypatch.setattr(warmup, "write", _fail)
    else:
        monkeypatch.setattr(os, "replace", _fail)


@pytest.mark.parametrize("version", [None, 3])
@pytest.mark.parametrize("step", ["archive", "warmup", "replace"])
def test_a_failure_leaves_nothing(plain_gan, tmp_path, monkeypatch, step, version):
    _failing(monkeypatch, step)
    path, warm = tmp_path / "new" / "sampler", step == "warmup"
    with pytest.raises(OSError, match="no space left"):
        plain_gan.export(path, version=version, warmup=warm)
    assert not _names(tmp_path)


def test_a_failure_leaves_the_other_versions(plain_gan, tmp_path, monkeypatch):
    plain_gan.export(tmp_path / "sampler", version=1)
    _failing(monkeypatch, "archive")
    with pytest.raises(OSError, match="no space left"):
        plain_gan.export(tmp_path / "sampler", version=2)
    assert _names(tmp_path / "sampler") == ["1"]


def test_a_killed_export_leaves_nothing_a_server_would_load(tmp_path):
    code = textwrap.dedent(f"""
        import os, signal
        import keras_gamegan as kgg
        from keras_gamegan.sampling import saved_model
        saved_model._describe = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        gan = kgg.GAN(*kgg.networks.mlp_pair(latent_dim=2, width=2, depth=1))
        gan.export({str(tmp_path / "sampler")!r}, version=1)
    """)
    root = pathlib.Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    # The model had been written, under a name that is no version.
    (left,) = (tmp_path / "sampler").iterdir()
    assert left.name.startswith(".1-") and not left.name.isdecimal()
    assert (left / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"format": "h5"}, ValueError, "`format` must be one of 'tf_saved_model', 'on"),
        ({"source": "average"}, ValueError, "Build it with average_decay=0.999"),
        ({"source": "mixture"}, ValueError, "Use FictitiousGAN with History"),
        ({"source": "best"}, ValueError, "'current', 'average', 'mixture'"),
        ({"score": 1}, TypeError, "`score` must be one of True, False. Received: sco"),
        ({"warmup": "yes"}, TypeError, "`warmup` must be one of True, False, None"),
        ({"signature": "x"}, TypeError, "unexpected keyword argument 'signature'"),
    ],
)
def test_bad_arguments(plain_gan, tmp_path, arguments, error, match):
    with pytest.raises(error, match=match):
        plain_gan.export(tmp_path / "sampler", **arguments)
    assert not _names(tmp_path)


def test_the_text_that_travels_along(conditional_gan, tmp_path):
    conditional_gan.export(tmp_path / "sampler", score=True)
    text = (tmp_path / "sampler" / "assets.extra" / "signatures.md").read_text()
    assert "source 'current'" in text
    assert "- `num_samples`: int32 (), from 0 to 4096\n" in text
    assert text.count("- `labels`: int32 (n), one for each example, from 0 to 2\n") == 3
    assert "## score -> logits" in text
    assert saved_model.bounds.MAX_SAMPLES == 4096
