"""Versions, devices, commit, seed, date and command: for environment.json and `dlzoo doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = ("dlzoo", "tensorflow", "keras", "numpy", "click", "rich", "tensorflow-datasets")


def describe_environment(seed: int, strategy: Any, policy: str) -> dict[str, Any]:
    """Return the facts that environment.json keeps of a training, as plain values.

    Args:
        seed: The recipe's.
        strategy: The `tf.distribute.Strategy`.
        policy: Keras's dtype policy, such as ``"mixed_float16"``.
    """
    started = time.time()
    return {
        "started": started,
        "date": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "seed": seed,
        "commit": commit(),
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": devices_line(strategy),
        "strategy": type(strategy).__name__,
        "replicas": strategy.num_replicas_in_sync,
        "precision": policy,
    }


def command_line() -> str:
    """Return the command of this process, without the path of the interpreter."""
    import shlex

    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return shlex.join([program, *sys.argv[1:]])


def versions() -> dict[str, str | None]:
    """Return the versions of `PACKAGES`; None for one that is not installed."""
    return {name: version(name) for name in PACKAGES}


def version(package: str) -> str | None:
    """Return a package's version without importing it, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit() -> str | None:
    """Return the commit of dlzoo's checkout, with ``+`` if files differ from it, or None."""
    git = shutil.which("git")
    here = Path(__file__).parent.parent.parent
    if git is None or not (here / ".git").exists():
        return None
    try:
        head, status = (
            subprocess.run(  # noqa: S603  (fixed arguments, no shell)
                [git, "-C", str(here), *arguments],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if status else "")


def devices_line(strategy: Any) -> str:
    """Return the devices of a strategy, such as ``2 × CPU``; those of all workers together."""
    try:
        names = [name.upper() for name in strategy.extended.worker_devices]
    except RuntimeError:  # the default strategy has no list of devices: it runs on the one CPU
        return "CPU"
    kind = "GPU" if "GPU" in names[0] else "CPU"
    count = strategy.num_replicas_in_sync
    return kind if count == 1 else f"{count} × {kind}"
