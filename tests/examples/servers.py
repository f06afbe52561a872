"""Servers in processes of their own, for the tests that ask them."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples" / "serve"


def free_port():
    """Returns the number of a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running(command, ready, log, seconds=120, **environment):
    """Runs a server until it answers at ``ready``; kills it and its children after."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + seconds
        while not answers(ready):
            text = log.read_text(errors="replace")[-3000:]
            assert process.poll() is None, f"The server ended: {text}"
            assert time.monotonic() < deadline, f"No answer in {seconds} s: {text}"
            time.sleep(0.2)
        yield process
    finally:
        for number, wait in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)


def answers(url):
    """Returns whether a GET of the address gets 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def bentoml(sampler, folder, **environment):
    """Runs the example service over an export; gives its address and its process."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "bentoml", "serve", "service:Sampler"]
    command += [f"--working-dir={FOLDER}", "--host=127.0.0.1", f"--port={port}"]
    settings = {
        "SAMPLER": str(sampler),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    log = folder / "log.txt"
    with running(command, f"{url}/readyz", log, **settings) as process:
        yield url, process
