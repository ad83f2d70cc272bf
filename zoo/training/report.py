"""Telling how a training goes: what is told, and telling it in plain lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What is known when a training starts."""

    run: Path
    model: str
    dataset: str
    parameters: int
    """Trainable ones, before any layer was frozen."""
    trained: int
    """Those of them that are trained."""
    initial_weights: str
    """What was loaded and what was not, in one line; empty where all were drawn."""
    examples: int
    devices: str
    precision: str
    epochs: int
    first_epoch: int
    """Counted from 0; above 0 where a run is resumed."""
    steps: int
    batch_size: int
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
    """Training examples a second."""


class Reporter(Protocol):
    """Whoever is told how a training goes."""

    def begin(self, beginning: Beginning) -> None:
        """Hear that it starts."""

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Hear of a step, both counted from 1."""

    def epoch(self, epoch: Epoch) -> None:
        """Hear that an epoch ended."""

    def wants_steps(self) -> bool:
        """Return whether to be told of the next step: it costs a look at the device."""

    def end(self) -> None:
        """Hear that it is over, however it ended."""


class PlainReporter:
    """One line for each epoch, without escape codes: for pipes, logs and notebooks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout

    def begin(self, beginning: Beginning) -> None:
        """Print the facts in one line; what was loaded goes to standard error."""
        if beginning.initial_weights:
            self._line(beginning.initial_weights, sys.stderr)
        self._line(opening(beginning))

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
        print(text, file=stream or self.stream, flush=True)


class Silent(PlainReporter):
    """Nothing at all."""

    def _line(self, text: str, stream: TextIO | None = None) -> None:
        pass


def opening(beginning: Beginning) -> str:
    """Return what a training starts with, in one line."""
    resumed = f", from epoch {beginning.first_epoch + 1}" if beginning.first_epoch else ""
    share = f", {beginning.trained:,} trained" * (beginning.trained < beginning.parameters)
    return (
        f"{beginning.model} ({beginning.parameters:,} parameters{share}) on {beginning.dataset} "
        f"({beginning.examples:,} examples, batches of {beginning.batch_size}), "
        f"{beginning.devices}, {beginning.precision}{resumed} -> {beginning.run}"
    )


def epoch_line(epoch: Epoch) -> str:
    """Return an epoch in one line: scores by name, seconds, examples a second, best or not."""
    width = len(str(epoch.of))
    scores = "  ".join(f"{name} {value:.4g}" for name, value in epoch.scores.items())
    best = "  *best" if epoch.best else ""
    return (
        f"epoch {epoch.number:>{width}}/{epoch.of}  {scores}  "
        f"{epoch.seconds:.1f}s  {epoch.rate:,.0f}/s{best}"
    )
