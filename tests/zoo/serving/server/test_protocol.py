"""Slow clients lose their connection; the others do not."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn")
import contextlib

import uvicorn

from zoo.serving.server import app, protocol
from zoo.serving.server.models import Limits


async def slow_answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer later than a head may come."""
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"late"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server that waits a fraction of a second for a head."""
    monkeypatch.setattr(protocol, "SLOWEST_HEAD", 0.3)
    config = uvicorn.Config(
        slow_answer, port=0, http=protocol.Protocol, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_a_head_that_does_not_come_ends_the_connection(sent: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30.0) as client:
        client.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""


def test_a_head_without_end_is_not_read(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SLOWEST_HEAD", 60.0)
    endless = b"GET / HTTP/1.1\r\nX: " + b"a" * 2 * protocol.MOST_HEAD
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20.0) as client,
        contextlib.suppress(ConnectionResetError, BrokenPipeError),
    ):
        client.sendall(endless)
        received = client.recv(1000)
        assert received == b"" or received.startswith(b"HTTP/1.1 400")


def test_an_answer_may_take_longer_and_the_connection_lives_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30.0) as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            received = b""
            while b"late" not in received:
                received += client.recv(1000)
            assert received.startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_is_answered_with_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SLOWEST", 0.05)
    sent: list[Any] = []

    class Found:
        name = "flowers"
        served: Any = None

    class Known:
        def get(self, name: str) -> Any:
            return Found()

    class Version:
        version = 1

    class Served:
        model = Version()

    async def receive() -> Any:
        await asyncio.sleep(60.0)

    async def send(message: Any) -> None:
        sent.append(message)

    Found.served = Served()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/models/flowers:predict",
        "headers": [],
        "query_string": b"",
    }
    made: Any = app.create_app(Known(), Limits(), app.Measurements())  # type: ignore[arg-type]
    asyncio.run(made(scope, receive, send))
    assert sent[0]["status"] == 408
    assert "took more than" in json.loads(sent[1]["body"])["error"]
