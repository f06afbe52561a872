"""Serves an exported sampler over HTTP with BentoML.

    SAMPLER=runs/x/sampler bentoml serve service:Sampler --working-dir examples/serve

SAMPLER is the absolute path of what `gan.export` wrote, or of a folder of its versions,
of which the largest is served. POST /sample takes {"num_samples", "seed" [, "labels"]}
and answers with nested lists; the same seed gives the samples of `gan.sample`. It needs
TensorFlow and BentoML, neither keras_gamegan nor Keras.
"""

import os
import pathlib
import re
from typing import Annotated

import bentoml
import numpy as np
import pydantic
import tensorflow as tf

# Samples in one request; the export itself bounds them at 4096.
MAX_SAMPLES = int(os.environ.get("MAX_SAMPLES", "256"))

NumSamples = Annotated[int, pydantic.Field(ge=0, le=MAX_SAMPLES)]
Seed = Annotated[int, pydantic.Field(ge=0, lt=2**63)]
# What an int32 holds; the graph knows how many classes there are.
Label = Annotated[int, pydantic.Field(ge=0, lt=2**31)]


def find_sampler(path):
    """Returns the folder of the SavedModel: ``path``, or its largest version."""
    path = pathlib.Path(path)
    versions = [entry for entry in path.glob("*") if entry.name.isdecimal()]
    if versions:
        path = max(versions, key=lambda entry: int(entry.name))
    if not (path / "saved_model.pb").is_file():
        raise ValueError(
            "SAMPLER must be the folder of an exported sampler, or of its versions. "
            f"Received: {str(path)!r}. Write one with gan.export(path, version=1)."
        )
    return path


# One process, and as many samples at a time as there are cores; what waits longer than
# the timeout, or beyond the number of requests, is refused (504, 503).
@bentoml.service(
    workers=1,
    threads=os.cpu_count() or 1,
    traffic={"timeout": 60, "max_concurrency": 64},
)
class Sampler:
    """The service: /sample, and BentoML's /livez, /readyz and /metrics."""

    def __init__(self):
        """Loads the sampler and draws once, so that no client waits for it."""
        path = find_sampler(os.environ.get("SAMPLER", "sampler"))
        # The signature lives as long as the model that it belongs to.
        self._model = tf.saved_model.load(str(path))
        self._function = self._model.signatures["sample"]
        specs = self._function.structured_input_signature[1]
        self._labels = specs.get("labels")
        if self._labels is not None and self._labels.shape[1:].num_elements() != 1:
            raise ValueError(
                "This service takes one integer label a sample. Received: a sampler "
                f"with labels of shape {self._labels.shape}. Change `labels` in "
                "service.py to what it wants."
            )
        self.sample(1, 0, None if self._labels is None else [0])

    @bentoml.api
    def sample(
        self, num_samples: NumSamples, seed: Seed, labels: list[Label] | None = None
    ) -> np.ndarray:
        """Returns samples (num_samples, ...), a function of the seed and labels."""
        inputs = {
            "num_samples": tf.constant(num_samples, tf.int32),
            "seed": tf.constant(seed, tf.int64),
        }
        if (labels is None) != (self._labels is None):
            wanted = "no labels" if self._labels is None else "labels, one for each"
            raise bentoml.exceptions.InvalidArgument(f"This sampler takes {wanted}.")
        if labels is not None:
            given = tf.constant(labels, self._labels.dtype)
            inputs["labels"] = tf.reshape(given, [-1, *self._labels.shape[1:]])
        try:
            return self._function(**inputs)["samples"].numpy()
        except tf.errors.InvalidArgumentError as error:
            # The graph's own words, without TensorFlow's account of where.
            text = re.search(r"assertion failed: (.*)", error.message)
            text = text.group(1) if text else error.message
            raise bentoml.exceptions.InvalidArgument(text) from None

    def __is_ready__(self) -> bool:
        """Whether the loaded sampler answers, for /readyz."""
        labels = None if self._labels is None else []
        return self.sample(0, 0, labels).shape[0] == 0
