"""Starting several workers on this machine, and starting them again when one is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from zoo.base.errors import UsageError
from zoo.base.gpus import nvidia_gpus
from zoo.training.cluster import RUN_NOTE

LAUNCHER = "DLZOO_LAUNCHER"
"""An environment variable of a worker: its launcher's process."""
GRACE = 15.0
"""Seconds that a worker has to end when it is asked to."""
_USAGE = 2
_TICK = 0.1


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the workers of one machine stand in a cluster."""

    addresses: tuple[str, ...]
    """``host:port`` of every worker; () chooses free ports of this machine at every start."""
    first: int
    """The number of this machine's first worker."""
    count: int
    """How many workers this machine starts."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a group of workers came to its end."""

    code: int
    """The exit code: that of the first worker that failed, or 0."""
    worker: int = 0
    """That worker's number."""
    by_signal: bool = False
    """Whether the launcher was asked to stop."""

    def __str__(self) -> str:
        if self.code < 0:
            return f"worker {self.worker} was ended by {signal.Signals(-self.code).name}"
        return f"worker {self.worker} ended with exit code {self.code}"


def launch(
    program: Sequence[str],
    arguments: Sequence[str],
    place: Place,
    *,
    max_restarts: int,
    again: Callable[[Path | None], Sequence[str]],
    plain: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> int:
    """Train in several processes, and return the exit code.

    Args:
        program: The command that each worker runs.
        arguments: What follows it.
        place: How many workers, and where.
        max_restarts: How often the whole group is started again after a worker failed.
        again: From the run that was trained, if the chief had made it, to the arguments by which
            the group goes on.
        plain: Whether the chief's standard output is passed on unchanged, for JSON.
        tell: Is told what happens to the group.
    """
    gpus = _shares(nvidia_gpus(), place.count)
    with tempfile.TemporaryDirectory(prefix="dlzoo-launch-") as folder:
        note = Path(folder) / "run"
        restarts = 0
        while True:
            group = _Group(program, arguments, place, gpus, Path(folder), note, plain)
            ended = group.wait(tell)
            if ended.by_signal or ended.code == 0:
                return ended.code
            code = 128 - ended.code if ended.code < 0 else ended.code
            if code == _USAGE or restarts == max_restarts:
                return code
            restarts += 1
            run = Path(note.read_text(encoding="utf-8")) if note.is_file() else None
            if run is not None and not run.is_dir():
                run = None  # it had not finished an epoch, and has removed itself
            arguments = again(run)
            tell(f"restart {restarts} of {max_restarts}: {' '.join(arguments)}")


def _shares(gpus: Sequence[str], workers: int) -> list[str | None]:
    """Return the CUDA_VISIBLE_DEVICES of each worker; None leaves it alone."""
    if not gpus:
        return [None] * workers
    if len(gpus) % workers:
        raise UsageError(f"{workers} workers cannot share {len(gpus)} GPUs evenly")
    each = len(gpus) // workers
    return [",".join(gpus[at * each : (at + 1) * each]) for at in range(workers)]


class _Group:
    """The workers of one machine, started together."""

    def __init__(
        self,
        program: Sequence[str],
        arguments: Sequence[str],
        place: Place,
        gpus: Sequence[str | None],
        folder: Path,
        note: Path,
        plain: bool,
    ) -> None:
        self.first = place.first
        self.signals: list[int] = []
        self.processes: list[subprocess.Popen[str]] = []
        self.pumps: list[threading.Thread] = []
        self.lock = threading.Lock()
        addresses = place.addresses or _free_addresses(place.count)
        for at in range(place.count):
            index = place.first + at
            task = {
                "cluster": {"worker": list(addresses)},
                "task": {"type": "worker", "index": index},
            }
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONUNBUFFERED": "1",
                "TF_CONFIG": json.dumps(task),
                LAUNCHER: str(os.getpid()),
                RUN_NOTE: str(note),
            }
            if gpus[at] is not None:
                environment["CUDA_VISIBLE_DEVICES"] = str(gpus[at])
            if index:  # what a killed worker leaves goes with this folder
                environment["TMPDIR"] = str(folder)
            process = subprocess.Popen(  # noqa: S603  (our own program, no shell)
                [*program, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # a terminal's Ctrl-C comes to the launcher alone
            )
            self.processes.append(process)
            for source, sink in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
                assert source is not None
                prefix = "" if plain and index == 0 and sink is sys.stdout else f"[{index}] "
                pump = threading.Thread(target=self._pump, args=(source, sink, prefix), daemon=True)
                pump.start()
                self.pumps.append(pump)

    def _pump(self, source: IO[str], sink: IO[str], prefix: str) -> None:
        with source:
            for line in source:
                with self.lock, suppress(OSError, ValueError):  # nobody reads it any more
                    sink.write(prefix + line)
                    sink.flush()

    def wait(self, tell: Callable[[str], None]) -> Ended:
        """Return how the group ended, once all of its processes have."""
        failed: Ended | None = None
        with self._signals_kept():
            try:
                while any(process.poll() is None for process in self.processes):
                    time.sleep(_TICK)
                    if self.signals:
                        self._stop_by_signal()
                        break
                    failed = self._first_failure()
                    if failed is not None:
                        if any(process.poll() is None for process in self.processes):
                            tell(f"{failed}: stopping the others")
                        self._stop(self.processes)
                        break
                failed = failed or self._first_failure()
            finally:
                for process in self.processes:
                    process.kill()
                    process.wait()
                for pump in self.pumps:
                    pump.join(timeout=1.0)
        if self.signals:
            return Ended(code=128 + self.signals[0], by_signal=True)
        return failed or Ended(code=0)

    def _first_failure(self) -> Ended | None:
        codes = [(process.poll(), self.first + at) for at, process in enumerate(self.processes)]
        bad = [(code, index) for code, index in codes if code]
        # One that was killed explains the others, which only lost it.
        return Ended(code=min(bad)[0], worker=min(bad)[1]) if bad else None

    def _stop_by_signal(self) -> None:
        """Pass the first signal on. The chief stops while it still has the others, then they."""
        number = self.signals[0]
        chief = self.processes[:1] if self.first == 0 else self.processes
        self._stop(chief, number, grace=None)
        self._stop(self.processes)

    def _stop(
        self,
        processes: Sequence[subprocess.Popen[str]],
        number: int = signal.SIGTERM,
        grace: float | None = GRACE,
    ) -> None:
        """Ask processes to end, and kill those that do not, or all at a second signal."""
        for process in processes:
            with suppress(OSError):
                process.send_signal(number)
        until = time.monotonic() + (GRACE * 4 if grace is None else grace)
        while any(process.poll() is None for process in processes):
            if time.monotonic() > until or len(self.signals) > 1:
                for process in processes:
                    process.kill()
                return
            time.sleep(_TICK)

    @contextmanager
    def _signals_kept(self) -> Iterator[None]:
        """Note signals to this process while the body runs, instead of ending it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def keep(number: int, frame: Any) -> None:
            self.signals.append(number)

        kinds = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(kind, keep) for kind in kinds]
        try:
            yield
        finally:
            for kind, handler in zip(kinds, before, strict=True):
                signal.signal(kind, handler)


def _free_addresses(count: int) -> tuple[str, ...]:
    """Return that many free ports of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    finally:
        for one in sockets:
            one.close()


def end_with_launcher() -> None:
    """End this process when its launcher is gone, however that ended."""
    launcher = int(os.environ[LAUNCHER])

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
