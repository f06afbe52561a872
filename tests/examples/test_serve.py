"""The serving example, against servers: a real one where it is installed.

What a client of TF Serving posts also runs against the SavedModel's own signatures,
which is what TF Serving calls.
"""

import concurrent.futures
import shutil
import subprocess
import sys
import urllib.error

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from tests import scripts
from tests.examples import servers

FOLDER = servers.FOLDER
CLASSES = 3


@pytest.fixture(scope="module", name="client")
def fixture_client():
    """request.py as a module; its flags are gone afterwards."""
    with scripts.loaded("request", folder=FOLDER) as module:
        yield module


@pytest.fixture(scope="module", name="gan")
def fixture_gan():
    """A class-conditional GAN of images with three different generators."""
    model = kgg.FictitiousGAN(
        *kgg.networks.dcgan_pair(
            (8, 8, 1), latent_dim=4, base_filters=4, num_classes=CLASSES, seed=0
        ),
        history=kgg.History(capacity=3, retention="fifo", current_weight=None),
        seed=0,
    )
    for change in (0.5, -1.0):
        model.generator_bank.push()
        for variable in model.generator.trainable_variables:
            variable.assign_add(change * tf.ones(variable.shape))
    model.generator_bank.push()
    return model


@pytest.fixture(scope="module", name="sampler")
def fixture_sampler(gan, tmp_path_factory):
    """Folder with version 1 of the mixture, and version 2 of the live generator."""
    folder = tmp_path_factory.mktemp("served") / "sampler"
    gan.export(folder, source="current", version=1)
    gan.export(folder, source="mixture", score=True, version=2)
    return folder


def _expected(gan, num_samples, seed, labels):
    return gan.sample(num_samples, seed=seed, source="mixture", labels=labels)


# TF Serving.


def _rest(signatures, body):
    """Answers a request of TF Serving's REST interface as its documents say."""
    function = signatures[body["signature_name"]]
    specs = function.structured_input_signature[1]
    columns = body.get("inputs")
    if "instances" in body:
        rows = body["instances"]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
    inputs = {name: tf.constant(columns[name], specs[name].dtype) for name in specs}
    (output,) = function(**inputs).values()
    return {"outputs" if "inputs" in body else "predictions": output.numpy().tolist()}


@pytest.fixture(
    scope="module", name="post", params=["signatures", "tensorflow_model_server"]
)
def fixture_post(request, client, sampler, tmp_path_factory):
    """Function that posts a body to TF Serving, or to what stands in for it."""
    if request.param == "signatures":
        signatures = tf.saved_model.load(str(sampler / "2")).signatures
        yield lambda body: _rest(signatures, body)
        return
    program = shutil.which("tensorflow_model_server")
    if program is None:
        pytest.skip("tensorflow_model_server is not on PATH")
    port, url = servers.free_port(), "http://127.0.0.1:{}/v1/models/sampler{}"
    command = [
        program,
        f"--rest_api_port={port}",
        f"--port={servers.free_port()}",
        "--model_name=sampler",
        f"--model_base_path={sampler}",
    ]
    log = tmp_path_factory.mktemp("log") / "server.txt"
    # It answers with 200 once the version is there, with 404 before.
    with servers.running(command, url.format(port, "/versions/2"), log):
        yield lambda body: client.post(url.format(port, ":predict"), body)


REFUSED = (tf.errors.InvalidArgumentError, RuntimeError)


def test_a_request_by_seed(post, client, gan):
    labels = [0, 1, 2, 1, 0]
    body = client.by_seed("tf_serving", 5, 7, labels)
    samples = client.samples_of(post(body))
    np.testing.assert_allclose(samples, _expected(gan, 5, 7, labels), atol=1e-6)


