"""The trainer's own callbacks: watching for NaN, history, checkpoints, telling."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import DlzooError, UsageError, suggestion
from zoo.files import write_text
from zoo.runs import CHECKPOINT
from zoo.training import state
from zoo.training.report import Epoch, Reporter

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


class CheckNames(keras.callbacks.Callback):
    """Refuses a recipe whose callbacks or target name a score that does not exist."""

    def __init__(self, watching: list[Any], target: str, final_scores: Iterable[str]) -> None:
        super().__init__()
        self.watching = watching
        self.target = target
        self.final_scores = final_scores

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the target and each callback's ``monitor`` with the scores that there are."""
        names = [*(logs or {}), "learning_rate"]
        scores = [name.removeprefix("val_") for name in names if name.startswith("val_")]
        scores += self.final_scores
        if self.target not in scores:
            hint = suggestion(self.target, scores) or f" There are: {', '.join(scores)}."
            raise UsageError(f"the target is '{self.target}', which nothing computes.{hint}")
        for callback in self.watching:
            monitor = getattr(callback, "monitor", None)
            if isinstance(monitor, str) and monitor not in names:
                hint = suggestion(monitor, names) or f" There are: {', '.join(names)}."
                raise UsageError(
                    f"{type(callback).__name__} watches '{monitor}', which nothing computes.{hint}"
                )


class Remind(keras.callbacks.Callback):
    """Gives the recipe's callbacks back what they knew; comes after them."""

    def __init__(self, callbacks: list[Any], arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.arrays = arrays

    def on_train_begin(self, logs: Any = None) -> None:
        """Undo what their own beginning cleared."""
        state.remind(self.callbacks, self.arrays)


class Keep(keras.callbacks.Callback):
    """Writes history.csv and the checkpoint after each epoch, and tells the reporter."""

    def __init__(
        self,
        *,
        folder: Path,
        recipe_callbacks: list[Any],
        reporter: Reporter,
        epochs: int,
        examples: int,
        headline: str,
        better: Callable[[float, float], bool],
        history: dict[str, list[float]],
    ) -> None:
        super().__init__()
        self.folder = folder
        self.recipe_callbacks = recipe_callbacks
        self.reporter = reporter
        self.epochs = epochs
        self.examples = examples
        self.headline = headline
        self.better = better
        names = list(history)
        self.rows = [
            dict(zip(names, values, strict=True)) for values in zip(*history.values(), strict=True)
        ]
        self.started = 0.0
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.epoch = epoch
        self.started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of the step where it is wanted."""
        if self.reporter.wants_steps():
            scores = {name: float(np.asarray(value)) for name, value in (logs or {}).items()}
            self.reporter.step(self.epoch + 1, batch + 1, scores)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch down, then tell."""
        seconds = time.monotonic() - self.started
        scores = {
            name: float(np.mean(np.asarray(value)))
            for name, value in (logs or {}).items()
            if name != "learning_rate"
        }
        earlier = [row[self.headline] for row in self.rows if self.headline in row]
        value = scores.get(self.headline, math.nan)
        best = math.isfinite(value) and all(self.better(value, other) for other in earlier)
        rate = learning_rate(state.optimizers_of(self.model)[0])
        self.rows.append(
            {"epoch": epoch + 1, "seconds": round(seconds, 4), "learning_rate": rate, **scores}
        )
        self._write_history()
        # The history first: a state without its line would lose an epoch for good.
        state.save(
            self.folder / CHECKPOINT,
            epoch + 1,
            self.model,
            self.recipe_callbacks,
        )
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
