"""Learning-rate schedules that Keras does not have."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("dlzoo")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A linear climb of the learning rate, followed by another schedule or a constant.

    The rate is linear in the step from `start` at step 0 to the first rate of `schedule` at step
    `steps`. From there `schedule` counts its steps from 0.

    Args:
        schedule: A Keras schedule, or a constant learning rate.
        steps: Length of the climb.
        start: Learning rate at step 0.
    """

    def __init__(self, schedule: Any, steps: int, start: float) -> None:
        self.schedule = schedule
        self.steps = steps
        self.start = start

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        step = keras.ops.cast(step, "float32")
        after = keras.ops.maximum(step - self.steps, 0.0)
        rate = self.schedule(after) if callable(self.schedule) else self.schedule
        share = keras.ops.minimum(step / self.steps, 1.0)
        return self.start + share * (rate - self.start)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps, "start": self.start}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WarmUp:
        """Return the schedule that a config describes."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"], config["start"])


@keras.saving.register_keras_serializable("dlzoo")
class PerUpdate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that counts updates, for an optimizer that accumulates gradients.

    Keras asks a schedule for the rate of a step, and several steps make one update: the last of
    them would take a rate of the next update's.

    Args:
        schedule: A Keras schedule.
        steps: Of an update.
    """

    def __init__(self, schedule: Any, steps: int) -> None:
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        return self.schedule(keras.ops.floor_divide(step, self.steps))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PerUpdate:
        """Return the schedule that a config describes."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])


@keras.saving.register_keras_serializable("dlzoo")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """A linear climb, then the inverse square root of the step (Vaswani et al. 2017, equation 3).

    The paper's rate is d_model^-0.5 · min(step^-0.5, step · warmup_steps^-1.5), with steps counted
    from 1 and warmup_steps = 4,000: its highest value is (d_model · warmup_steps)^-0.5, 0.0007 for
    the base model.

    Args:
        initial_learning_rate: The highest rate, at `warmup_steps`.
        warmup_steps: Length of the climb.
    """

    def __init__(self, initial_learning_rate: float, warmup_steps: int) -> None:
        if warmup_steps < 1:
            raise ValueError(f"warmup_steps must be at least 1, got {warmup_steps}")
        self.initial_learning_rate = initial_learning_rate
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        share = (keras.ops.cast(step, "float32") + 1.0) / self.warmup_steps
        return self.initial_learning_rate * keras.ops.minimum(share, keras.ops.rsqrt(share))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "warmup_steps": self.warmup_steps,
        }
