"""Reporters that do something at a certain moment of a training."""

from __future__ import annotations

from collections.abc import Callable

from zoo.training.progress import Epoch, Silent, TrainingStart


class AfterEpoch(Silent):
    """Calls a function when an epoch has ended."""

    def __init__(self, number: int, action: Callable[[], None]) -> None:
        super().__init__()
        self.number = number
        self.action = action

    def epoch(self, epoch: Epoch) -> None:
        """Call it after the epoch of that number."""
        if epoch.number == self.number:
            self.action()


class Recording(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[TrainingStart] = []
        self.epochs: list[Epoch] = []

    def begin(self, start: TrainingStart) -> None:
        """Keep the start."""
        self.starts.append(start)

    def epoch(self, epoch: Epoch) -> None:
        """Keep the epoch."""
        self.epochs.append(epoch)


def interrupted_after(epoch: int) -> AfterEpoch:
    """A reporter that presses Ctrl-C when an epoch has ended."""
    return AfterEpoch(epoch, interrupt)


def interrupt() -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt
