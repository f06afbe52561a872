"""Asks a server for images and draws the reply.

    python examples/serve/request.py --server=tf_serving --output=reply.png
    python examples/serve/request.py --server=bentoml --num_samples=64 --seed=3

The reply is that of `gan.sample` with the same seed.
"""

import json
import pathlib
import urllib.error
import urllib.request

import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

URLS = {
    "tf_serving": "http://localhost:8501/v1/models/sampler:predict",
    "bentoml": "http://localhost:3000/sample",
}
FLAGS = flags.FLAGS
flags.DEFINE_enum("server", "tf_serving", sorted(URLS), "Kind of server.")
flags.DEFINE_string("url", None, "Address to post to; default: that kind's usual one.")
flags.DEFINE_integer("num_samples", 16, "Number of images.", 1)
flags.DEFINE_integer("seed", 0, "Seed of the images.", 0)
flags.DEFINE_list("labels", None, "Classes of the images, of a class-conditional GAN.")
flags.DEFINE_string("output", "reply.png", "Picture to write.")
flags.DEFINE_float("timeout", 60.0, "Seconds to wait for the reply.", 0.0)


def by_seed(server, num_samples, seed, labels=None):
    """Returns the body of a request for samples of a seed."""
    inputs = {"num_samples": num_samples, "seed": seed}
    if labels is not None:
        inputs["labels"] = labels
    if server == "bentoml":
        return inputs
    # Numbers without a batch axis go in TF Serving's format of columns only.
    return {"signature_name": "sample", "inputs": inputs}


def by_latents(latents, labels=None):
    """Returns the body of a request for samples of latents, for TF Serving."""
    rows = [{"latents": latent} for latent in np.asarray(latents).tolist()]
    for row, label in zip(rows, labels or [], strict=bool(labels)):
        row["labels"] = label
    return {"signature_name": "serving_default", "instances": rows}


def samples_of(reply):
    """Returns the samples of a decoded reply: array (n, ...)."""
    if isinstance(reply, dict):
        (reply,) = (reply[key] for key in ("outputs", "predictions") if key in reply)
    return np.array(reply, "float32")


def post(url, body, timeout=60.0):
    """Posts JSON and returns the decoded reply.

    Raises:
        RuntimeError: If the server refuses, with its reason.
    """
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        raise RuntimeError(
            f"{url} refused the request: HTTP {error.code}, {text}"
        ) from error


def main(argv):
    """Asks and draws."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    labels = None if FLAGS.labels is None else [int(label) for label in FLAGS.labels]
    body = by_seed(FLAGS.server, FLAGS.num_samples, FLAGS.seed, labels)
    images = samples_of(post(FLAGS.url or URLS[FLAGS.server], body, FLAGS.timeout))
    picture = tf.io.encode_png(kgg.callbacks.image_grid(images)).numpy()
    pathlib.Path(FLAGS.output).write_bytes(picture)
    print(f"{len(images)} images in {FLAGS.output}")


if __name__ == "__main__":
    app.run(main)
