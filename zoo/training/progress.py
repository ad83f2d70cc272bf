"""What a training reports while it runs, and a reporter that prints it in plain lines."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from zoo.base.streams import discard


@dataclass(frozen=True, kw_only=True)
class TrainingStart:
    """What is known when a training starts."""

    run: Path
    model: str
    dataset: str
    parameters: int
    """Trainable parameters, before any layer was frozen."""
    trained: int
    """How many of them this training changes."""
    initial_weights: str
    """What was loaded and what was not, in one line; empty if no weights were loaded."""
    examples: int
    devices: str
    precision: str
    epochs: int
    first_epoch: int
    """Counted from 0; above 0 if a run is resumed."""
    first_step: int = 0
    """Within that epoch, counted from 0."""
    steps: int
    batch_size: int
    """Examples of one step, on all replicas together."""
    replicas: int = 1
    """How many devices share a step, of all workers together."""
    accumulate: int = 1
    """Steps whose gradients make one update of the weights."""
    headline: str
    """The validation score by which epochs are compared, such as ``val_accuracy``."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch that ended."""

    number: int
    """Counted from 1."""
    of: int
    seconds: float
    scores: dict[str, float]
    best: bool
    """Whether the headline is better than in every epoch before."""
    rate: float
    """Training examples per second."""


class Reporter(Protocol):
    """An object that the trainer tells about its progress."""

    def begin(self, start: TrainingStart) -> None:
        """Report that the training starts."""

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Report a step; both numbers count from 1."""

    def epoch(self, epoch: Epoch) -> None:
        """Report that an epoch ended."""

    def wants_steps(self) -> bool:
        """Return whether to report the next step: reading its scores waits for the device."""

    def end(self) -> None:
        """Report that the training is over, however it ended."""


class PlainReporter:
    """Print one line per epoch, without escape codes: for pipes, logs and notebooks.

    If nobody reads the lines any more (``dlzoo train | head -1``), the training goes on silently.

    Args:
        stream: Where to print; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout

    def begin(self, start: TrainingStart) -> None:
        """Print the opening line; the line on initial weights goes to standard error."""
        if start.initial_weights:
            self._line(start.initial_weights, sys.stderr)
        self._line(opening(start))

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Print nothing."""

    def epoch(self, epoch: Epoch) -> None:
        """Print the epoch's line."""
        self._line(epoch_line(epoch))

    def wants_steps(self) -> bool:
        """Return False."""
        return False

    def end(self) -> None:
        """Print nothing."""

    def _line(self, text: str, stream: TextIO | None = None) -> None:
        stream = stream or self.stream
        try:
            print(text, file=stream, flush=True)
        except OSError:
            discard(stream)


class WorkerReporter(PlainReporter):
    """Print only what one of several workers does; the chief tells the rest.

    Args:
        index: The worker's number, counted from 0.
        workers: How many there are.
    """

    def __init__(self, index: int, workers: int) -> None:
        super().__init__(sys.stderr)
        self.index = index
        self.workers = workers

    def begin(self, start: TrainingStart) -> None:
        """Print the share of a batch that this worker reads."""
        share = start.batch_size // self.workers
        self._line(
            f"worker {self.index} of {self.workers} computes {share} of the {start.batch_size} "
            "examples of each step"
        )

    def epoch(self, epoch: Epoch) -> None:
        """Print nothing."""


class Silent(PlainReporter):
    """Print nothing."""

    def _line(self, text: str, stream: TextIO | None = None) -> None:
        pass


def opening(start: TrainingStart) -> str:
    """Return in one line what is known once the model is built, and where the run is.

    The model, the data set and the recipe's settings are in the line that
    `zoo.training.resolve.describe` makes before TensorFlow starts; this line repeats none of it.
    """
    trained = f" ({start.trained:,} trained)" * (start.trained < start.parameters)
    parts = [
        f"{start.parameters:,} parameters{trained}",
        f"{start.examples:,} training examples",
        *_shares(start),
        start.devices,
        start.precision,
        *_resumed(start),
    ]
    return f"{', '.join(parts)} -> {start.run}"


def _resumed(start: TrainingStart) -> list[str]:
    if start.first_step:
        at = f"step {start.first_step + 1} of {start.steps}"
        return [f"resumed at epoch {start.first_epoch + 1}, {at}"]
    return [f"resumed at epoch {start.first_epoch + 1}"] if start.first_epoch else []


def _shares(start: TrainingStart) -> list[str]:
    """Return how a batch is divided, where it is."""
    share = start.batch_size // start.replicas
    examples = f"{share} example{'s' * (share != 1)}"
    if start.replicas > 1:
        examples += f" on each of {start.replicas} replicas"
    if start.accumulate > 1:
        return [f"{examples} at a time, {start.accumulate} steps to an update"]
    return [examples] if start.replicas > 1 else []


def epoch_line(epoch: Epoch) -> str:
    """Return an epoch in one line: scores by name, seconds, examples per second, best or not.

    The lines of a training have the same length up to the mark ``*best``, so that their columns
    align.
    """
    width = len(str(epoch.of))
    scores = "  ".join(f"{name} {fixed(value)}" for name, value in epoch.scores.items())
    best = "  *best" if epoch.best else ""
    return (
        f"epoch {epoch.number:>{width}}/{epoch.of}  {scores}  "
        f"{epoch.seconds:>6.1f}s  {epoch.rate:>7,.0f}/s{best}"
    )


def fixed(value: float) -> str:
    """Return a score in six characters: four decimals from 0 to 10, fewer for larger numbers."""
    if not math.isfinite(value):
        return f"{value:>6}"
    if 0 < abs(value) < 5e-4:
        return f"{value:>6.0e}"
    texts = (f"{value:.{decimals}f}" for decimals in (4, 3, 2, 1, 0))
    return next((text for text in texts if len(text) <= 6), f"{value:>6.0e}")
