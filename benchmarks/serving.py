"""Requests a second that `dlzoo serve` answers: one client, many one by one, many in batches.

    python -m benchmarks.serving EXPORT… [--clients 64] [--seconds 5]

EXPORT is a folder of versions, as for `dlzoo serve`. The server runs in a process of its own and is
asked with the request that lies in the export. The clients are this process: plain sockets, whose
requests are made beforehand, so that they take little of the processor from the server. One by one
means that batches hold one example: each request is a call of the model of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
WARM = 1.0
"""Seconds of requests before those that are counted."""


@contextlib.contextmanager
def server(export: Path, batch: int) -> Iterator[int]:
    """Start a server that joins at most `batch` examples, and give its port."""
    words = [sys.executable, "-m", "cli.main", "serve", str(export), "--port", "0"]
    with subprocess.Popen(  # noqa: S603  (our own command)
        [*words, "--batch", str(batch)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"http://[^:]+:(\d+)/", line):
                    yield int(found[1])
                    return
            raise SystemExit(f"the server of {export} did not start")
        finally:
            process.terminate()


class Client:
    """One connection, which sends a request again as soon as it is answered."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.received = b""
        self.answered = self.lost = 0
        self.socket.sendall(request)

    def read(self) -> bool:
        """Take what has come; return whether it is an answer's end."""
        part = self.socket.recv(2**20)
        if not part:
            raise SystemExit("the server closed a connection")
        self.received += part
        header, found, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(header)
        if not found or length is None or len(body) < int(length[1]):
            return False
        if header.startswith(b"HTTP/1.1 200"):
            self.answered += 1
        else:
            self.lost += 1
        self.received = b""
        return True


def rate(port: int, name: str, body: bytes, clients: int, seconds: float) -> tuple[float, int]:
    """Return answers a second, and requests that were not answered with 200."""
    head = (
        f"POST /v1/models/{name}:predict HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    several = [Client(port, head.encode() + body) for _ in range(clients)]
    with selectors.DefaultSelector() as ready:
        for one in several:
            ready.register(one.socket, selectors.EVENT_READ, one)
        _ask(ready, WARM)
        for one in several:
            one.answered = 0
        began = time.perf_counter()
        _ask(ready, seconds)
        passed = time.perf_counter() - began
    for one in several:
        one.socket.close()
    return sum(one.answered for one in several) / passed, sum(one.lost for one in several)


def _ask(ready: selectors.BaseSelector, seconds: float) -> None:
    """Send requests for so long, one after another on each connection."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for key, _ in ready.select(1.0):
            if key.data.read():
                key.data.socket.sendall(key.data.request)


def main() -> None:
    """Measure each export in three ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("exports", nargs="+", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    print("| model | signature | one client | one by one | in batches | ratio | lost |")
    print("|---|---|---|---|---|---|---|")
    for export in asked.exports:
        version = max(
            (one for one in export.iterdir() if one.name.isdigit()), key=lambda p: int(p.name)
        )
        file = next(iter(sorted((version / "requests").glob("*[et].json"))))
        body = file.read_bytes()
        rates, lost = [], 0
        for clients, batch in ((1, 64), (asked.clients, 1), (asked.clients, 64)):
            with server(export, batch) as port:
                speed, failed = rate(port, export.name, body, clients, asked.seconds)
            rates.append(speed)
            lost += failed
        single, alone, together = rates
        print(
            f"| {export.name} | {file.stem} | {single:,.0f} | {alone:,.0f} | {together:,.0f} | "
            f"{together / alone:.1f} | {lost} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
