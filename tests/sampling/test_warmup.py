import builtins

import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.sampling import warmup


def _warmup_file(folder):
    return folder / "assets.extra" / "tf_serving_warmup_requests"


def test_the_requests_are_read_and_answered(conditional_gan, tmp_path):
    apis = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2",
        reason="tensorflow-serving-api is not installed",
    )
    conditional_gan.export(tmp_path, version=1, score=True, warmup=True)
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    records = tf.data.TFRecordDataset(str(_warmup_file(tmp_path / "1")))
    outputs = {}
    for record in records.as_numpy_iterator():
        log = apis.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {
            key: tf.constant(tf.make_ndarray(value))
            for key, value in request.inputs.items()
        }
        (outputs[name],) = signatures[name](**inputs).values()
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {"serving_default": (1, 2), "sample": (1, 2), "score": (1, 1)}
    np.testing.assert_array_equal(
        outputs["sample"], conditional_gan.sample(1, seed=0, labels=[0])
    )


def test_without_the_package_none_are_written(plain_gan, tmp_path, monkeypatch):
    real_import = builtins.__import__

    def refuse(name, *arguments, **options):
        if name.startswith("tensorflow_serving"):
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr(warmup.importlib.util, "find_spec", lambda name: None)
    plain_gan.export(tmp_path / "sampler")
    assert (tmp_path / "sampler" / "saved_model.pb").is_file()
    assert not _warmup_file(tmp_path / "sampler").exists()
    with pytest.raises(ImportError, match=r"keras-gamegan\[serving\]"):
        plain_gan.export(tmp_path / "other", warmup=True)
    assert not (tmp_path / "other").exists()


def test_they_can_be_left_out(plain_gan, tmp_path):
    plain_gan.export(tmp_path / "sampler", warmup=False)
    assert not _warmup_file(tmp_path / "sampler").exists()
