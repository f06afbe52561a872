"""Two processes over 127.0.0.1, started with nothing but TF_CONFIG."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gamegan.distribution import stopping, workers
from tests import strategies
from tests.conformance import cluster
from tests.distribution import scenario

EXAMPLE = "examples/train_multi_worker.py"
# Generous: a machine may be busy; a hang is still a failure.
LIMIT = 600


@pytest.fixture(scope="module", name="outcome")
def fixture_outcome(tmp_path_factory):
    """Function part -> what both workers found; one process group for all parts."""
    folder = tmp_path_factory.mktemp("scenario")
    arguments = ["-m", "tests.distribution.scenario", folder]
    with cluster.Cluster(2, arguments, folder / "logs") as started:
        started.check(LIMIT)

    def read(part):
        paths = [folder / f"{part}-{rank}.json" for rank in range(2)]
        found = [json.loads(path.read_text()) for path in paths]
        assert "failure" not in found[0], found[0]["failure"]
        return found

    read.folder = folder
    return read


def test_one_process_is_its_own_chief():
    strategy = tf.distribute.get_strategy()
    assert workers.is_chief(strategy)
    assert workers.num_workers(strategy) == 1
    assert workers.all_rows(strategy, np.ones((1, 3))).tolist() == [[1.0] * 3]
    callbacks = [keras.callbacks.CSVLogger("never.csv")]
    assert workers.callbacks_of_worker(strategy, callbacks) is callbacks


def test_running_means_on_another_number_of_replicas():
    strategy = strategies.mirrored()
    with strategy.scope():
        mean = keras.metrics.Mean()
    workers.restore_replica_values(strategy, mean.variables, [[3.0, 4.0], [1.0, 4.0]])
    rows = workers.replica_values(strategy, mean.variables)
    assert rows == [[3.0, 4.0], [1.0, 4.0]]
    workers.restore_replica_values(strategy, mean.variables, [[6.0, 8.0]])
    assert workers.replica_values(strategy, mean.variables) == [[3.0, 4.0]] * 2
    assert float(mean.result()) == 0.75


@pytest.mark.slow
def test_fit_evaluate_predict_and_callbacks(outcome):
    chief, other = outcome("callbacks_write_once")
    for name in ("logs", "scores", "predicted", "samples", "digest"):
        assert chief[name] == other[name], name
    np.testing.assert_allclose(chief["predicted"], chief["expected"], atol=1e-6)
    assert {"d_loss", "g_loss", "value", "val_d_loss"} <= set(chief["logs"])
    assert chief["wrote"] == ["board", "grid", "log.csv", "model.keras"]
    assert other["wrote"] == []
    assert (outcome.folder / "sampler").is_dir()


@pytest.mark.slow
def test_what_the_chief_saved_loads_on_one_process(outcome):
    chief, _ = outcome("callbacks_write_once")
    gan = keras.models.load_model(outcome.folder / "model.keras")
    np.testing.assert_allclose(gan.sample(3, seed=0), chief["samples"], atol=1e-6)
    served = tf.saved_model.load(str(outcome.folder / "sampler"))
    assert set(served.signatures) == {"serving_default", "sample"}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["resuming", "backup"])
def test_a_stopped_run_goes_on_exactly(outcome, part):
    for found in outcome(part):
        assert found["stopped"] == found["straight"]
        if part == "resuming":
            assert found["stopped logs"] == found["straight logs"]


@pytest.mark.slow
def test_every_worker_measures_the_same(outcome):
    chief, other = outcome("measurements")
    assert chief == other
    alone = scenario.measurements(strategies.mirrored())
    assert chief["samples"] == alone["samples"] == 64
    assert {"mixture_distance", "mixture_recall", "nash_value"} <= set(chief["logs"])
    assert set(chief["logs"]) == set(alone["logs"])
    for name, values in alone["logs"].items():
        np.testing.assert_allclose(chief["logs"][name], values, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(chief["payoffs"], alone["payoffs"], rtol=1e-3)
    np.testing.assert_allclose(chief["shares"], alone["shares"], atol=1e-2)
    np.testing.assert_allclose(chief["digest"], alone["digest"], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_workers_that_differ_are_all_told(outcome):
    for found in outcome("disagreement"):
        for part, differs in (
            ("seed", "its seed"),
            ("penalty", "its optimizers, loss or penalty"),
            ("version", "its versions of keras_gamegan, Keras or TensorFlow"),
            ("folder", "its step to go on from"),
        ):
            assert f"Received: worker 1 differs in {differs}" in found[part]
        assert "Received: batches of 1 example(s) on 2 replicas" in found["small"]
        assert "Use dtype='float16' there" in found["bfloat16"]
        assert found["agreeing"] == "trained"


@pytest.mark.slow
def test_workers_whose_data_differ_are_all_told(outcome):
    chief, other = outcome("other_data")
    for found in (chief, other):
        told = {name: text for name, text in found.items() if "|" in name}
        assert len(told) == 14
        for name, text in told.items():
            expected = f"Received: worker 1 differs in its {name.split('|')[1]}"
            assert expected in text, (name, text)
            assert "from worker 0. Start every worker with the same" in text
        assert found["steps before"] == 0
        assert found["steps of unequal data"] == 12
    reason = "The data must be finite. Received:"
    assert other["failing"].startswith(f"ValueError: {reason}")
    assert f"from worker 1: ValueError: {reason}" in chief["failing"]
    assert chief["failing"].startswith("WorkerLostError: Expected all workers")
    assert chief["digest"] == other["digest"]


@pytest.mark.slow
def test_one_worker_that_stops_stops_all(outcome):
    chief, other = outcome("stop_alone")
    expected = {
        "at the end of an epoch": [8, [0, 1], True],
        "inside an epoch": [4, [0], True],
        "inside a long epoch": [stopping.STEPS_BETWEEN, [0], True],
    }
    for name, stopped in expected.items():
        assert chief[name] == other[name] == stopped, name
        assert chief[f"digest {name}"] == other[f"digest {name}"], name
    # Spread over the steps between two of them, an exchange is next to nothing.
    seconds = chief["seconds"]
    assert seconds["exchange"] / stopping.STEPS_BETWEEN < 0.1 * seconds["step"]


@pytest.mark.slow
def test_keras_itself_cannot_yet(outcome):
    """If this fails, keras#20585 is fixed: see distribution/replicas.py.

    Then `logs_for_keras` and `BuiltTrainer` may have become superfluous.
    """
    for found in outcome("plain_keras"):
        assert found["error"] is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "part, expected",
    [
        ("other_shapes", ("", "Shape mismatch")),
        ("other_class", ("", "")),
        ("nan_on_one", ("WorkerLostError", "NonFiniteError")),
        # Seconds in `fit` are bounded below.
        ("late", ("no answer on worker 0; alive, but busy or stuck: worker 1 (", "")),
        ("killed_before_fit", ("but worker 1 ended", "")),
    ],
)
def test_nobody_hangs(part, expected, tmp_path):
    arguments = ["-m", "tests.distribution.scenario", tmp_path, part]
    with cluster.Cluster(2, arguments, tmp_path / "logs") as started:
        codes = started.wait(90)
        assert None not in codes, codes
    for rank, words in enumerate(expected):
        found = tmp_path / f"{part}-{rank}.json"
        # TensorFlow itself may end a worker whose partner is gone.
        error = json.loads(found.read_text())["error"] if found.exists() else ""
        assert error is not None
        assert words in error + started.text(rank)
        if part in ("late", "killed_before_fit") and rank == 0:
            assert "WorkerLostError: Expected all workers" in error
            assert json.loads(found.read_text())["seconds"] < 45
    if part == "nan_on_one":
        told = json.loads((tmp_path / f"{part}-0.json").read_text())["error"]
        reason = json.loads((tmp_path / f"{part}-1.json").read_text())["error"]
        # The same reason on all, and what was written before is whole.
        assert f"from worker 1: {reason}" in told
        assert "the training data became NaN" in reason
        names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
        assert [n for n in names if n.startswith("step-")] == names
        assert {name.split(".")[0] for name in names} == {"step-000000000001"}


def train(folder, *arguments):
    return [
        EXAMPLE,
        f"--output_dir={folder}",
        "--epochs=2",
        "--steps_per_epoch=30",
        "--batch_size=16",
        "--checkpoint_steps=7",
        *arguments,
    ]


def weights(folder):
    gan = keras.models.load_model(pathlib.Path(folder) / "model.keras")
    slots = [*gan.d_optimizer.variables, *gan.g_optimizer.variables]
    return [*gan.get_weights(), *(np.array(slot.numpy()) for slot in slots)]


@pytest.fixture(scope="module", name="undisturbed")
def fixture_undisturbed(tmp_path_factory):
    """The weights of a run of the example that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with cluster.Cluster(2, train(folder / "run"), folder / "logs") as started:
        started.check(LIMIT)
    return weights(folder / "run")


