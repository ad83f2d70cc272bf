"""How much memory this process has used."""

from __future__ import annotations

from pathlib import Path


def peak_memory() -> int | None:
    """Return the largest resident size so far in bytes, or None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
