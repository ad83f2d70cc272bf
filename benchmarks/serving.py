"""Requests a second that `dlzoo serve` answers: one client, many one by one, many in batches.

    python -m benchmarks.serving EXPORT… [--clients 64] [--seconds 5]

EXPORT is a folder of versions, as for `dlzoo serve`. The server runs in a process of its own and is
asked with the request that lies in the export. The clients are coroutines of this process, so on
a small machine they take a share of the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


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


async def client(port: int, name: str, body: bytes, until: float) -> tuple[int, int]:
    """Ask until a time, one request after another; return how many were answered, and lost."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/models/{name}:predict HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    answered = lost = 0
    while time.perf_counter() < until:
        writer.write(request)
        header = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(header)
        assert length is not None
        await reader.readexactly(int(length[1]))
        if header.startswith(b"HTTP/1.1 200"):
            answered += 1
        else:
            lost += 1
    writer.close()
    return answered, lost


async def rate(
    port: int, name: str, body: bytes, clients: int, seconds: float
) -> tuple[float, int]:
    """Return answers a second, and requests that were not answered with 200."""
    await client(port, name, body, time.perf_counter() + 0.5)  # warm up
    began = time.perf_counter()
    several = [client(port, name, body, began + seconds) for _ in range(clients)]
    found = await asyncio.gather(*several)
    passed = time.perf_counter() - began
    return sum(one[0] for one in found) / passed, sum(one[1] for one in found)


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
                speed, failed = asyncio.run(rate(port, export.name, body, clients, asked.seconds))
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
