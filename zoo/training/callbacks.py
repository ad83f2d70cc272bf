"""The trainer's own callbacks: NaN; history, checkpoints and progress."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from zoo.base.errors import DlzooError
from zoo.base.files import write_text
from zoo.runs.folder import RunFolder
from zoo.tasks.predictor import one_number
from zoo.training import state
from zoo.training.progress import Epoch, Reporter
from zoo.training.saving import Saver
from zoo.training.signals import Agree, StopRequest, alone
from zoo.training.state import Progress
from zoo.training.watched import WatchedScore

LOOK_EVERY = 1.0
"""Seconds between two looks at the loss within an epoch: each waits for the device."""
WRITE_EVERY = 1.0
"""Seconds between two writings of history.csv at least: each waits for the disk."""
HISTORY_SHARE = 0.005
"""Of the time that writing it may take."""


class StopAtNaN(keras.callbacks.Callback):
    """Ends a training whose loss is no longer a number, and says what to try."""

    def __init__(self, epoch: int = 0) -> None:
        super().__init__()
        self.epoch = epoch
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
                    f"{name} is {one_number(value)} in epoch {self.epoch + 1} at a learning "
                    f"rate of {rates}. Try --learning-rate {lower:.1g}, "
                    "--set warmup.epochs=1 or --set optimizer.clipnorm=1.0"
                )


class EpochLog(keras.callbacks.Callback):
    """Keeps the history, saves the training when it is time, and tells the reporter.

    It comes after all other callbacks, so that what they did in a step or an epoch is saved.

    Args:
        run: Where history and checkpoints go.
        saver: Writes the checkpoints.
        stop: Whether a signal asked for the end.
        reporter: Is told.
        epochs: In all.
        steps: Of an epoch.
        batch_size: Examples of a step.
        watched: The score by which epochs are compared.
        progress: What the training goes on from.
        before_first: Is called before the first file is written.
        agree: Makes of what each of several workers asks for one decision for all.
    """

    def __init__(
        self,
        *,
        run: RunFolder,
        saver: Saver,
        stop: StopRequest,
        reporter: Reporter,
        epochs: int,
        steps: int,
        batch_size: int,
        watched: WatchedScore,
        progress: Progress,
        before_first: Callable[[], None] = lambda: None,
        agree: Agree = alone,
    ) -> None:
        super().__init__()
        self.run = run
        self.saver = saver
        self.stop = stop
        self.reporter = reporter
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.watched = watched
        self.before_first = before_first
        self.agree = agree
        self.rows = [dict(row) for row in progress.rows]
        self.seconds = progress.seconds[: progress.epoch]
        self.earlier = sum(progress.seconds[progress.epoch :])
        """Seconds of this epoch before the training was stopped."""
        self.best = progress.best
        self.epoch = progress.epoch
        self.step = progress.step
        self.scores = dict(progress.scores)
        self.started = 0.0
        self.apart_since = 0.0
        self.written = time.monotonic()
        self.writing = 0.0
        # After a kill, history.csv is older or newer than the checkpoint, which holds its rows.
        self.unwritten = bool(progress.rows) and not run.finished

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock, for an epoch that was stopped in its middle too."""
        self.started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.epoch = epoch
        self.step = 0
        self.earlier = 0.0
        self.started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of the step if the reporter wants it, and save the training if it is time."""
        # The last execution of several steps may count past the epoch's end.
        before, self.step = self.step, min(batch + 1, self.steps)
        self.scores = logs or {}
        if self.reporter.wants_steps():
            scores = {name: one_number(value) for name, value in self.scores.items()}
            self.reporter.step(self.epoch + 1, self.step, scores)
        # At the end of an epoch, it is saved with its validation.
        due = self.saver.due(steps=self.step - before) and self.step < self.steps
        self._save_or_stop(due)

    def on_test_begin(self, logs: Any = None) -> None:
        """Stop the clock: validation is not training time."""
        self.apart_since = time.monotonic()

    def on_test_end(self, logs: Any = None) -> None:
        """Start the clock again."""
        self.started += time.monotonic() - self.apart_since

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch down, tell, and save the training if it is time or the end."""
        seconds = self._seconds_of_epoch()
        scores = {
            name: one_number(value)
            for name, value in (logs or {}).items()
            if name != "learning_rate"
        }
        rate = learning_rate(state.optimizers_of(self.model)[0])
        self.rows.append({"epoch": epoch + 1, "learning_rate": rate, **scores})
        self.seconds.append(round(seconds, 4))
        self.epoch, self.step, self.earlier, self.scores = epoch + 1, 0, 0.0, {}
        self.unwritten = True
        self.best = self.watched.best([row.get(self.watched.name, math.nan) for row in self.rows])
        if self.best == epoch:
            self.saver.keep_as_best()
        told = Epoch(
            number=epoch + 1,
            of=self.epochs,
            seconds=seconds,
            scores=scores,
            best=self.best == epoch,
            rate=self.steps * self.batch_size / max(seconds, 1e-9),
        )
        try:
            self.reporter.epoch(told)
        except BaseException:
            if self.agree is alone:  # the epoch is whole, whatever happens now
                self._save()
                self.saver.writer.wait()
            raise
        due = self.saver.due(epochs=1)
        self._save_or_stop(due or epoch + 1 == self.epochs or bool(self.model.stop_training))
        began = time.monotonic()
        if began - self.written >= max(WRITE_EVERY, self.writing / HISTORY_SHARE):
            with self.saver.pace.timed(checkpoint=False):
                self.write_history()
            self.writing = time.monotonic() - began

    def on_train_end(self, logs: Any = None) -> None:
        """Stop, if a signal asked for it after the last step.

        Nothing is saved: by now, callbacks have put other weights into the model.
        """
        if asked := self.agree(self.stop.number):
            self.saver.writer.wait()
            self.stop.end(asked)

    def write_history(self) -> None:
        """Write history.csv and timing.csv, if they are not up to date."""
        if not self.unwritten:
            return
        self.before_first()
        self.before_first = lambda: None
        _write_csv(self.run, "history.csv", self.rows)
        timing = [
            {"epoch": at, "seconds": seconds} for at, seconds in enumerate(self.seconds, start=1)
        ]
        _write_csv(self.run, "timing.csv", timing)
        self.unwritten = False
        self.written = time.monotonic()

    def _save_or_stop(self, due: bool) -> None:
        asked = self.agree(self.stop.number or int(due))
        if not asked:
            return
        self._save()
        if asked > 1:
            self.saver.writer.wait()
            self.stop.end(asked)

    def _save(self) -> None:
        running = [round(self._seconds_of_epoch(), 4)] if self.step else []
        began = time.monotonic()
        self.saver.save(
            Progress(
                epoch=self.epoch,
                step=self.step,
                stopped=bool(self.model.stop_training),
                scores={
                    name: value if isinstance(value, float) else np.asarray(value)
                    for name, value in self.scores.items()
                },
                rows=self.rows,
                seconds=[*self.seconds, *running],
                best=self.best,
            ),
            self._before_saving,
        )
        self.started += time.monotonic() - began

    def _before_saving(self) -> None:
        self.before_first()
        self.before_first = lambda: None

    def _seconds_of_epoch(self) -> float:
        return self.earlier + time.monotonic() - self.started


def _write_csv(run: RunFolder, name: str, rows: Sequence[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="nan", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(run.path / name, text.getvalue())


def learning_rate(optimizer: Any) -> float:
    """Return the learning rate that an optimizer's next step would take."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
