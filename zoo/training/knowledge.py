"""What callbacks know from one step to the next, and how they are given it back.

A callback says so itself, by two methods:

    def get_state(self) -> dict[str, Any]
        What it knows now: numbers, texts, None, NumPy arrays, and lists and dicts of these.
        A callback that knows nothing returns an empty dict.
    def set_state(self, state: dict[str, Any]) -> None
        Takes it back. It is called after every callback's `on_train_begin`, before the variables
        of model, optimizers and metrics get their values. If the training goes on in the middle of
        an epoch, `on_epoch_begin` is not called again for that epoch.

Keras's own callbacks have no such methods: what each knows is listed here. A callback that is
neither listed nor has them cannot be resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from zoo.base.errors import UsageError
from zoo.base.files import flush_to_disk

# Of Keras 3.15; tests/zoo/training/test_knowledge.py holds the lists against Keras's code.
ATTRIBUTES: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: (
        *("best", "best_epoch", "best_weights", "stopped_epoch", "wait"),
    ),
    keras.callbacks.ReduceLROnPlateau: ("best", "cooldown_counter", "wait"),
    keras.callbacks.ModelCheckpoint: (
        *("best", "_current_epoch", "_batches_seen_since_last_saving", "_last_batch_seen"),
    ),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.TerminateOnNaN: (),
    keras.callbacks.RemoteMonitor: (),
}
LENGTH = "bytes"


def is_known(callback: Any) -> bool:
    """Return whether a callback can say what it knows."""
    own = hasattr(callback, "get_state") and hasattr(callback, "set_state")
    return own or type(callback) in ATTRIBUTES or type(callback) is keras.callbacks.CSVLogger


def unknown_names(callbacks: Sequence[Any]) -> list[str]:
    """Return the names of the callbacks that cannot say what they know."""
    return [type(one).__name__ for one in callbacks if not is_known(one)]


def require_known(run: str, callbacks: Sequence[Any]) -> None:
    """Raise a `UsageError` unless every callback of a run can say what it knows."""
    if names := unknown_names(callbacks):
        raise UsageError(
            f"run {run} cannot be resumed: its callback {names[0]} cannot say what it knows "
            "(get_state and set_state, see zoo/training/knowledge.py)"
        )


def of(callback: Any) -> dict[str, Any]:
    """Return what a callback knows; nothing of one that cannot say it."""
    if hasattr(callback, "get_state"):
        return dict(callback.get_state())
    if type(callback) is keras.callbacks.CSVLogger:
        return {LENGTH: _flushed_length(callback)}
    # Some are there only after the first step.
    names = ATTRIBUTES.get(type(callback), ())
    return {name: vars(callback)[name] for name in names if name in vars(callback)}


def give_back(callback: Any, state: dict[str, Any]) -> None:
    """Give a callback what it knew; call it after it has begun, which clears it."""
    if hasattr(callback, "set_state"):
        callback.set_state(state)
    elif type(callback) in ATTRIBUTES:
        vars(callback).update(state)


def before_training(callback: Any, state: dict[str, Any]) -> None:
    """Let a callback go on with its file, and not begin it anew; call it before it begins."""
    if type(callback) is not keras.callbacks.CSVLogger or not state.get(LENGTH):
        return
    path = Path(callback.filename)
    if path.is_file():
        # Lines after the checkpoint are of epochs that are trained again.
        with path.open("r+b") as file:
            file.truncate(min(state[LENGTH], path.stat().st_size))
        callback.append = True


def release(callback: Any) -> None:
    """Close what a callback holds open where a training did not come to its end."""
    if type(callback) is keras.callbacks.CSVLogger and callback.csv_file is not None:
        callback.csv_file.close()


def _flushed_length(logger: Any) -> int:
    """Return how long the file of a CSVLogger is, when all that it wrote is on disk."""
    path = Path(logger.filename)
    if not path.is_file():
        return 0
    flush_to_disk(path)
    return path.stat().st_size