def until_a_checkpoint(started, folder):
    """Waits, bounded, until the chief has written one."""
    end = time.monotonic() + LIMIT
    while not list(folder.glob("step-*.json")):
        assert time.monotonic() < end and None in started.wait(0.05)


def assert_goes_on(folder, logs, undisturbed):
    """Asserts that the same command ends as a run that nothing happened to."""
    with cluster.Cluster(2, train(folder), logs) as started:
        started.check(LIMIT)
    for left, right in zip(undisturbed, weights(folder), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_worker_stops_the_other_and_both_resume(victim, tmp_path, undisturbed):
    folder = tmp_path / "run"
    with cluster.Cluster(2, train(folder), tmp_path / "killed") as started:
        until_a_checkpoint(started, folder / "checkpoints")
        started.processes[victim].kill()
        begin = time.monotonic()
        # Bounded: the survivor notices without anybody's help.
        codes = started.wait(120)
        print(f"survivor stopped after {time.monotonic() - begin:.1f} seconds")
        assert codes[1 - victim] not in (0, None)
        assert "WorkerLostError: Expected all workers" in started.text(1 - victim)
        assert f"but worker {victim} ended" in started.text(1 - victim)
    assert_goes_on(folder, tmp_path / "again", undisturbed)


@pytest.mark.slow
def test_a_full_disk_stops_both_and_both_resume(tmp_path, undisturbed):
    checkpoints = tmp_path / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(checkpoints)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk is not allowed here")
    try:
        with cluster.Cluster(2, train(tmp_path / "run"), tmp_path / "full") as started:
            until_a_checkpoint(started, checkpoints)
            filler = checkpoints / "filler"
            with contextlib.suppress(OSError), filler.open("wb", 0) as file:
                while file.write(bytes(4096)):
                    pass
            begin = time.monotonic()
            codes = started.wait(120)
            print(f"both stopped after {time.monotonic() - begin:.1f} seconds")
            assert None not in codes and 0 not in codes, codes
            chief, other = started.text(0), started.text(1)
        assert "OSError: The checkpoint of step" in chief
        reason = "from worker 0: OSError: The checkpoint of step"
        assert "WorkerLostError: Expected all workers" in other and reason in other
        filler.unlink()
        assert_goes_on(tmp_path / "run", tmp_path / "again", undisturbed)
    finally:
        subprocess.run(["umount", str(checkpoints)], check=True)


@pytest.mark.slow
def test_the_launcher_starts_its_workers(tmp_path):
    command = [sys.executable, *train(tmp_path / "run", "--num_workers=2")]
    environment = {**os.environ, "PYTHONPATH": str(cluster.ROOT)}
    done = subprocess.run(
        command,
        cwd=cluster.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Wrote" in done.stdout
    assert (tmp_path / "run" / "sampler" / "1" / "saved_model.pb").is_file()
    assert len(weights(tmp_path / "run")) > 0
