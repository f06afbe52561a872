"""How long a connection may do nothing: uvicorn's protocol with two more deadlines.

uvicorn, which runs BentoML's services, waits for ever for the rest of a head, and for a
client that does not read its reply. Each such connection keeps a file descriptor, and
the reply.
"""

import asyncio

import uvicorn.config
from uvicorn.protocols.http.auto import AutoHTTPProtocol

# Seconds from the connection, or the head's first byte, to the head's end.
HEAD_SECONDS = 10
# Seconds for what of a reply does not fit into the buffers.
REPLY_SECONDS = 60


class DeadlineProtocol(AutoHTTPProtocol):
    """Closes a connection whose client does not send its request or take its reply.

    Between two requests uvicorn's own deadline holds (5 seconds).
    """

    _head_timer: asyncio.TimerHandle | None = None
    _reply_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Starts to wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Waits on, unless the head is there; more bytes do not move the deadline."""
        super().data_received(data)
        # `cycle` is the request in work, the one inner name that is used here.
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_timer = _cancelled(self._head_timer)
        elif self._head_timer is None:
            self._wait_for_head()

    def pause_writing(self) -> None:
        """Starts to wait for the client to read."""
        super().pause_writing()
        self._reply_timer = self.loop.call_later(REPLY_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._reply_timer = _cancelled(self._reply_timer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the deadlines."""
        self._head_timer = _cancelled(self._head_timer)
        self._reply_timer = _cancelled(self._reply_timer)
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Cancels a timer, if there is one; returns what stands in its place."""
    if timer is not None:
        timer.cancel()
    return None


def install() -> None:
    """Makes `DeadlineProtocol` the one that uvicorn takes in this process.

    BentoML starts uvicorn itself, after it has loaded the service, and passes it no
    protocol: hence uvicorn's own table. `tests/examples/test_serve.py` notices when
    that is no longer read.
    """
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{DeadlineProtocol.__name__}"
