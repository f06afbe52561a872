"""Workers that wait for each other before TensorFlow does, and not for ever."""

import errno
import hashlib
import socket
import threading
import time
from collections.abc import Sequence

import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.distribution import cluster, lost_worker, sockets

_PAUSE, _SECONDS_TO_CONNECT = 0.2, 5.0
# Seconds for a predecessor on this port to end: TensorFlow takes a few.
_SECONDS_TO_BIND = 10.0


def wait_for_workers(
    timeout: float | None = None, cluster_resolver: cluster.Resolver | None = None
) -> None:
    """Waits until all workers are there; names those that are not.

    `tf.distribute.MultiWorkerMirroredStrategy()` connects to the other workers before
    anything of this library runs, and waits for a missing one for an hour without a
    word. Called before it, on every worker, this function returns as soon as all of
    them have called it, and raises after a time that you choose. It uses the workers'
    own addresses, which it leaves free. Without TF_CONFIG, or with one worker, it
    returns at once.

    Args:
        timeout: Seconds to wait, > 0. Default: None, the environment's
            KERAS_GAMEGAN_WORKER_TIMEOUT, or 60.
        cluster_resolver: A `tf.distribute.cluster_resolver.ClusterResolver`. Default:
            None, by TF_CONFIG.

    Raises:
        WorkerLostError: If some workers did not come in time; the message names them
            and their addresses.
        OSError: If this worker's own port is taken.
        ValueError: If the timeout is not positive.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.distribution.wait_for_workers(timeout=600)  # TF_CONFIG is not set.
    """
    if timeout is None:
        timeout = cluster.patience()
    timeout = validation.check_number("timeout", timeout, exclusive=True)
    if cluster_resolver is None:
        cluster_resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    tasks = cluster.tasks(cluster_resolver)
    if len(tasks) < 2:
        return
    own = cluster.own_name(cluster_resolver)
    if own in [task.name for task in tasks]:
        with _Meeting(tasks, own, time.monotonic() + timeout) as meeting:
            meeting.wait(timeout)


class _Meeting:
    """One worker's part: it greets each of the others, and answers their greetings.

    It may leave once all have answered: by then all have been greeted, so nobody needs
    its answer any more.

    Args:
        tasks: All tasks.
        own: This one's name.
        deadline: Monotonic time to wait until.
    """

    def __init__(
        self, tasks: Sequence[cluster.Task], own: str, deadline: float
    ) -> None:
        self._deadline = deadline
        # Workers of different clusters do not answer each other.
        digest = hashlib.sha256(repr(tasks).encode()).hexdigest()[:16]
        self._prefix = f"keras_gamegan {digest} "
        self._own = next(task for task in tasks if task.name == own)
        self._others = [task for task in tasks if task.name != own]
        self._here: set[str] = set()
        self._trouble: dict[str, str] = {}
        self._listener = self._bind()

    def __enter__(self) -> "_Meeting":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def wait(self, timeout: float) -> None:
        """Returns when all others are here, or raises."""
        threads = [
            threading.Thread(target=self._greet, args=(task,), daemon=True)
            for task in self._others
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(self._deadline - time.monotonic(), 0.0))
        missing = [task for task in self._others if task.name not in self._here]
        if missing:
            told = "; ".join(
                f"{task.name} at {task.host}:{task.port}: "
                f"{self._trouble.get(task.name, 'no answer')}"
                for task in missing
            )
            raise lost_worker.WorkerLostError(
                f"Expected all {len(self._others) + 1} workers within {timeout:g} "
                f"seconds. Received, on {self._own.name}: {told}. See its log, start "
                "all of them at about the same time with the same addresses, or wait "
                f"longer: {cluster.TIMEOUT}=600 in the environment."
            )

    def _bind(self) -> sockets.Listener:
        end = min(time.monotonic() + _SECONDS_TO_BIND, self._deadline)
        while True:
            try:
                return sockets.Listener(self._own.port, self._answer)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                    raise OSError(
                        error.errno,
                        f"The port of {self._own.name} must be free on this machine. "
                        f"Received: port {self._own.port}: {error.strerror}. End the "
                        "program that has it, a worker of an earlier run perhaps, or "
                        "give all workers another address for this one.",
                    ) from error
            time.sleep(_PAUSE)

    def _greet(self, task: cluster.Task) -> None:
        """Greets one of the others until it answers."""
        while time.monotonic() < self._deadline:
            address = task.host, task.port
            try:
                made = socket.create_connection(address, _SECONDS_TO_CONNECT)
            except OSError as error:
                self._trouble[task.name] = error.strerror or str(error)
            else:
                if self._answer_to_greeting(made) == self._prefix + task.name:
                    self._here.add(task.name)
                    return
                self._trouble[task.name] = (
                    "another program listens there, or a worker of other addresses"
                )
            if task.name in self._here:
                # It has greeted, and gone on.
                return
            time.sleep(_PAUSE)

    def _answer_to_greeting(self, made: socket.socket) -> str | None:
        with made:
            try:
                made.sendall(f"{self._prefix}{self._own.name}\n".encode())
                return _line(made)
            except OSError:
                return None

    def _answer(self, connection: socket.socket) -> None:
        """Answers a greeting."""
        greeting = _line(connection)
        name = greeting.removeprefix(self._prefix)
        known = name in [task.name for task in self._others]
        if greeting.startswith(self._prefix) and known:
            connection.sendall(f"{self._prefix}{self._own.name}\n".encode())
            self._here.add(name)


def _line(connection: socket.socket) -> str:
    found = sockets.received(connection, 200, until=b"\n")
    return found.decode(errors="replace").removesuffix("\n")
