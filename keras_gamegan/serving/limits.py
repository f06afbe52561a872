"""What a request may hold and how long it may take to arrive: an ASGI middleware.

A server that starts on a request before it has all of it gives a place to whoever sends
half of one and waits. Here a request has a place only from its last byte on.
"""

import asyncio
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _RefusalError(Exception):
    """The reply to a request that is not taken."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = JSONResponse({"error": text}, status, headers)


class Limits:
    """Hands a POST on once its body is there, or refuses it with the reason.

    415 for a body that is not plain JSON, 413 for one too long, 408 for one too slow,
    503 where too many requests are in work. Other methods, such as the GET of /readyz,
    pass: they have no body and take no place.

    Args:
        app: ASGI application to protect.
        max_body: Largest body in bytes.
        seconds: Time from the end of the head to the end of the body.
        max_requests: Most requests that are in work or wait for a thread.
    """

    def __init__(
        self, app: ASGIApp, max_body: int, seconds: float, max_requests: int
    ) -> None:
        self._app = app
        self._max_body = max_body
        self._seconds = seconds
        self._max_requests = max_requests
        self._places = max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, as ASGI wants it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            self._check_head(scope["headers"])
            body = await self._read(receive)
            self._check_places()
        except _RefusalError as refusal:
            await refusal.reply(scope, receive, send)
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        self._places -= 1
        try:
            await self._app(scope, receive_again, send)
        finally:
            self._places += 1

    def _check_head(self, raw_headers: Iterable[tuple[bytes, bytes]]) -> None:
        headers = {name: value.decode("latin-1") for name, value in raw_headers}
        given = headers.get(b"content-type", "application/json")
        if given.split(";")[0].strip().lower() != "application/json":
            raise _RefusalError(
                415,
                f"The body must be JSON. Received: Content-Type {given!r}. Send "
                '{"num_samples": 4, "seed": 0} as application/json.',
            )
        given = headers.get(b"content-encoding", "identity")
        if given.strip().lower() != "identity":
            raise _RefusalError(
                415,
                "The body must not be compressed. Received: Content-Encoding "
                f"{given!r}. Send the JSON as it is.",
            )
        # A body in chunks does not say its length: see `_read_all`.
        if int(headers.get(b"content-length", 0)) > self._max_body:
            raise self._too_long(headers[b"content-length"])

    def _too_long(self, received: str) -> _RefusalError:
        return _RefusalError(
            413,
            f"The body must have at most {self._max_body} bytes. Received: {received}. "
            "Ask for fewer samples, in several requests.",
        )

    async def _read(self, receive: Receive) -> bytes:
        try:
            return await asyncio.wait_for(self._read_all(receive), self._seconds)
        except asyncio.TimeoutError:
            # The rest may never come, so the connection cannot be used again.
            raise _RefusalError(
                408,
                f"The body must arrive within {self._seconds} seconds. Received: a "
                "part of it. Send it at once.",
                connection="close",
            ) from None

    async def _read_all(self, receive: Receive) -> bytes:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Nobody reads this, but what is around waits for a reply.
                raise _RefusalError(400, "The client left before the body's end.")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_body:
                raise self._too_long(f"{len(body)} or more")
        return body

    def _check_places(self) -> None:
        if not self._places:
            raise _RefusalError(
                503,
                f"At most {self._max_requests} requests can be in work. Received: one "
                "more. Ask again after a second.",
                retry_after="1",
            )
