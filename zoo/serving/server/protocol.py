"""HTTP connections that do not wait for ever, nor read heads without end."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SLOWEST_HEAD = 20.0
"""Seconds that the head of a request may take to come."""
MOST_HEAD = 65_536
"""Bytes of a head that has not ended."""


class Protocol(HttpToolsProtocol):
    """uvicorn's, with limits for the time until a request's head is there, and for its size.

    uvicorn waits for ever for the rest of a head, and for the first byte of a connection. So a few
    clients that send a byte now and then could take all connections, and one all memory.
    """

    _patience: asyncio.TimerHandle | None = None
    _head: int | None = None
    """Bytes that have come of a head; None outside of one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read, and end the connection where a head is too large."""
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > MOST_HEAD and not self.transport.is_closing():
                self.send_400_response(f"The head of a request may have {MOST_HEAD:,} bytes.")

    def on_message_begin(self) -> None:
        """Begin to count a head's bytes."""
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        """Answer; the time and size of the body are the application's to limit."""
        self._head = None
        self._stop()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, if none has come meanwhile."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop()
        self._patience = self.loop.call_later(SLOWEST_HEAD, self._end)

    def _stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _end(self) -> None:
        self.transport.abort()
