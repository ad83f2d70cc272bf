"""The trainer's own callbacks: NaN, history, checkpoints, progress."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.base.errors import DlzooError
from zoo.base.files import write_text
from zoo.training import state
from zoo.training.progress import Epoch, Reporter
from zoo.training.watched import WatchedScore

LOOK_EVERY = 1.0
"""Seconds between two looks at the loss within an epoch: each waits for the device."""


class StopAtNaN(keras.callbacks.Callback):
    """Ends a training whose loss is no longer a number, and says what to try."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0
        self.looked = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember which epoch it is."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look now and then, so that an hour's epoch does not go on for nothing."""
        now = time.monotonic()
        if now - self.looked >= LOOK_EVERY:
            self.looked = now
            self._look(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at each epoch's end."""
        self._look(logs)

    def _look(self, logs: Any) -> None:
        for name, value in (logs or {}).items():
            if not name.startswith("val_") and not np.all(np.isfinite(np.asarray(value))):
                rates = ", ".join(
                    f"{learning_rate(optimizer):.3g}"
                    for optimizer in state.optimizers_of(self.model)
                )
                lower = learning_rate(state.optimizers_of(self.model)[0]) / 10.0
                raise DlzooError(
                    f"{name} is {float(np.asarray(value))} in epoch {self.epoch + 1} at a learning "
                    f"rate of {rates}. Try --learning-rate {lower:.1g}, "
                    "--set warmup.epochs=1 or --set optimizer.clipnorm=1.0"
                )


class RestoreCallbacks(keras.callbacks.Callback):
    """Gives the recipe's callbacks back what they knew; comes after them."""

    def __init__(self, callbacks: list[Any], arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.arrays = arrays

    def on_train_begin(self, logs: Any = None) -> None:
        """Undo what their own beginning cleared."""
        state.restore_callbacks(self.callbacks, self.arrays)


class EpochLog(keras.callbacks.Callback):
    """Writes history.csv and the checkpoints after each epoch, and tells the reporter."""

    def __init__(
        self,
        *,
        folder: Path,
        recipe_callbacks: list[Any],
        reporter: Reporter,
        epochs: int,
        examples: int,
        watched: WatchedScore,
        history: dict[str, list[float]],
        state_file: Path,
        best_file: Path,
        before_first: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.recipe_callbacks = recipe_callbacks
        self.reporter = reporter
        self.epochs = epochs
        self.examples = examples
        self.watched = watched
        self.state_file = state_file
        self.best_file = best_file
        self.before_first = before_first
        self.began = False
        names = list(history)
        self.rows = [
            dict(zip(names, values, strict=True)) for values in zip(*history.values(), strict=True)
        ]
        self.started = 0.0
        self.validation_started = 0.0
        self.validation_seconds = 0.0
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.epoch = epoch
        self.started = time.monotonic()
        self.validation_seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of the step if the reporter wants it."""
        if self.reporter.wants_steps():
            scores = {name: float(np.asarray(value)) for name, value in (logs or {}).items()}
            self.reporter.step(self.epoch + 1, batch + 1, scores)

    def on_test_begin(self, logs: Any = None) -> None:
        """Note when validation starts: it is not training time."""
        self.validation_started = time.monotonic()

    def on_test_end(self, logs: Any = None) -> None:
        """Note how long validation took."""
        self.validation_seconds += time.monotonic() - self.validation_started

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch down, then tell."""
        seconds = time.monotonic() - self.started - self.validation_seconds
        scores = {
            name: float(np.mean(np.asarray(value)))
            for name, value in (logs or {}).items()
            if name != "learning_rate"
        }
        rate = learning_rate(state.optimizers_of(self.model)[0])
        self.rows.append(
            {"epoch": epoch + 1, "seconds": round(seconds, 4), "learning_rate": rate, **scores}
        )
        place = self.watched.best([row.get(self.watched.name, math.nan) for row in self.rows])
        best = place == len(self.rows) - 1
        if best or place is None:  # where no epoch can be called the best, the last one is kept
            state.save_weights(self.best_file, self.model)
        if not self.began:
            self.began = True
            self.before_first()
        self._write_history()
        # The history first: a state without its line would lose an epoch for good.
        state.save(self.state_file, epoch + 1, self.model, self.recipe_callbacks)
        self.reporter.epoch(
            Epoch(
                number=epoch + 1,
                of=self.epochs,
                seconds=seconds,
                scores=scores,
                best=best,
                rate=self.examples / max(seconds, 1e-9),
            )
        )

    def _write_history(self) -> None:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="nan", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.folder / "history.csv", text.getvalue())


def learning_rate(optimizer: Any) -> float:
    """Return the learning rate that an optimizer's next step would take."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
