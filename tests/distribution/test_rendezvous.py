"""Workers that meet before TensorFlow starts: threads here, over 127.0.0.1."""

import json
import socket
import threading
import time

import pytest

import keras_gamegan as kgg
from keras_gamegan.distribution import cluster, rendezvous
from tests.conformance import cluster as processes

wait = kgg.distribution.wait_for_workers


class Resolver:
    """What a cluster resolver says, without TensorFlow's environment variable."""

    def __init__(self, spec, task_type, task_id):
        self.spec, self.task_type, self.task_id = spec, task_type, task_id

    def cluster_spec(self):
        return self

    def as_dict(self):
        return self.spec


@pytest.fixture(name="addresses")
def fixture_addresses():
    return [f"127.0.0.1:{port}" for port in processes.free_ports(3)]


def meet(spec, members, timeout, delay=0.0):
    """Lets these members wait at once; returns {name: error or None} and seconds."""
    found = {}

    def run(number, job, index):
        time.sleep(delay * number)
        try:
            found[f"{job} {index}"] = wait(timeout, Resolver(spec, job, index))
        except Exception as error:
            found[f"{job} {index}"] = error

    threads = [
        threading.Thread(target=run, args=(number, *member))
        for number, member in enumerate(members)
    ]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found, time.monotonic() - begin


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_all_meet_and_leave_their_ports_free(addresses, delay):
    spec = {"chief": addresses[:1], "worker": addresses[1:], "ps": ["10.0.0.1:1"]}
    members = [("chief", 0), ("worker", 0), ("worker", 1)]
    found, _ = meet(spec, members, 30, delay)
    assert found == dict.fromkeys(["chief 0", "worker 0", "worker 1"])
    for address in addresses:
        socket.create_server(("127.0.0.1", int(address.split(":")[1]))).close()


def test_the_missing_are_named_in_time(addresses):
    found, seconds = meet({"worker": addresses}, [("worker", 0), ("worker", 2)], 2)
    assert 2 <= seconds < 10
    for name, error in found.items():
        assert isinstance(error, kgg.WorkerLostError)
        assert f"Expected all 3 workers within 2 seconds. Received, on {name}" in str(
            error
        )
        assert f"worker 1 at {addresses[1]}: Connection refused." in str(error)
        assert "worker 2 at" not in str(error) and "worker 0 at" not in str(error)


def test_another_program_is_no_worker(addresses):
    with socket.create_server(("127.0.0.1", int(addresses[1].split(":")[1]))) as other:

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\n")

        threading.Thread(target=answer, daemon=True).start()
        found, _ = meet({"worker": addresses[:2]}, [("worker", 0)], 2)
    told = f"worker 1 at {addresses[1]}: another program listens there"
    assert told in str(found["worker 0"])


def test_workers_of_other_addresses_do_not_meet(addresses):
    begin = threading.Barrier(2)
    errors = []

    def run(spec, index):
        begin.wait()
        with pytest.raises(kgg.WorkerLostError) as caught:
            wait(2, Resolver({"worker": spec}, "worker", index))
        errors.append(str(caught.value))

    reversed_ones = [addresses[0].replace("127.0.0.1", "localhost"), addresses[1]]
    other = threading.Thread(target=run, args=(reversed_ones, 1))
    other.start()
    run(addresses[:2], 0)
    other.join()
    assert all("another program listens there, or a worker of" in e for e in errors)


def test_a_taken_port_is_said(addresses, monkeypatch):
    monkeypatch.setattr(rendezvous, "_SECONDS_TO_BIND", 0.0)
    port = int(addresses[0].split(":")[1])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(
            OSError, match=rf"port of worker 0 must be free.*port {port}: Add"
        ),
    ):
        wait(5, Resolver({"worker": addresses}, "worker", 0))


def test_alone_nothing_is_waited_for(monkeypatch, addresses):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert wait() is None
    config = {"cluster": {"worker": addresses[:1]}, "task": {"type": "worker"}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert wait() is None
    assert wait(5, Resolver({"worker": addresses}, "evaluator", 0)) is None


@pytest.mark.parametrize("text", ["", "soon", "0", "-1", "nan", "inf"])
def test_the_environment_holds_seconds(text, monkeypatch):
    monkeypatch.setenv(cluster.TIMEOUT, text)
    with pytest.raises(ValueError, match=f"{cluster.TIMEOUT} must be.*Received.*Unset"):
        wait()
    with pytest.raises(ValueError, match=r"`timeout` must be.*Received: timeout=0"):
        wait(0)


def test_how_long_one_waits(monkeypatch):
    monkeypatch.delenv(cluster.TIMEOUT, raising=False)
    assert cluster.patience() == 60.0
    monkeypatch.setenv(cluster.TIMEOUT, "2.5")
    assert cluster.patience() == 2.5


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({"worker": ["a:1", "b:2"]}, [("worker 0", "a", 1), ("worker 1", "b", 2)]),
        (
            {"worker": ["[::1]:7"], "chief": ["c.d:3"]},
            [("chief 0", "c.d", 3), ("worker 0", "::1", 7)],
        ),
        (
            {"worker": {1: "b:2", 0: "a:1"}, "ps": ["p:9"]},
            [("worker 0", "a", 1), ("worker 1", "b", 2)],
        ),
        ({}, []),
    ],
)
def test_tasks_in_the_order_of_replicas(spec, expected):
    assert [tuple(t) for t in cluster.tasks(Resolver(spec, "worker", 0))] == expected
