"""Requests that TF Serving replays when it loads a model, before the first client."""

import importlib.util
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from keras_gamegan import optional
from keras_gamegan.typing import PathLike

# The name under assets.extra/ that TF Serving looks for.
FILE = "tf_serving_warmup_requests"


def is_available() -> bool:
    """Whether the package with TF Serving's message types is installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def require() -> None:
    """Raises unless the requests can be written."""
    if not is_available():
        packages = ["tensorflow-serving-api"]
        raise optional.missing(packages, "serving", "`export(warmup=True)`")


def write(path: PathLike, requests: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Writes a TFRecord file of `PredictionLog` messages.

    Args:
        path: File to write.
        requests: Dictionary, name of a signature -> dictionary of its inputs, arrays.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, inputs in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = name
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
