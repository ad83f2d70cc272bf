"""Signals that ask a training to stop: it finishes its step and saves itself first."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

TOLD = b"finishing the step and writing a checkpoint; Ctrl-C again stops at once\n"


class StopRequest:
    """Which signal asked for the end, if any.

    Attributes:
        number: Of the signal; 0 while nobody asked.
    """

    def __init__(self) -> None:
        self.number = 0
        self.before: dict[int, Any] = {}

    def end(self, number: int) -> NoReturn:
        """Do what the signal does where nobody handles it here: this never returns.

        Args:
            number: Of the signal. Another worker may have got it.
        """
        self.number = 0
        before = self.before.get(number)
        if callable(before):
            before(number, None)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn SIGTERM and the first Ctrl-C into a request while the body runs.

    The second Ctrl-C stops at once. Python lets only the main thread handle signals: elsewhere,
    nothing is requested.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if request.number and number == signal.SIGINT:
            request.end(number)
        if number == signal.SIGINT:
            # Not by `print`: the signal may have come in the middle of one.
            with suppress(OSError):
                os.write(2, TOLD)
        request.number = request.number or number

    for caught in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(caught)
        if before not in (signal.SIG_IGN, None):  # nohup has Ctrl-C ignored
            request.before[caught] = before
            signal.signal(caught, ask)
    try:
        yield request
    finally:
        for kept, before in request.before.items():
            signal.signal(kept, before)


Agree = Callable[[int], int]
"""Of several workers: returns the highest number that any of them calls it with."""


def alone(number: int) -> int:
    """Return the number: there is one worker."""
    return number


def agreement(strategy: Any) -> Agree:
    """Return how the workers of a strategy agree after each step.

    A checkpoint reads variables of all workers, so that all must write it after the same step; and
    a signal reaches each at another moment.
    """
    import tensorflow as tf

    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return alone
    wishes = (1, signal.SIGINT, signal.SIGTERM)  # 1 is a checkpoint; the last of all wins

    @tf.function
    def asked_by(own: Any) -> Any:
        each = strategy.run(lambda: own)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

    def agree(number: int) -> int:
        own = tf.constant([float(number == wish) for wish in wishes])
        found = [wish for wish, count in zip(wishes, asked_by(own).numpy(), strict=True) if count]
        return int(max(found, default=0))

    return agree
