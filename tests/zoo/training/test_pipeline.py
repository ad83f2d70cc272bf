"""The speed of an input pipeline, and which side waits."""

from __future__ import annotations

from typing import Any

import pytest

from zoo.base.errors import UsageError
from zoo.training import pipeline
from zoo.training.pipeline import Flow, measure_pipeline


def flow(**values: Any) -> Flow:
    known: dict[str, Any] = {
        "dataset": "iris",
        "model": "mlp",
        "recipe": "mlp-iris",
        "batch_size": 16,
        "repeats": 3,
        "pipeline": 100.0,
        "quartiles": (90.0, 110.0),
        "growth": 0,
    }
    return Flow(**{**known, **values})


@pytest.mark.parametrize(
    ("device", "slower"), [(None, None), (50.0, "device"), (200.0, "input pipeline")]
)
def test_the_slower_side_is_named(device: float | None, slower: str | None) -> None:
    assert flow(device=device).bottleneck == slower
    assert flow(device=device).as_dict()["bottleneck"] == slower


@pytest.mark.parametrize("with_model", [False, True])
def test_examples_a_second_are_measured(with_model: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ROUND", 0.01)
    sent: list[dict[str, Any]] = []
    recipe = pipeline._recipe("iris", "mlp" if with_model else None, 15)
    pipeline._measure(sent.append, recipe, with_model, 2)
    found = Flow(**sent[0])
    assert (found.dataset, found.batch_size, found.repeats) == ("iris", 15, 2)
    assert found.pipeline > 0
    assert found.quartiles[0] <= found.pipeline <= found.quartiles[1]
    assert (found.bottleneck is not None) == with_model
    assert (found.training is not None) == with_model


def test_a_model_that_does_not_fit_the_data_is_refused() -> None:
    with pytest.raises(UsageError, match="lenet5"):
        measure_pipeline("iris", "lenet5")
