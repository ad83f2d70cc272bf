"""A run's card says what the run is, and promises only what holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.library import load as load_recipe
from zoo.runs.card import write_card
from zoo.runs.folder import RunFolder, create

METRICS: dict[str, Any] = {
    "epochs": 3,
    "training_seconds": 4.4,
    "parameters": 131,
    "trained_parameters": 67,
    "validation": {"loss": 0.5, "accuracy": 0.9},
    "test": {"loss": 0.6, "accuracy": 0.95},
    "score": {
        "metric": "accuracy",
        "split": "test",
        "value": 0.95,
        "target": "accuracy ≥ 0.93",
        "reached": True,
    },
}
SESSION = {"epochs": 3, "devices": "CPU", "precision": "float32", "versions": {"keras": "3.15"}}
BIT_FOR_BIT = "again, bit for bit on CPU"


def card(folder: Path, *sessions: dict[str, Any], **changes: Any) -> str:
    """The card of a run with these sessions and changes of its recipe."""
    environment = {
        "date": "2026-01-01T00:00:00+00:00",
        "devices": "CPU",
        "precision": "float32",
        "versions": {"tensorflow": "2.21", "keras": "3.15"},
        "sessions": list(sessions) or [SESSION],
    }
    recipe = load_recipe("mlp-iris").model_copy(update=changes)
    run = create(recipe, "{}", environment, folder)
    (run.path / "metrics.json").write_text(json.dumps(METRICS))
    (run.path / "figures" / "curves.png").touch()
    write_card(run, ("evaluate", "predict"))
    return (run.path / "README.md").read_text(encoding="utf-8")


def test_it_says_what_was_trained_how_it_scored_and_what_to_type(run_dir: Path) -> None:
    text = card(run_dir)
    path = RunFolder(run_dir / "mlp-iris-1").reference
    assert "`mlp` on `iris`: accuracy 0.9500 on the test split (target accuracy ≥ 0.93: " in text
    assert "| accuracy | 0.9000 | 0.9500 |" in text
    assert "![curves.png](figures/curves.png)" in text
    assert f"$ dlzoo predict {path}\n" in text
    assert f"$ dlzoo train --recipe {path}/recipe.toml  # {BIT_FOR_BIT}\n" in text
    assert "Started from" not in text


def test_it_says_what_was_not_trained_here(run_dir: Path) -> None:
    text = card(run_dir, init_from="runs/other", freeze=["stem*", "stage1*"])
    assert "Started from `runs/other`." in text
    assert "67 of 131 parameters trained, frozen: `stem*`, `stage1*`." in text


@pytest.mark.parametrize(
    ("change", "promised"),
    [
        ({}, True),
        ({"epochs": 5}, False),
        ({"devices": "2 × CPU"}, False),
        ({"precision": "mixed_bfloat16"}, False),
        ({"versions": {"keras": "3.16"}}, False),
    ],
)
def test_bit_for_bit_is_promised_only_where_all_sessions_were_alike(
    change: dict[str, Any], promised: bool, run_dir: Path
) -> None:
    assert (BIT_FOR_BIT in card(run_dir, SESSION, {**SESSION, **change})) is promised
