"""The end of a training: scores of the model as it was saved, figures, and the run's card."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.base.files import write_text
from zoo.runs.card import write_card
from zoo.runs.figures import curves
from zoo.runs.folder import MODEL, RunFolder
from zoo.training.cluster import is_chief
from zoo.training.watched import WatchedScore

if TYPE_CHECKING:
    from zoo.training.preparation import Prepared


def scored(run: RunFolder, prepared: Prepared, seconds: float) -> dict[str, Any]:
    """Score the model as it was saved, draw its figures, and return what metrics.json will hold.

    Args:
        run: Whose model is saved.
        prepared: What it was trained with.
        seconds: Since the first step of this session.
    """
    from zoo.training.preparation import compile_arguments

    recipe, task, dataset = prepared.recipe, prepared.task, prepared.dataset
    with prepared.strategy.scope():  # all replicas share the work
        model = registry.restore(prepared.card.name, run.path / MODEL)
        model.compile(**compile_arguments(recipe, task, steps_per_epoch=1), jit_compile=False)
    history = run.history
    metrics: dict[str, Any] = {
        "epochs": run.epochs_done,
        "of_epochs": recipe.epochs,
        "best_epoch": best_epoch(history, prepared.watched),
        "seconds": round(seconds, 2),
        "training_seconds": round(run.training_seconds, 2),
        "parameters": prepared.parameters,
        "trained_parameters": prepared.trained,
    }
    for split in ("validation", "test"):
        metrics[split] = task.evaluate(model, dataset, split)
    name = recipe.target.metric if recipe.target else task.headline
    score: dict[str, Any] = {"metric": name, "split": "test", "value": metrics["test"][name]}
    if recipe.target:
        score["target"] = str(recipe.target)
        score["reached"] = recipe.target.reached(score["value"])
    metrics["score"] = score
    if is_chief(recipe):  # the others have computed their parts of the scores
        metrics["figures"] = task.data_for_figures(task.predictor(model), dataset, "test")
        if history:
            curves({run.name: history}, run.path / "figures" / "curves.png")
        task.draw(metrics["figures"], model, dataset, run.path / "figures")
    return metrics


def conclude(run: RunFolder, prepared: Prepared, metrics: dict[str, Any]) -> None:
    """Write the scores, with which a run is finished, and its card.

    Args:
        run: Whose model and last checkpoint are saved.
        prepared: What it was trained with.
        metrics: Of `scored`.
    """
    if is_chief(prepared.recipe):
        write_text(run.path / "metrics.json", json.dumps(metrics, indent=1) + "\n")
        write_card(run, prepared.task.commands)


def best_epoch(history: dict[str, list[float]], watched: WatchedScore) -> int | None:
    """Return the epoch, counted from 1, with the best value of a score, or None."""
    best = watched.best(history.get(watched.name, []))
    return None if best is None else int(history["epoch"][best])
