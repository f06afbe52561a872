"""Who the workers of a cluster are, and how long one waits for another."""

import os
import socket
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import tensorflow as tf

TIMEOUT = "KERAS_GAMEGAN_WORKER_TIMEOUT"
_DEFAULT_SECONDS = 60.0

Resolver: TypeAlias = tf.distribute.cluster_resolver.ClusterResolver


class Task(NamedTuple):
    """One worker.

    Attributes:
        name: "worker 0", or "chief 0".
        host: Name or address of its machine.
        port: Port of its TensorFlow server.
    """

    name: str
    host: str
    port: int


def tasks(resolver: Resolver | None) -> list[Task]:
    """Returns the tasks that train together, in the order of their replicas."""
    spec = {} if resolver is None else resolver.cluster_spec().as_dict()
    return [
        Task(f"{job} {index}", *_host_and_port(address))
        for job in ("chief", "worker")
        for index, address in _numbered(spec.get(job, ()))
    ]


def own_name(resolver: Resolver) -> str:
    """Returns this process' name among the tasks."""
    return f"{resolver.task_type} {resolver.task_id}"


def patience() -> float:
    """Returns for how many seconds a worker waits for one that does not answer.

    Raises:
        ValueError: If the environment holds no such number.
    """
    text = os.environ.get(TIMEOUT, str(_DEFAULT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise ValueError(
            f"{TIMEOUT} must be a number of seconds above 0. Received: {TIMEOUT}="
            f"{text!r} in the environment. Unset it for {_DEFAULT_SECONDS:g}."
        )
    return seconds


def silent(others: Sequence[Task]) -> list[Task]:
    """Returns those of the tasks at whose address nobody listens, by connecting."""
    found = []
    for task in others:
        try:
            socket.create_connection((task.host, task.port), timeout=2.0).close()
        except OSError:
            found.append(task)
    return found


def _numbered(addresses: dict[int, str] | Sequence[str]) -> list[tuple[int, str]]:
    # Where tasks are missing, TensorFlow has a dictionary instead of a list.
    if isinstance(addresses, dict):
        return sorted(addresses.items())
    return list(enumerate(addresses))


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
