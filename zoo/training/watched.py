"""The score by which a training's epochs are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipes.recipe import Recipe
from zoo.base.errors import UsageError, suggestion
from zoo.tasks.base import Task


@dataclass(frozen=True)
class WatchedScore:
    """A column of the history, and which of its values is the best.

    It is what early stopping watches, by early stopping's own rule, so that both choose the same
    epoch; or else the recipe's target or the task's headline on the validation split.
    """

    name: str
    """As in the history, such as ``val_accuracy``."""
    higher_is_better: bool
    min_delta: float = 0.0
    """Only a value that is better by more than this replaces the best one."""
    first_epoch: int = 0
    """Counted from 0. Once it has come, earlier epochs are no longer the best."""

    def best(self, values: Sequence[float]) -> int | None:
        """Return where the best of the epochs' values stands, or None if none is a number.

        Of equal values it is the first.
        """
        best: int | None = None
        sign = 1.0 if self.higher_is_better else -1.0
        for at, value in enumerate(values):
            if not math.isfinite(value):
                continue
            if (
                best is None
                or best < self.first_epoch <= at
                or sign * (value - values[best]) > self.min_delta
            ):
                best = at
        return best


def watched_score(
    recipe: Recipe, task: Task, model: Any, callbacks: Sequence[Any], scores: Sequence[str]
) -> WatchedScore:
    """Return the score by which epochs are compared.

    Args:
        recipe: Whose target names a score.
        task: Whose headline is taken where there is no target.
        model: Compiled.
        callbacks: The recipe's, made.
        scores: The names of all scores that the model computes.

    Raises:
        UsageError: A callback or the target names a score that nothing computes, or nobody says
            whether a higher value of the score is better.
    """
    headline = recipe.target.metric if recipe.target else task.headline
    if headline in task.absent:
        raise UsageError(f"the target is '{headline}': {task.absent[headline]}")
    _require_computed("the target is", headline, [*scores, *task.final_scores])
    monitored = [*scores, *(f"val_{name}" for name in scores), "learning_rate"]
    for callback in _watching(callbacks):
        _require_computed(f"{type(callback).__name__} watches", callback.monitor, monitored)
    set_modes(recipe, task, model, callbacks)
    stopping = [one for one in callbacks if type(one).__name__ == "EarlyStopping"]
    if stopping:
        return WatchedScore(
            stopping[-1].monitor,
            higher_is_better=stopping[-1].mode == "max",
            # Keras changes the sign of min_delta when the training begins.
            min_delta=abs(stopping[-1].min_delta),
            first_epoch=stopping[-1].start_from_epoch,
        )
    # A final score is computed only once, after the training: epochs are compared by their loss.
    # Without a loss (a GAN has none), no epoch is better than another.
    name = "loss" if headline not in scores and "loss" in scores else headline
    return WatchedScore(f"val_{name}", _higher_is_better(recipe, task, model, name))


def set_modes(recipe: Recipe, task: Task, model: Any, callbacks: Sequence[Any]) -> None:
    """Tell callbacks of mode ``auto`` whether a higher value of what they watch is better.

    Keras finds it out only of compiled metrics; of a model's own metrics, such as a VAE's ELBO, it
    would raise an error after the first epoch.

    Raises:
        UsageError: It is unknown.
    """
    for callback in _watching(callbacks):
        if getattr(callback, "mode", None) == "auto":
            higher = _higher_is_better(recipe, task, model, callback.monitor)
            callback.mode = "max" if higher else "min"


def _watching(callbacks: Sequence[Any]) -> list[Any]:
    """Return the callbacks that compare values of a score."""
    return [
        one
        for one in callbacks
        if isinstance(getattr(one, "monitor", None), str)
        and getattr(one, "save_best_only", True)  # a ModelCheckpoint may save every epoch
    ]


def _require_computed(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        hint = suggestion(name, known) or f" There are: {', '.join(known)}."
        raise UsageError(f"{what} '{name}', which nothing computes.{hint}")


def _higher_is_better(recipe: Recipe, task: Task, model: Any, name: str) -> bool:
    target = recipe.target
    if target is not None and name.removeprefix("val_") == target.metric:
        return target.at_most is None
    better = task.higher_is_better(name, model)
    if better is None:
        raise UsageError(
            f"it is unknown whether a higher {name} is better: give it a target with at_least or "
            "at_most, or the callback a mode"
        )
    return better
