"""Writing checkpoints in a thread, so that the training does not wait for the disk.

TensorFlow's own way (`CheckpointOptions(experimental_enable_async_checkpoint=True)`) raises a
`ValueError` at the second write of a Keras 3.15 model: Keras makes its copies within a function.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from zoo.training.signals import stop_requests


class Writer:
    """Does one piece of work at a time in a thread; an error is raised by the next call.

    Attributes:
        seconds: That the training lost to it: processor time of the finished pieces, and the wait
            for the last one.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.under_way: Future[float] | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin a piece of work, once the one before is done.

        Args:
            work: It must not read what the training changes.
        """
        self.wait()
        future: Future[float] = Future()

        def run() -> None:
            try:
                work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(time.thread_time())

        self.under_way = future
        # The second Ctrl-C ends the process at once: it does not wait for this thread.
        threading.Thread(target=run, name="checkpoint", daemon=True).start()

    def wait(self) -> None:
        """Wait until nothing is under way. A Ctrl-C here gives up waiting."""
        future, self.under_way = self.under_way, None
        if future is not None:
            self.seconds += future.result()

    def look(self) -> None:
        """Raise the error of a piece of work that has failed; do not wait."""
        if self.under_way is not None and self.under_way.done():
            self.wait()


@contextmanager
def writing() -> Iterator[Writer]:
    """Yield a writer, and wait at the end of the body for what it writes.

    A body that fails has told its own error: one of the writer's is not told as well.
    """
    writer = Writer()
    try:
        yield writer
    except BaseException:
        with suppress(Exception):
            writer.wait()
        raise
    began = time.monotonic()
    with stop_requests() as stop:  # the first Ctrl-C lets the last checkpoint be finished
        writer.wait()
    writer.seconds += time.monotonic() - began
    if stop.number:
        stop.end(stop.number)
