"""When to write a checkpoint: as the recipe says, or so rarely that it costs next to nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from recipes.recipe import Checkpointing

SHARE = 0.01
"""Of the training time that checkpoints may take where the recipe does not say how often.

The checkpoint at the end comes on top, so that all of them stay below 3 %."""
BYTES_PER_SECOND = 500e6
"""Guessed of copying and checking before the first checkpoint has been timed."""


class Pace:
    """Decides when a checkpoint is due, and adds up what they cost.

    Args:
        settings: What the recipe says.
        size: Bytes of a checkpoint, for a guess at the first one's cost.
    """

    def __init__(self, settings: Checkpointing, size: int) -> None:
        self.settings = settings
        self.cost = 0.1 + size / BYTES_PER_SECOND
        """Seconds that the next checkpoint will keep the training waiting, by what is known."""
        self.began = time.monotonic()
        self.written = 0
        self.seconds = 0.0
        self.last = time.monotonic()
        self.steps = 0
        self.epochs = 0

    def due(
        self, *, steps: int = 0, epochs: int = 0, beside: float = 0.0, busy: bool = False
    ) -> bool:
        """Return whether it is time.

        Args:
            steps: Done since the last call.
            epochs: Ended since then.
            beside: Processor seconds that writing the checkpoints has taken in all.
            busy: Whether one is still being written, so that its cost is not known yet.
        """
        self.steps += steps
        self.epochs += epochs
        asked = self.settings
        waited = time.monotonic() - self.last
        if asked.minutes is None and asked.steps is None and asked.epochs is None:
            if busy:
                return False
            spent = self.seconds + beside
            coming = self.cost + beside / max(self.written, 1)  # what the last one cost
            return spent + coming <= SHARE * (time.monotonic() - self.began - self.seconds)
        return (
            (asked.minutes is not None and waited >= 60.0 * asked.minutes)
            or (asked.steps is not None and self.steps >= asked.steps)
            or (asked.epochs is not None and self.epochs >= asked.epochs)
        )

    @contextmanager
    def timed(self, *, checkpoint: bool = True) -> Iterator[None]:
        """Count the body's time as that of a checkpoint, or of work for the next one."""
        began = time.monotonic()
        yield
        now = time.monotonic()
        self.seconds += now - began
        if checkpoint:
            self.written += 1
            self.cost = now - began
            self.last = now
            self.steps = self.epochs = 0
