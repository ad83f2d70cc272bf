"""Trainings that are killed and resumed, beside one that is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.overrides import override
from recipes.recipe import Recipe
from zoo import run as zoo_run
from zoo.run import Run
from zoo.training.progress import Silent


class Killed(BaseException):
    """Ends a training at once, as SIGKILL does: nothing is written any more."""


class KilledAfterSteps(Silent):
    """Kills the training after so many of the steps of this process."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def wants_steps(self) -> bool:
        """Return True."""
        return True

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Count a step."""
        self.left -= 1
        if self.left == 0:
            raise Killed


def killed_and_resumed(recipe: Recipe, run_dir: Path, steps: list[int]) -> Run:
    """Return a run that was killed after each of these numbers of steps, and resumed to its end."""
    with pytest.raises(Killed):
        zoo.train(recipe=recipe, run_dir=run_dir, reporter=KilledAfterSteps(steps[0]))
    run = zoo.load("latest", run_dir)
    for count in steps[1:]:
        with pytest.raises(Killed):
            zoo_run.resume(run, reporter=KilledAfterSteps(count))
    return zoo_run.resume(run, reporter=Silent())


def contents(run: Run) -> dict[str, Any]:
    """Return what has to be equal to the bit: weights, best weights, history and scores."""
    best = Run(run.path, "best")
    return {
        "weights": [weight.numpy().tobytes() for weight in run.model.weights],
        "best": [weight.numpy().tobytes() for weight in best.model.weights],
        "history": (run.path / "history.csv").read_bytes(),
        "test": run.metrics["test"],
        "csv": sorted(path.read_bytes() for path in run.path.glob("*.log")),
    }


def saved_every(recipe: Recipe, steps: int) -> Recipe:
    """Return a recipe with a checkpoint after so many steps."""
    return override(recipe, {"checkpoint.steps": steps})


def last_state(run: Run) -> list[np.ndarray]:
    """Return the variables of a run's last checkpoint."""
    from zoo.training import state

    return state.load(run.checkpoints[-1]).variables


def whole_steps(run: Run) -> int:
    """Return the steps of an epoch."""
    return int(run.checkpoints[-1].name[5:-4]) // run.epochs_done
