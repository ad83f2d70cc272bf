"""A function in a process of its own: what it sends, how it fails, and that it ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.base.errors import DlzooError, UsageError
from zoo.base.processes import DoesNotFitError, run_apart

ROOT = Path(__file__).parents[3]
Send = Callable[[Any], None]


def squares(send: Send, count: int) -> None:
    for number in range(count):
        print("noise on standard output")
        send(number**2)


def where(send: Send) -> None:
    send((os.getpid(), "tensorflow" in sys.modules))


def fail(send: Send, error: Exception) -> None:
    send("so far")
    raise error


def die(send: Send, number: int) -> None:
    send("so far")
    os.kill(os.getpid(), number)


def leave(send: Send) -> None:
    os._exit(3)


def wait(send: Send) -> None:
    send(os.getpid())
    signal.pause()


class ResourceExhaustedError(Exception):
    """Called as TensorFlow's is."""


def gone(process: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_is_sent_arrives_in_order_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(run_apart(squares, 4)) == [0, 1, 4, 9]
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("noise") == 4


def test_it_is_another_process_that_has_nothing_of_this_one() -> None:
    ((process, tensorflow),) = run_apart(where)
    assert process != os.getpid()
    assert "tensorflow" in sys.modules
    assert not tensorflow


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        ResourceExhaustedError("OOM when allocating tensor"),
        RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        RuntimeError("Operation received an exception:Status: 1, message: could not execute"),
    ],
)
def test_want_of_memory_is_told_from_other_failures(error: Exception) -> None:
    found = run_apart(fail, error)
    assert next(found) == "so far"
    with pytest.raises(DoesNotFitError):
        next(found)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT", "SIGSEGV"])
def test_a_process_that_is_ended_for_want_of_memory_ends_nothing_else(name: str) -> None:
    found = run_apart(die, int(getattr(signal, name)))
    assert next(found) == "so far"
    with pytest.raises(DoesNotFitError, match=name):
        next(found)


def test_our_own_errors_arrive_as_they_are() -> None:
    with pytest.raises(UsageError, match=r"^no such thing$"):
        list(run_apart(fail, UsageError("no such thing")))


def test_any_other_error_is_one_line_with_the_traceback_behind_it() -> None:
    with pytest.raises(DlzooError, match=r"^ValueError: first$") as caught:
        list(run_apart(fail, ValueError("first\nsecond")))
    assert not isinstance(caught.value, DoesNotFitError)
    assert "in fail" in str(caught.value.__cause__)


def test_an_end_without_a_word_is_an_error() -> None:
    with pytest.raises(DlzooError, match="ended with exit code 3"):
        list(run_apart(leave))


def test_it_ends_with_the_iteration() -> None:
    found = run_apart(wait)
    process = next(found)
    assert not gone(process)
    found.close()  # type: ignore[attr-defined]
    assert gone(process)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_it_ends_with_the_process_that_started_it(name: str) -> None:
    code = (
        "import signal\n"
        "from tests.zoo.base.test_processes import run_apart, wait\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's & ignores it
        "for process in run_apart(wait): print(process, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        assert int(starter.stdout.readline()) != starter.pid
        starter.send_signal(getattr(signal, name))
        starter.communicate(timeout=60)  # both write to this pipe: it ends when both are gone
    assert starter.returncode != 0
