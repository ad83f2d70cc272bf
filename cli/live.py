"""The live training display of a terminal: a bar with rate, time left and scores."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from zoo.training.report import Beginning, Epoch, epoch_line, opening

REFRESH = 0.1
"""Seconds between two looks at the scores: each waits for the device."""


class LiveReporter:
    """A bar for the epoch that runs; a line above it for each that has ended."""

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
        self.beginning: Beginning | None = None
        self.looked = 0.0
        self.started = 0.0

    def begin(self, beginning: Beginning) -> None:
        """Print the facts and show the bar."""
        self.beginning = beginning
        if beginning.initial_weights:
            print(beginning.initial_weights, file=sys.stderr)
        self.console.print(Text(opening(beginning), style="dim"), soft_wrap=True)
        total = (beginning.epochs - beginning.first_epoch) * beginning.steps
        self.bar = self.progress.add_task("compiling", total=total, rate="", scores="")
        self.started = time.monotonic()
        self.progress.start()

    def wants_steps(self) -> bool:
        """Return whether the last look is long enough ago."""
        return time.monotonic() - self.looked >= REFRESH

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Move the bar."""
        self.looked = time.monotonic()
        if self.bar is None or self.beginning is None:
            return
        begun = self.beginning
        # A last execution of several steps may reach over the epoch's end.
        done = (epoch - 1 - begun.first_epoch) * begun.steps + min(step, begun.steps)
        rate = done * begun.batch_size / max(self.looked - self.started, 1e-9)
        self.progress.update(
            self.bar,
            completed=done,
            description=f"epoch {epoch}/{begun.epochs}",
            rate=f"{rate:,.0f}/s",
            scores="  ".join(f"{name} {value:.4g}" for name, value in scores.items()),
        )

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch's line above the bar."""
        line = epoch_line(epoch)
        self.console.print(Text(line, style="bold green" if epoch.best else ""), soft_wrap=True)

    def end(self) -> None:
        """Take the bar away."""
        self.progress.stop()
