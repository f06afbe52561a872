"""Why a worker stops, told to the others while it still can.

What TensorFlow says on the other workers is that a connection broke, whatever the
reason. So during `fit` each listens on a port of its own, and whoever is stopped by an
error says which before its process ends. Where no such connection can be made, the
others know no more than before.
"""

import contextlib
import json
import secrets
import socket
import threading
from collections.abc import Iterator

import tensorflow as tf

from keras_gamegan.distribution import cluster, lost_worker, sockets, workers

# Characters of an error, and bytes of them in JSON; seconds for a connection, and for a
# notice that is late.
_LONGEST, _MOST_BYTES = 2000, 16_000
_SECONDS_TO_CONNECT = 2.0
_SECONDS_TO_HEAR = 1.0


@contextlib.contextmanager
def exchanged(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Within, an error on one worker is the reason of `WorkerLostError` on the others.

    Every worker must enter it at the same point.

    Args:
        strategy: The model's strategy.
    """
    if workers.num_workers(strategy) == 1:
        yield
        return
    board = _Board(strategy)
    try:
        yield
    except lost_worker.WorkerLostError:
        notice = board.heard()
        if notice is None:
            raise
        raise lost_worker.stopped(*notice, strategy) from None
    except BaseException as error:
        board.tell(f"{type(error).__name__}: {error}")
        raise
    finally:
        board.close()


class _Board:
    """One worker's ear and mouth.

    Args:
        strategy: The model's strategy.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._notices: list[tuple[str, str]] = []
        self._has_heard = threading.Event()
        # Whoever does not know it is not listened to.
        self._password = secrets.token_hex(16)
        self._listener = sockets.Listener(0, self._hear)
        self._name = cluster.own_name(strategy.cluster_resolver)
        place = self._listener.port, self._password
        texts = workers.all_texts(strategy, json.dumps(place), "the first step")
        self._others = [
            (task.host, *json.loads(text))
            for task, text in zip(
                cluster.tasks(strategy.cluster_resolver), texts, strict=True
            )
            if task.name != self._name
        ]

    def tell(self, reason: str) -> None:
        """Tells all other workers, of which some may be gone."""
        for host, port, password in self._others:
            message = json.dumps([password, self._name, reason[:_LONGEST]])
            with contextlib.suppress(OSError):
                address = host, port
                with socket.create_connection(address, _SECONDS_TO_CONNECT) as made:
                    made.sendall(message.encode())

    def heard(self) -> tuple[str, str] | None:
        """Returns (name, reason) of the first that told one, or None."""
        self._has_heard.wait(_SECONDS_TO_HEAR)
        return self._notices[0] if self._notices else None

    def close(self) -> None:
        """Hears no more."""
        self._listener.close()

    def _hear(self, connection: socket.socket) -> None:
        password, name, reason = json.loads(sockets.received(connection, _MOST_BYTES))
        if secrets.compare_digest(password, self._password):
            self._notices.append((str(name), str(reason)))
            self._has_heard.set()
