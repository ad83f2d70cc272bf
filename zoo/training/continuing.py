"""`fit` that begins where a checkpoint was written, also in the middle of an epoch.

Keras's `fit` begins at the start of an epoch and clears the metrics there. To end one `fit` with
the epoch and begin another would not do: the end of a `fit` restores early stopping's weights and
overwrites weights by their averages, and its beginning clears the callbacks. A loop of our own
instead of `fit` would have to repeat what Keras does for validation, strategies and executions of
several steps. So `fit` runs the whole epoch, and what differs is what it calls: the training
function does nothing for steps that are done, takes no batch for them, and returns the scores that
the last of them returned; the callbacks do not hear of these steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.training import knowledge, state
from zoo.training.state import Checkpoint


class ContinuedCallbacks(keras.callbacks.CallbackList):
    """Callbacks that go on from a checkpoint.

    Args:
        callbacks: All of them.
        knowing: Those of them whose knowledge is in the checkpoint, in its order.
        checkpoint: Where to go on.
        model: Compiled; the checkpoint fits it.
        epochs: In all.
        steps: Of an epoch.
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        knowing: Sequence[Any],
        checkpoint: Checkpoint,
        *,
        model: Any,
        epochs: int,
        steps: int,
    ) -> None:
        self.knowing = knowing
        self.checkpoint = checkpoint
        progress = checkpoint.progress
        self.at = (progress.epoch, progress.step)
        self.epoch = -1
        for one, known in zip(knowing, progress.callbacks, strict=True):
            knowledge.before_training(one, known)
        super().__init__(
            list(callbacks), add_history=True, model=model, verbose=0, epochs=epochs, steps=steps
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Let all begin, then undo what their beginning cleared or changed."""
        super().on_train_begin(logs)
        for one, known in zip(self.knowing, self.checkpoint.progress.callbacks, strict=True):
            knowledge.give_back(one, known)
        self._assign()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin an epoch, but not the one that had begun before the checkpoint."""
        self.epoch = epoch
        if self._has_begun():
            self._assign()  # once more, for `fit` has just cleared the metrics
            self._skip(self.at[1] // self.model.steps_per_execution)
        else:
            super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tell of a step unless it is done."""
        if not self._has_begun() or batch >= self.at[1]:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of a step unless it is done."""
        if not self._has_begun() or batch >= self.at[1]:
            super().on_train_batch_end(batch, logs)

    def _has_begun(self) -> bool:
        return self.at[1] > 0 and self.epoch == self.at[0]

    def _assign(self) -> None:
        with self.model.distribute_strategy.scope():
            state.assign(state.variables_of(self.model), self.checkpoint.variables)

    def _skip(self, executions: int) -> None:
        """Let the next calls of the training function do nothing."""
        model, trains, left = self.model, self.model.train_function, executions

        def skips(iterator: Any) -> dict[str, float]:
            nonlocal left
            left -= 1
            if left == 0:
                model.train_function = trains
            return dict(self.checkpoint.progress.scores)

        model.train_function = skips
