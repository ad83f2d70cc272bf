"""A learning rate found by a short training in which it rises from step to step.

Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from recipes.overrides import override
from recipes.recipe import Recipe
from zoo.base.errors import UsageError

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 120
SMOOTHING = 0.9
"""Share of the mean of the steps before in a smoothed loss."""
DIVERGED = 3.0
"""The test ends where the smoothed loss is so many times its lowest value."""
BELOW = 10.0
"""The rate that is chosen is the rate at the lowest loss, divided by this."""


def with_found_rate(recipe: Recipe) -> tuple[Recipe, float]:
    """Return a recipe with a learning rate that suits its model and data, and the rate.

    A model is trained for up to 120 steps, at rates from 0.000001 to 1, and forgotten. The rate is
    a tenth of that at which the smoothed loss was lowest.

    Args:
        recipe: Resolved, with one optimizer.

    Raises:
        UsageError: The model has several optimizers, or its loss falls at no rate.
    """
    from zoo.training.trainer import ready

    if recipe.optimizer is None:
        names = ", ".join(recipe.optimizers)
        raise UsageError(f"{recipe.model} has several optimizers ({names}): no one rate is found")
    plain = recipe.model_copy(
        update={
            "optimizer": recipe.optimizer.model_copy(update={"schedule": None, "warmup": None}),
            "schedule": None,
            "warmup": None,
            "callbacks": [],
            "steps_per_execution": 1,
        }
    )
    with ready(plain) as (prepared, _):
        rates, losses = _measured(prepared)
    rate = chosen_rate(rates, losses)
    return override(recipe, {"optimizer.learning_rate": rate}), rate


def _measured(prepared: Any) -> tuple[list[float], list[float]]:
    """Return the rates that were tried and the loss of each step."""
    import keras

    rates: list[float] = []
    losses: list[float] = []

    class Rise(keras.callbacks.Callback):
        """Sets the rate before each step, and notes the step's own loss."""

        total = 0.0

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            rate = LOWEST * (HIGHEST / LOWEST) ** (batch / (STEPS - 1))
            self.model.optimizer.learning_rate = rate
            rates.append(rate)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            # Keras tells the mean of the epoch so far.
            total = float(logs["loss"]) * (batch + 1)
            losses.append(total - self.total)
            self.total = total
            lowest = min(_smoothed(losses))
            now = _smoothed(losses)[-1]
            if not math.isfinite(now) or (batch > 20 and now > DIVERGED * lowest):
                self.model.stop_training = True

    prepared.model.fit(
        prepared.batches.start(),
        steps_per_epoch=STEPS,
        epochs=1,
        shuffle=False,
        verbose=0,
        class_weight=prepared.class_weights,
        callbacks=[Rise()],
    )
    return rates[: len(losses)], losses


def chosen_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """Return a tenth of the rate at which the smoothed loss is lowest, to two digits.

    Raises:
        UsageError: It is lowest at the start: the loss fell at no rate.
    """
    smoothed = [loss if math.isfinite(loss) else math.inf for loss in _smoothed(losses)]
    best = min(range(len(smoothed)), key=smoothed.__getitem__)
    if best < len(smoothed) // 10:
        raise UsageError("the loss falls at no learning rate: give one by --learning-rate")
    return float(f"{rates[best] / BELOW:.1e}")


def _smoothed(losses: Sequence[float]) -> list[float]:
    found: list[float] = []
    mean = 0.0
    for number, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss
        found.append(mean / (1.0 - SMOOTHING**number))  # as if the mean had begun with the losses
    return found
