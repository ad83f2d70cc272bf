"""Training in phases: greedy layers one after the other, then the whole model."""

from __future__ import annotations

from typing import Any

import keras


class Phased(keras.Model):
    """A model whose training has phases, each of which trains some of its weights.

    Every phase but the last takes `phase_epochs` epochs, so an epoch's number says which phase it
    belongs to. A subclass sets `phases` and `phase_epochs`, and its `train_step` asks
    `phase_now`, which is a plain number while the step is traced.
    """

    phases: int
    """How many there are."""
    phase_epochs: int
    """Epochs of each phase but the last one, which takes the rest."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Saved with the weights: a training that is resumed does not begin its phase again.
        self.phase = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="phase"
        )
        self.phase_now = 0

    def phase_of(self, epoch: int) -> int:
        """Return the phase of an epoch; both are counted from 0."""
        return min(epoch // self.phase_epochs, self.phases - 1)

    def begin_phase(self, phase: int) -> None:
        """Begin a phase. A subclass may start it from weights of the one before."""
        self.phase.assign(phase)

    def go_to_phase(self, phase: int) -> None:
        """Be in a phase: begin it if the weights are not of it yet, and train by its step."""
        if int(keras.ops.convert_to_numpy(self.phase)) != phase:
            self.begin_phase(phase)
        if self.phase_now != phase:
            self.phase_now = phase
            if self.train_function is not None:
                self.make_train_function(force=True)

    def get_metrics_result(self) -> Any:
        """Return all metrics' values, or none as long as a phase has not computed some of them.

        `fit` asks for all of them after each epoch, and Keras's compiled metrics cannot be read
        before they are updated.
        """
        if not all(getattr(metric, "built", True) for metric in self.metrics):
            return {}
        return super().get_metrics_result()

    def training_callbacks(self) -> list[Any]:
        """Return the callback that begins each phase in its epoch."""
        return [PhaseCallback()]


class PhaseCallback(keras.callbacks.Callback):
    """Takes a `Phased` model to the phase of each epoch."""

    def get_state(self) -> dict[str, Any]:
        """Return the phase, for a training that goes on in the middle of an epoch."""
        return {"phase": self.model.phase_now}

    def set_state(self, state: dict[str, Any]) -> None:
        """Train by that phase's step. Its weights are given back afterwards."""
        self.model.phase.assign(state["phase"])
        self.model.go_to_phase(state["phase"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin the epoch's phase."""
        self.model.go_to_phase(self.model.phase_of(epoch))
