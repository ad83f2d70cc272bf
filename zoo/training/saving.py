"""Saving a training: its last few checkpoints, the best epoch's weights in each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recipes.recipe import Checkpointing
from zoo.runs.folder import RunFolder
from zoo.training import knowledge, state
from zoo.training.pace import Pace
from zoo.training.state import Checkpoint, Progress
from zoo.training.writer import Writer


class Saver:
    """Writes checkpoints into a run, and keeps the last few.

    A checkpoint is what the training knows after a step. It is written while the training goes on;
    until it is whole, the one before is the last.

    Args:
        run: Where to.
        writer: Writes them.
        model: Compiled.
        callbacks: Those whose knowledge is saved: the model's own and the recipe's.
        settings: How often, and how many to keep.
        steps: Of an epoch.
        checkpoint: What the training goes on from.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: Writer,
        model: Any,
        callbacks: Sequence[Any],
        settings: Checkpointing | None,
        *,
        steps: int,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.run = run
        self.writer = writer
        self.model = model
        self.callbacks = callbacks
        self.settings = settings or Checkpointing()
        self.steps = steps
        self.best_weights: list[np.ndarray] = []
        if checkpoint is not None and checkpoint.progress.best is not None:
            weights = len(model.variables)
            self.best_weights = checkpoint.best_weights or checkpoint.variables[:weights]
        sizes = [4 * math.prod(variable.shape) for variable in state.variables_of(model)]
        self.pace = Pace(self.settings, sum(sizes))

    def due(self, *, steps: int = 0, epochs: int = 0) -> bool:
        """Return whether it is time for a checkpoint, after some more steps or epochs.

        Raises:
            OSError: The last one could not be written.
        """
        writer = self.writer
        writer.look()
        return self.pace.due(
            steps=steps, epochs=epochs, beside=writer.seconds, busy=writer.under_way is not None
        )

    def keep_as_best(self) -> None:
        """Keep the weights as they are: they are the best epoch's."""
        with self.pace.timed(checkpoint=False):
            self.best_weights = state.values_of(self.model.variables)

    def save(self, progress: Progress, before: Callable[[], None]) -> None:
        """Begin a checkpoint. Several workers must all do so: they read some variables together.

        Args:
            progress: How far the training is; what callbacks know is added.
            before: Writes what must not be older than the checkpoint, such as the history.

        Raises:
            OSError: The last one could not be written.
        """
        with self.pace.timed():
            self.writer.wait()
            variables = state.values_of(state.variables_of(self.model))
            before()
            whole = replace(
                progress,
                callbacks=[knowledge.of(one) for one in self.callbacks],
                steps_per_execution=self.model.steps_per_execution,
            )
            # Of the epoch that has just ended, or where no epoch is better than another, the best
            # weights are those in the checkpoint.
            here = progress.step == 0 and progress.best == len(progress.rows) - 1
            best = [] if here or progress.best is None else self.best_weights
            path = self.run.checkpoint_path(progress.epoch * self.steps + progress.step)
            arrays = state.packed(whole, variables, best)
            self.writer.start(lambda: self._write(path, arrays))

    def _write(self, path: Path, arrays: Mapping[str, np.ndarray]) -> None:
        state.save(path, arrays)
        for old in self.run.checkpoints[: -self.settings.keep]:
            old.unlink(missing_ok=True)

    def cost(self) -> dict[str, Any]:
        """Return what the written checkpoints have cost.

        These are the seconds that the training waited, and the processor seconds of the writer.
        """
        seconds = self.pace.seconds + self.writer.seconds
        return {"checkpoints": self.pace.written, "checkpoint_seconds": round(seconds, 3)}
