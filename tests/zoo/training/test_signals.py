"""Signals: the first asks, the second Ctrl-C stops at once, and nothing is left changed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from zoo.training.signals import TOLD, StopRequest, stop_requests

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def ctrl_c_raises() -> Iterator[None]:
    """Handle Ctrl-C, which a shell has ignored where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(number: int) -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), number)


def test_the_first_signal_asks_and_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with stop_requests() as stop:
        assert stop.number == 0
        press(signal.SIGINT)
        assert stop.number == signal.SIGINT
    assert capfd.readouterr().err == TOLD.decode()


def test_the_second_ctrl_c_stops_at_once() -> None:
    with stop_requests() as stop:
        press(signal.SIGTERM)
        press(signal.SIGTERM)
        assert stop.number == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            press(signal.SIGINT)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_the_end_is_what_the_signal_does_elsewhere(number: int, kind: type[BaseException]) -> None:
    with stop_requests() as stop:
        press(number)
        with pytest.raises(kind) as caught:
            stop.end(number)
    if isinstance(caught.value, SystemExit):
        assert caught.value.code == 143


def test_handlers_are_put_back_and_ignored_signals_stay_ignored() -> None:
    before = [signal.getsignal(number) for number in BOTH]
    with stop_requests():
        assert [signal.getsignal(number) for number in BOTH] != before
    assert [signal.getsignal(number) for number in BOTH] == before
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup does
    try:
        with stop_requests() as stop:
            press(signal.SIGINT)
            assert stop.number == 0
    finally:
        signal.signal(signal.SIGINT, before[0])


def test_in_another_thread_nothing_is_requested() -> None:
    found: list[StopRequest] = []

    def within() -> None:
        with stop_requests() as stop:
            found.append(stop)

    thread = threading.Thread(target=within)
    thread.start()
    thread.join()
    assert found[0].before == {}
