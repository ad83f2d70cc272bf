"""Run a function in a separate process: running out of memory there does not end this one."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zoo.base.errors import DlzooError

_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from zoo.base.processes import _child; _child()"
)


class DoesNotFitError(DlzooError):
    """There was not enough memory."""


def run_apart(function: Callable[..., None], *arguments: Any) -> Iterator[Any]:
    """Call ``function(send, *arguments)`` in a new process and yield what it sends, as it comes.

    The process ends with the iteration, however that ends, and with this process.

    Args:
        function: Of some module's top level; its first argument sends what can be pickled.
        arguments: Pickled too.

    Raises:
        DoesNotFitError: It ran out of memory.
        DlzooError: It raised one, or anything else went wrong in it.
    """
    # A new process, not a fork: that would have this one's memory and none of TensorFlow's threads.
    # In a session of its own, where Ctrl-C does not reach it: it is this one that ends it.
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and a constant)
        [sys.executable, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # gone already; how, is found out below
            for value in (sys.path, (function, arguments)):
                pickle.dump(value, process.stdin)
            process.stdin.flush()
        while True:
            try:
                kind, value = pickle.load(process.stdout)  # noqa: S301  (from our own process)
            except EOFError:  # it is gone without a word
                raise _ended(process.wait()) from None
            if kind == "done":
                return
            if kind == "failed":
                error, where = value
                raise error from (RuntimeError(where) if where else None)
            yield value
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()


def _ended(code: int) -> DlzooError:
    """Return what a process's end without a word means.

    The system kills for want of memory, allocators abort, and TensorFlow's CPU kernels write to
    memory that they were refused (seen under `ulimit -v`).
    """
    if -code in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
        return DoesNotFitError(f"the process was ended by {signal.Signals(-code).name}")
    return DlzooError(f"the process ended with exit code {code}")


def _child() -> None:
    """Do what the parent says on standard input, and answer on what was standard output."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # nothing else that is printed may come between
        with contextlib.suppress(OSError):  # if memory runs out, this process is to go, no other
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")

        def say(kind: str, value: Any) -> None:
            pickle.dump((kind, value), answers)
            answers.flush()

        try:
            function, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301  (from our parent)
            threading.Thread(target=_end_with_parent, daemon=True).start()
            function(lambda value: say("sent", value), *arguments)
            say("done", None)
        except DlzooError as error:
            say("failed", (error, ""))
        except Exception as error:
            first = str(error).strip().splitlines()[:1]
            kind = DoesNotFitError if _wants_memory(error) else DlzooError
            message = ": ".join([type(error).__name__, *first])
            say("failed", (kind(message), traceback.format_exc()))


def _wants_memory(error: Exception) -> bool:
    # TensorFlow's error by its name, for this file is imported without it; oneDNN's by its status.
    words = ("out of memory", "could not create a memory object", "status: 1,")
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or any(word in str(error).lower() for word in words)
    )


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # until it is closed, as the system does for whoever is gone
    os._exit(1)
