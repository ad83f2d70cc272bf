"""Asking whether the network is there, before a download that would try for minutes."""

from __future__ import annotations

import queue
import socket
import threading
import urllib.request
from collections.abc import Iterable
from urllib.parse import urlsplit

PATIENCE = 5.0
"""Seconds that the hosts have to answer."""
_PORTS = {"http": 80, "https": 443, "ftp": 21}


def unreachable(urls: Iterable[str], seconds: float = PATIENCE) -> str | None:
    """Return in a few words why none of the URLs' hosts answers, or None if one of them does.

    Behind a proxy nothing is asked: only the proxy can tell.

    Args:
        urls: Those that will be downloaded; files of this machine need no network.
        seconds: That all hosts together have to answer.
    """
    parts = [urlsplit(url) for url in urls]
    hosts = {(one.hostname, one.port or _PORTS[one.scheme]) for one in parts if one.hostname}
    if not hosts or urllib.request.getproxies():
        return None
    answers: queue.Queue[str | None] = queue.Queue()

    def ask(host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
        except OSError as error:
            answers.put(f"{host}: {error.strerror or error}")
        else:
            answers.put(None)

    for host, port in hosts:
        # A look-up of a name knows no time limit: a daemon does not keep the program waiting.
        threading.Thread(target=ask, args=(host, port), daemon=True).start()
    fault = f"no answer from {', '.join(sorted(str(host) for host, _ in hosts))} in {seconds:g} s"
    try:
        for _ in hosts:
            answer = answers.get(timeout=seconds)
            if answer is None:
                return None
            fault = answer
    except queue.Empty:
        pass
    return fault
