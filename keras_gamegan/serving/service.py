"""Serves an exported sampler over HTTP with BentoML.

    SAMPLER=runs/x/sampler bentoml serve service:Sampler --working-dir examples/serve

`kgg serve` does the same. SAMPLER is the absolute path of what `gan.export` wrote, or
of a folder of its versions, of which the largest is served. POST /sample takes
{"num_samples", "seed" [, "labels"]} and answers with nested lists; the same seed gives
the samples of `gan.sample`.
"""

import os
import re
from typing import Annotated

import bentoml
import numpy as np
import pydantic
import pydantic_core
from starlette.responses import Response

from keras_gamegan.serving import connections, limits, sampler_folder

# Samples in one request; the export itself bounds them at 4096.
MAX_SAMPLES = int(os.environ.get("MAX_SAMPLES", "256"))
# Bytes of a body: 4096 labels fit in.
MAX_BODY = 2**16
# Seconds that a body may take to arrive.
BODY_SECONDS = 10
# Requests that are in work or wait for a thread.
MAX_REQUESTS = 64
# Seconds from a request's head to its reply.
TIMEOUT = 60

NumSamples = Annotated[int, pydantic.Field(ge=0, le=MAX_SAMPLES)]
Seed = Annotated[int, pydantic.Field(ge=0, lt=2**63)]
# What an int32 holds; the graph knows how many classes there are.
Label = Annotated[int, pydantic.Field(ge=0, lt=2**31)]


def encode(samples: np.ndarray) -> Response:
    """Returns the reply with an array as nested lists.

    BentoML would do this in the one thread that reads requests and answers /readyz;
    here it is done in the request's own. One sample at a time, since each call keeps
    Python from the other threads.
    """
    rows = (
        pydantic_core.to_json(sample.tolist(), inf_nan_mode="null")
        for sample in samples
    )
    return Response(b"[" + b",".join(rows) + b"]", media_type="application/json")


# One process, and as many samples at a time as there are cores; what waits longer than
# the timeout gets 504. How many may wait is for `limits`, since BentoML's own limit
# gives a place to a request whose body is not there yet.
@bentoml.service(workers=1, threads=os.cpu_count() or 1, traffic={"timeout": TIMEOUT})
class Sampler:
    """The service: /sample, and BentoML's /livez, /readyz and /metrics.

    /readyz answers as soon as `__init__` is through. It draws nothing, so it depends on
    no place and no thread.
    """

    def __init__(self) -> None:
        """Loads the sampler and draws once, so that no client waits for it."""
        # Here, since BentoML's supervisor imports this file too and needs none of it.
        import tensorflow as tf

        path = sampler_folder.find_sampler(os.environ.get("SAMPLER", "sampler"))
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
        import tensorflow as tf

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
            return encode(self._function(**inputs)["samples"].numpy())
        except tf.errors.InvalidArgumentError as error:
            # The graph's own words, without TensorFlow's account of where.
            found = re.search(r"assertion failed: (.*)", error.message)
            text = found.group(1) if found else error.message
            raise bentoml.exceptions.InvalidArgument(text) from None


Sampler.add_asgi_middleware(  # type: ignore[attr-defined]
    limits.Limits, max_body=MAX_BODY, seconds=BODY_SECONDS, max_requests=MAX_REQUESTS
)
connections.install()
