"""A port that listens in the background and can be closed again."""

import contextlib
import errno
import socket
import threading

_SECONDS_A_LOOK = 0.2
_SECONDS_A_CONNECTION = 2.0


class Listener:
    """Listens on all addresses of this machine, and handles one connection at a time.

    Args:
        port: Its port; 0 for any that is free.
        handle: Function of a connection, a socket with a timeout, which is closed
            after it. What it raises for what came is passed over.

    Attributes:
        port: Its port.
    """

    def __init__(self, port, handle):
        self._handle = handle
        self._socket = _listening(port)
        # Closing a socket on which a thread waits does not wake it everywhere.
        self._socket.settimeout(_SECONDS_A_LOOK)
        self.port = self._socket.getsockname()[1]
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Stops, and leaves the port free."""
        self._is_closed.set()
        self._thread.join()
        self._socket.close()

    def _run(self):
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


def received(connection, limit, until=b""):
    """Returns the bytes that come until a mark, the other side's end or a limit.

    Args:
        connection: Socket.
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


def _listening(port):
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True
            )
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
    return socket.create_server(("", port))
