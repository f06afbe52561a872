"""A port that listens in the background and can be closed again."""

import contextlib
import errno
import socket
import threading
from collections.abc import Callable

_SECONDS_A_LOOK = 0.2
_SECONDS_A_CONNECTION = 2.0


class Listener:
    """Listens on all addresses of this machine, and handles one connection at a time.

    Args:
        port: Its port; 0 for any that is free.
        handle: Called with a connection that has a timeout, and is closed after it.
            What it raises for what came is passed over.

    Attributes:
        port: Its port.
    """

    def __init__(self, port: int, handle: Callable[[socket.socket], object]) -> None:
        self._handle = handle
        self._socket = _listening(port)
        # Closing a socket on which a thread waits does not wake it everywhere.
        self._socket.settimeout(_SECONDS_A_LOOK)
        self.port = self._socket.getsockname()[1]
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops, and leaves the port free."""
        self._is_closed.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._is_closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                # Nobody came, or has gone again.
                continue
            # Whatever strangers send, the next one is heard.
            with connection, contextlib.suppress(Exception):
                connection.settimeout(_SECONDS_A_CONNECTION)
                self._handle(connection)


def received(connection: socket.socket, limit: int, until: bytes = b"") -> bytes:
    """Returns the bytes that come until a mark, the other side's end or a limit.

    Args:
        connection: Where they come.
        limit: Most bytes.
        until: Bytes after which no more is read. Default: none.
    """
    found = b""
    while len(found) < limit and not (until and found.endswith(until)):
        part = connection.recv(1 if until else limit - len(found))
        if not part:
            break
        found += part
    return found


def _listening(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True
            )
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
    return socket.create_server(("", port))
