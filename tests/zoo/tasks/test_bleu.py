"""BLEU: the paper's example, and a training where it cannot be computed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import zoo
from recipes.recipe import parse
from zoo.base.errors import UsageError
from zoo.tasks import bleu
from zoo.training.progress import Silent


def test_it_is_the_geometric_mean_of_precisions_times_the_penalty_of_short_answers() -> None:
    answer, truth = "one two three four five", "one two three four six seven"
    precisions = (4 / 5, 3 / 4, 2 / 3, 1 / 2)
    expected = 100 * math.exp(1 - 6 / 5) * math.prod(precisions) ** 0.25
    assert bleu.corpus_bleu([answer], [truth]) == pytest.approx(expected)
    assert bleu.corpus_bleu([truth, answer], [truth, answer]) == pytest.approx(100.0)


def test_without_sacrebleu_a_target_of_bleu_is_refused_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bleu, "is_installed", lambda: False)
    values: dict[str, Any] = {
        "model": "show-and-tell",
        "epochs": 1,
        "batch_size": 1024,
        "steps_per_execution": 1,
        "arguments": {"filters": [2], "embedding_dim": 2, "units": 2},
        "data": {"name": "digit-captions"},
        "optimizer": {"name": "Adam", "learning_rate": 0.01},
        "target": {"metric": "bleu", "at_least": 20},
    }
    with pytest.raises(UsageError, match=r"sacrebleu: pip install 'dlzoo\[bleu\]'"):
        zoo.train(recipe=parse(values, source="test"), run_dir=tmp_path, reporter=Silent())
    assert not list(tmp_path.iterdir())
    del values["target"]
    run = zoo.train(recipe=parse(values, source="test"), run_dir=tmp_path, reporter=Silent())
    assert set(run.metrics["test"]) == {"loss", "accuracy", "exact_match"}
