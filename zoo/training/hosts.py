"""A file of hosts, one a line, and which workers each of them starts."""

from __future__ import annotations

import re
from pathlib import Path

from zoo.base.errors import UsageError
from zoo.training.launcher import Place

PORT = 8888
"""Of a host's first worker; the next ones count up from it."""
_LINE = re.compile(r"(?P<host>[A-Za-z0-9._-]+)(:(?P<port>\d+))?(\s+slots=(?P<slots>\d+))?")


def read_hosts(file: Path, workers: int) -> list[Place]:
    """Return what each host of a file starts, in the file's order.

    Args:
        file: A host a line: ``name[:port] [slots=N]``, as in MPI's host files; ``#`` begins a
            comment. A host without ``slots`` starts one worker.
        workers: How many are started in all; the last hosts may be left over.

    Raises:
        UsageError: The file cannot be read, or its hosts do not have room for the workers.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {file}: {why}") from None
    addresses: list[str] = []
    counts: list[int] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        if match is None or int(match["slots"] or 1) < 1:
            raise UsageError(
                f"{file}, line {number}: expected 'name[:port] [slots=N]', got '{text}'"
            )
        count = min(int(match["slots"] or 1), workers - len(addresses))
        first = int(match["port"] or PORT)
        addresses += [f"{match['host']}:{first + at}" for at in range(count)]
        counts.append(count)
    if len(addresses) < workers:
        raise UsageError(
            f"{file} has room for {len(addresses)} workers, {workers} were asked for: "
            "name more hosts, or give them slots=N"
        )
    if len(set(addresses)) < len(addresses):
        raise UsageError(f"{file} names one address twice; give each its own port")
    return [
        Place(addresses=tuple(addresses), first=sum(counts[:at]), count=count)
        for at, count in enumerate(counts)
        if count
    ]
