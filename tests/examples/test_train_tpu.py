"""The TPU example, with two logical CPU devices where the resolver would find a TPU."""

import importlib.util
import pathlib

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import flags

from tests import strategies

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "examples" / "train_tpu.py"


@pytest.fixture
def script():
    """The example as a module, its flags unparsed again afterwards."""
    spec = importlib.util.spec_from_file_location("train_tpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for flag in list(flags.FLAGS.flags_by_module_dict().get("train_tpu", [])):
        delattr(flags.FLAGS, flag.name)


@pytest.mark.slow
def test_trains_and_exports_on_two_devices(script, tmp_path, monkeypatch):
    asked = []

    def two_devices(tpu):
        asked.append(tpu)
        return strategies.mirrored()

    monkeypatch.setattr(script, "make_strategy", two_devices)
    flags.FLAGS(
        [
            "train_tpu",
            "--tpu=mine",
            f"--output_dir={tmp_path}",
            "--batch_size=16",
            "--epochs=1",
            "--num_examples=64",
        ]
    )
    with tfds.testing.mock_data(num_examples=64):
        script.main(["train_tpu"])
    assert asked == ["mine"]
    sampler = tf.saved_model.load(str(tmp_path / "sampler" / "1"))
    samples = sampler.signatures["sample"](
        num_samples=tf.constant(3), seed=tf.constant(0, tf.int64)
    )["samples"]
    assert samples.shape == (3, 32, 32, 1)
    assert (tmp_path / "samples" / "epoch_001.png").exists()