def test_a_request_by_latents(post, client, gan, sampler):
    latents = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    labels = [0, 1, 2, 0, 1, 2]
    samples = client.samples_of(post(client.by_latents(latents, labels)))
    serve = tf.saved_model.load(str(sampler / "2")).signatures["serving_default"]
    expected = serve(latents=tf.constant(latents), labels=tf.constant(labels))
    np.testing.assert_allclose(samples, expected["samples"], atol=1e-6)
    # Each of them is an image of one of the members.
    members = []
    copy = keras.models.clone_model(gan.generator)
    for weights in gan.generator_bank.member_weights:
        copy.set_weights(weights)
        members.append(copy([latents, np.array(labels)]).numpy())
    distances = np.abs(np.array(members) - samples).max(axis=(2, 3, 4))
    assert np.all(distances.min(axis=0) < 1e-5)
    assert len(set(distances.argmin(axis=0))) > 1


def test_requests_out_of_bounds_are_refused(post, client):
    for arguments, match in (
        ((4097, 0, []), "`num_samples` must be from 0 to 4096"),
        ((-1, 0, []), "`num_samples` must be from 0 to 4096"),
        ((1, -1, [0]), "`seed` must be at least 0"),
        ((2, 0, [0, CLASSES]), f"`labels` must be from 0 to {CLASSES - 1}"),
        ((2, 0, [0]), "`labels` must have one entry for each sample"),
    ):
        with pytest.raises(REFUSED, match=match):
            post(client.by_seed("tf_serving", *arguments))


# BentoML.


@pytest.mark.slow
def test_bentoml_serves_the_models_samples_under_load(client, gan, sampler, tmp_path):
    pytest.importorskip(
        "bentoml", reason="bentoml is not installed: pip install '.[serving]'"
    )
    with servers.bentoml(sampler, tmp_path, MAX_SAMPLES="20") as (url, _):
        assert servers.answers(f"{url}/livez")

        def ask(seed):
            labels = [(seed + index) % CLASSES for index in range(1 + seed)]
            body = client.by_seed("bentoml", len(labels), seed, labels)
            reply = client.samples_of(client.post(f"{url}/sample", body, 60))
            return labels, reply

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, seed) for seed in range(20)]
            replies = [future.result(timeout=300) for future in asked]
        for seed, (labels, samples) in enumerate(replies):
            expected = _expected(gan, len(labels), seed, labels)
            np.testing.assert_allclose(samples, expected, rtol=1e-6, atol=1e-6)

        for arguments, match in (
            ((21, 0, [0] * 21), "HTTP 400.*less than or equal to 20"),
            ((-1, 0, []), "HTTP 400.*greater than or equal to 0"),
            ((1, -1, [0]), "HTTP 400.*greater than or equal to 0"),
            ((1, 0), "HTTP 400.*takes labels, one for each"),
            ((2, 0, [0, CLASSES]), "HTTP 400.*`labels` must be from 0 to 2"),
            ((1, 0, [2**32]), "HTTP 400.*less than 2147483648"),
            ((2, 0, [0]), "HTTP 400.*`labels` must have one entry for each"),
        ):
            with pytest.raises(RuntimeError, match=match):
                client.post(f"{url}/sample", client.by_seed("bentoml", *arguments))

        # The script itself, whose picture is the house's grid.
        arguments = ["--server=bentoml", f"--url={url}/sample", "--num_samples=4"]
        arguments += ["--seed=3", "--labels=0,1,2,0", f"--output={tmp_path / 'x.png'}"]
        printed = subprocess.run(
            [sys.executable, str(FOLDER / "request.py"), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        assert printed.startswith("4 images in ")
        picture = tf.io.decode_png((tmp_path / "x.png").read_bytes()).numpy()
        grid = kgg.callbacks.image_grid(_expected(gan, 4, 3, [0, 1, 2, 0]))
        # A value may lie on the border of two grey levels.
        assert np.abs(picture.astype(int) - grid).max() <= 1
    assert not servers.answers(f"{url}/livez")


def test_the_client_tells_a_servers_reason(client):
    with pytest.raises(urllib.error.URLError, match="refused"):
        client.post(f"http://127.0.0.1:{servers.free_port()}/sample", {}, timeout=5)
    assert client.samples_of([[1.0, 2.0]]).shape == (1, 2)
    for key in ("outputs", "predictions"):
        assert client.samples_of({key: [[1.0], [2.0]]}).shape == (2, 1)
    with pytest.raises(ValueError, match="zip"):
        client.by_latents([[0.0], [1.0]], labels=[1])
