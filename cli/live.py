"""The training display of a terminal: a bar with rate, time left and scores."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from zoo.training.progress import Epoch, TrainingStart, epoch_line, fixed, opening

REFRESH = 0.1
"""Seconds between two updates: reading the scores waits for the device."""


class LiveReporter:
    """Show a bar for the running epoch, and above it one line for each finished epoch."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[scores]}"),
            console=self.console,
            transient=True,
        )
        self.bar: TaskID | None = None
        self.start: TrainingStart | None = None
        self.updated = 0.0
        self.started = 0.0

    def begin(self, start: TrainingStart) -> None:
        """Print the facts and show the bar."""
        self.start = start
        if start.initial_weights:
            print(start.initial_weights, file=sys.stderr)
        self.console.print(Text(opening(start), style="dim"), soft_wrap=True)
        total = (start.epochs - start.first_epoch) * start.steps
        self.bar = self.progress.add_task(
            "compiling", total=total, completed=start.first_step, rate="", scores=""
        )
        self.started = time.monotonic()
        self.progress.start()

    def wants_steps(self) -> bool:
        """Return whether the last update is `REFRESH` seconds ago."""
        return time.monotonic() - self.updated >= REFRESH

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Move the bar."""
        self.updated = time.monotonic()
        if self.bar is None or self.start is None:
            return
        start = self.start
        done = (epoch - 1 - start.first_epoch) * start.steps + step
        rate = (done - start.first_step) * start.batch_size / max(self.updated - self.started, 1e-9)
        self.progress.update(
            self.bar,
            completed=done,
            description=f"epoch {epoch}/{start.epochs}",
            rate=f"{rate:,.0f}/s",
            scores="  ".join(f"{name} {fixed(value)}" for name, value in scores.items()),
        )

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch's line above the bar; the best so far in green."""
        line = epoch_line(epoch)
        self.console.print(Text(line, style="bold green" if epoch.best else ""), soft_wrap=True)

    def end(self) -> None:
        """Remove the bar."""
        self.progress.stop()
