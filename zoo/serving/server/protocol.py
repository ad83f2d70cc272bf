"""HTTP connections that do not wait for ever."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SLOWEST_HEAD = 20.0
"""Seconds that the head of a request may take to come."""


class Protocol(HttpToolsProtocol):
    """uvicorn's, with a limit for the time until a request's head is there.

    uvicorn waits for ever for the rest of a head, and for the first byte of a connection. So a few
    clients that send a byte now and then could take all connections.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_headers_complete(self) -> None:
        """Answer; the time of the body is the application's to limit."""
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
