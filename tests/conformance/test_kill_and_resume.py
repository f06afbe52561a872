"""Killed with -9 at random points and started again: the same run, bit for bit."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

WORKER = pathlib.Path(__file__).with_name("resume_worker.py")
KINDS = ("gan", "duality_gap", "fictitious")
# Over the three classes: at least 20 points.
KILLS = 7
TIMEOUT = 600.0


def start(kind, folder):
    """Starts the worker in a process of its own."""
    folder.mkdir(exist_ok=True)
    with open(folder / "output", "a") as output:
        return subprocess.Popen(
            [sys.executable, str(WORKER), kind, str(folder)],
            stdout=output,
            stderr=output,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )


def steps_done(folder):
    """Number of steps reported so far, replayed ones counted again."""
    path = folder / "progress"
    return len(path.read_text().splitlines()) if path.exists() else 0


def wait_until(condition, process, folder):
    """Waits, bounded, until the condition holds or the process has ended."""
    deadline = time.monotonic() + TIMEOUT
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline, (folder / "output").read_text()[-2000:]
        time.sleep(0.001)


def run_to_the_end(kind, folder):
    """Runs the worker undisturbed; returns its result."""
    process = start(kind, folder)
    process.wait(TIMEOUT)
    assert process.returncode == 0, (folder / "output").read_text()[-2000:]
    return dict(np.load(folder / "result.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_run_equals_undisturbed_run(kind, tmp_path):
    expected = run_to_the_end(kind, tmp_path / "undisturbed")
    folder = tmp_path / "killed"
    chance = random.Random(KINDS.index(kind))
    kills = 0
    for _ in range(KILLS):
        process = start(kind, folder)
        target = steps_done(folder) + chance.randint(1, 20)
        wait_until(lambda target=target: steps_done(folder) >= target, process, folder)
        # Anywhere in a step: also while a checkpoint is being written.
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        kills += process.wait(TIMEOUT) == -signal.SIGKILL
    resumed = run_to_the_end(kind, folder)
    assert kills == KILLS
    assert resumed.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)
