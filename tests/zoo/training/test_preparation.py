"""Everything before the first step: what is merged, what is rehearsed, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zoo import tasks
from zoo.datasets.loading import load
from zoo.training.preparation import compile_arguments, rehearse
from zoo.training.resolve import resolve
from zoo.training.trainer import ready


def test_a_metric_that_the_task_and_the_recipe_name_counts_once() -> None:
    task = tasks.make("regression", load("diabetes").spec)
    recipe = resolve(
        "mlp",
        recipe="mlp-diabetes",
        overrides={"metrics": ["R2Score", "RootMeanSquaredError"], "loss": "mse"},
    )
    merged: dict[str, Any] = compile_arguments(recipe, task, steps_per_epoch=1)
    names = [getattr(one, "name", one) for one in merged["weighted_metrics"]]
    assert names == ["mean_absolute_error", "r2_score", "root_mean_squared_error"]
    assert "metrics" not in merged, "unweighted ones would count padding"


def test_a_rehearsal_tells_what_a_training_would_be_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = resolve("mlp", recipe="mlp-iris", epochs=7, freeze="hidden*")
    with ready(recipe) as (prepared, policy):
        told = rehearse(prepared, policy)
    seconds, memory = told.pop("seconds_per_epoch"), told.pop("peak_memory")
    assert told == {
        "model": "mlp",
        "dataset": "iris",
        "inputs": {"features": (4,)},
        "parameters": 131,
        "trained_parameters": 51,
        "examples": 105,
        "batch_size": 16,
        "steps": 7,
        "epochs": 7,
        "devices": "CPU",
        "precision": "float32",
    }
    assert seconds > 0
    assert memory is None or memory > 0
    assert list(tmp_path.iterdir()) == []
