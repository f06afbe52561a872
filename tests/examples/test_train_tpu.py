"""The TPU example, with two logical CPU devices where the resolver would find a TPU."""

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tests import scripts, strategies


@pytest.fixture
def script():
    """The example as a module."""
    with scripts.loaded("train_tpu") as module:
        yield module


@pytest.mark.slow
def test_trains_and_exports_on_two_devices(script, tmp_path, monkeypatch):
    asked = []

    def two_devices(tpu):
        asked.append(tpu)
        return strategies.mirrored()

    monkeypatch.setattr(script, "make_strategy", two_devices)
    arguments = [f"--output_dir={tmp_path}", "--tpu=mine", "--num_examples=64"]
    with tfds.testing.mock_data(num_examples=64):
        scripts.run(script, *arguments, "--batch_size=16", "--epochs=1")
    assert asked == ["mine"]
    sampler = tf.saved_model.load(str(tmp_path / "sampler" / "1"))
    samples = sampler.signatures["sample"](
        num_samples=tf.constant(3), seed=tf.constant(0, tf.int64)
    )["samples"]
    assert samples.shape == (3, 32, 32, 1)
    assert (tmp_path / "samples" / "epoch_001.png").exists()
