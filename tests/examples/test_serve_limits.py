"""The example service under clients that stall, flood it or send something else.

Bounded loads on this machine: a few hundred requests, each test under a minute.
"""

import asyncio
import collections
import concurrent.futures
import contextlib
import http.client
import importlib
import json
import selectors
import signal
import socket
import time
import urllib.parse

import pytest

import keras_gamegan as kgg
from tests.examples import servers

pytest.importorskip(
    "bentoml", reason="bentoml is not installed: pip install '.[serving]'"
)
pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"num_samples": 2, "seed": 0})
HEAD = b"POST /sample HTTP/1.1\r\nHost: x\r\n"


def _example(name):
    return importlib.import_module(f"keras_gamegan.serving.{name}")


# The middleware alone.


def _ask(app, messages=(), method="POST", **headers):
    """Returns (status, headers, text) of an ASGI application's reply."""
    waiting, sent = list(messages), []
    names = [
        (name.replace("_", "-").encode(), value) for name, value in headers.items()
    ]

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    async def run():
        scope = {"type": "http", "method": method, "headers": names}
        await app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), body.decode()

    return run()


def _part(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


async def _echo(scope, receive, send):
    """Replies with the body, once it is told that all of it is there."""
    message = await receive()
    assert not message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def _limited(app, max_requests=2):
    return _example("limits").Limits(
        app, max_body=8, seconds=0.2, max_requests=max_requests
    )


@pytest.mark.parametrize(
    ("messages", "headers", "status", "text"),
    [
        ([_part(b"12345678")], {}, 200, "12345678"),
        ([_part(b"1234", True), _part(b"5678")], {}, 200, "12345678"),
        ([_part(b"")], {}, 200, ""),
        ([_part(b"1")], {"content_type": b"Application/JSON; charset=utf-8"}, 200, "1"),
        ([_part(b"123456789")], {}, 413, "at most 8 bytes. Received: 9 or more"),
        ([_part(b"1234", True)] * 9, {}, 413, "at most 8 bytes. Received: 12 or"),
        ([], {"content_length": b"9"}, 413, "at most 8 bytes. Received: 9."),
        ([], {"content_type": b"text/plain"}, 415, "Received: Content-Type 'text/pl"),
        ([], {"content_encoding": b"gzip"}, 415, "Received: Content-Encoding 'gzip'"),
        ([_part(b"1", True)], {}, 408, "within 0.2 seconds. Received: a part"),
        ([], {}, 408, "within 0.2 seconds"),
        ([_part(b"1", True), {"type": "http.disconnect"}], {}, 400, "client left"),
    ],
)
def test_a_body_is_handed_on_whole_or_refused(messages, headers, status, text):
    given, headers, body = asyncio.run(_ask(_limited(_echo), messages, **headers))
    assert (given, text in body) == (status, True)
    assert (headers.get(b"connection") == b"close") == (status == 408)


def test_places_are_given_to_whole_requests_and_taken_back():
    async def run():
        go_on = asyncio.Event()

        async def app(scope, receive, send):
            if scope["method"] == "POST":
                await go_on.wait()
            if not (await receive())["body"]:
                raise RuntimeError("The application failed.")
            await _echo(scope, lambda: asyncio.sleep(0, _part(b"")), send)

        limited = _limited(app)
        # These have no place: their bodies are not there yet.
        late = [asyncio.create_task(_ask(limited, [_part(b"1", True)])) for _ in "123"]
        bodies = (b"x", b"")
        work = [asyncio.create_task(_ask(limited, [_part(body)])) for body in bodies]
        await asyncio.sleep(0.05)
        status, headers, text = await _ask(limited, [_part(b"x")])
        assert (status, headers[b"retry-after"]) == (503, b"1")
        assert "At most 2 requests can be in work" in text
        assert (await _ask(limited, [_part(b"x")], method="GET"))[0] == 200
        go_on.set()
        done = await asyncio.gather(*work, return_exceptions=True)
        assert done[0][0] == 200 and isinstance(done[1], RuntimeError)
        assert [(await task)[0] for task in late] == [408] * 3
        again = await asyncio.gather(*(_ask(limited, [_part(b"x")]) for _ in bodies))
        assert [status for status, _, _ in again] == [200, 200]

    asyncio.run(run())


# The connections alone.


def test_a_client_that_sends_no_head_or_reads_no_reply_is_let_go(monkeypatch):
    uvicorn = pytest.importorskip("uvicorn")
    connections = _example("connections")
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "REPLY_SECONDS", 0.5)

    async def app(scope, receive, send):
        length = 2**25 if scope["path"] == "/long" else 2
        if scope["path"] == "/slow":
            await asyncio.sleep(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * length})

    async def run():
        port = servers.free_port()
        config = uvicorn.Config(
            app,
            port=port,
            http=connections.DeadlineProtocol,
            log_config=None,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        get = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        silent, half, long, slow, again = clients
        half[1].write(get[:9])
        long[1].write(get % b"/long")
        slow[1].write(get % b"/slow")
        again[1].write(get % b"/")
        assert b"200" in await again[0].readline()
        again[1].write(get[:9])
        await asyncio.sleep(0.3)
        # One byte more does not move the deadline.
        half[1].write(b"x")
        await asyncio.sleep(0.5)
        assert len(server.server_state.connections) == 1
        # A request in work is left alone: it has the service's own deadline.
        assert b"200" in await slow[0].readline()
        assert await silent[0].read() == await half[0].read() == b""
        assert (await again[0].read()).endswith(b"xx\r\n0\r\n\r\n")
        for _, writer in clients:
            writer.close()
        server.should_exit = True
        await serving

    asyncio.run(run())


# The service.


@pytest.fixture(scope="module", name="server")
def fixture_server(tmp_path_factory):
    """Address, and process, of the service over a small sampler without labels."""
    folder = tmp_path_factory.mktemp("server")
    gan = kgg.GAN(*kgg.networks.mlp_pair(latent_dim=2, width=4, depth=1, seed=0))
    gan.export(folder / "sampler", source="current", version=1)
    with servers.bentoml(folder / "sampler", folder) as (url, process):
        yield urllib.parse.urlsplit(url), process


def _request(url, method, path, body=None, headers=JSON, timeout=30):
    """Returns (status, headers, text) of one request, on a connection of its own."""
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()


def _opened(url, sent, number):
    """Returns connections on each of which ``sent`` was sent."""
    opened = []
    for _ in range(number):
        opened.append(socket.create_connection((url.hostname, url.port)))
        opened[-1].sendall(sent)
    return opened


def _ends(opened, seconds):
    """Counts the first lines that the connections get before they end."""
    selector, counts = selectors.DefaultSelector(), collections.Counter()
    for connection in opened:
        selector.register(connection, selectors.EVENT_READ)
    deadline = time.monotonic() + seconds
    while selector.get_map() and time.monotonic() < deadline:
        for key, _ in selector.select(1):
            counts[key.fileobj.recv(2**16).split(b"\r\n")[0]] += 1
            selector.unregister(key.fileobj)
            key.fileobj.close()
    return counts


def test_half_sent_requests_take_nothing_from_others(server):
    url, _ = server
    length = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    # More than there are places.
    opened = _opened(url, HEAD + length, 80) + _opened(url, HEAD, 80)
    opened += _opened(url, b"", 10)
    for method, path in (("GET", "/readyz"), ("GET", "/livez"), ("POST", "/sample")):
        assert _request(url, method, path, BODY, timeout=5)[0] == 200
    counts = _ends(opened, 30)
    assert counts == {b"HTTP/1.1 408 Request Timeout": 80, b"": 90}
    assert _request(url, "POST", "/sample", BODY)[0] == 200


def _chunks():
    for _ in range(20):
        yield b" " * 10**6
    yield BODY.encode()


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (lambda: BODY, {}, 200, "[["),
        (lambda: BODY + " " * (2**16 - len(BODY)), JSON, 200, "[["),
        (lambda: BODY + " " * 2**16, JSON, 413, "at most 65536 bytes"),
        (lambda: BODY + " " * 20 * 10**6, JSON, 413, "Received: 200000"),
        (_chunks, JSON, 413, "at most 65536 bytes"),
        (lambda: BODY, {"Content-Type": "multipart/form-data"}, 415, "must be JSON"),
        (
            lambda: "num_samples=2&seed=0",
            {"Content-Type": "application/x-www-form-urlencoded"},
            415,
            "as application/json",
        ),
        (
            lambda: b"",
            {"Content-Type": "application/vnd.bentoml+pickle"},
            415,
            "must be JSON",
        ),
        (lambda: "{", JSON, 400, "Invalid JSON"),
        (lambda: "[" * 5000, JSON, 400, "recursion limit"),
        (lambda: '{"num_samples": 257, "seed": 0}', JSON, 400, "equal to 256"),
    ],
)
def test_a_body_that_is_not_a_request_is_told_so(server, body, headers, status, text):
    given, _, told = _request(server[0], "POST", "/sample", body(), headers)
    assert (given, text in told) == (status, True), told


def test_a_burst_is_served_or_refused_and_the_server_stays_ready(server):
    url, _ = server
    body = json.dumps({"num_samples": 256, "seed": 0})
    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        asked = [
            pool.submit(_request, url, "POST", "/sample", body) for _ in range(150)
        ]
        ready = [_request(url, "GET", "/readyz")[0] for _ in range(5)]
        replies = [future.result() for future in asked]
    statuses = collections.Counter(status for status, _, _ in replies)
    assert set(statuses) <= {200, 503} and statuses[200] >= 64
    assert all(head["Retry-After"] for status, head, _ in replies if status == 503)
    assert ready == [200] * 5
    assert _request(url, "POST", "/sample", BODY)[0] == 200


def test_an_idle_server_stops_at_once(server):
    """Last, since the server is gone afterwards."""
    url, process = server
    opened = _opened(url, b"", 3) + _opened(url, HEAD, 3)
    opened += _opened(url, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 3)
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    # It takes one second; a machine with other work is given some more.
    assert time.monotonic() - start < 6
    for connection in opened:
        connection.close()
