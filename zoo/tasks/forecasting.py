"""Forecasting: the next value of a series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.tasks.base import Score
from zoo.tasks.regression import Regression

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

MOST_STEPS = 300
"""That a picture of forecasts shows."""


class Forecasting(Regression):
    """Models that read a series and answer with the value that comes next on its first channel.

    ``skill`` is 1 - MSE / MSE of repeating the last value: 0 is no better than that, 0.9 is ten
    times better, and 1 is exact.
    """

    reads = ("series",)
    scores = (
        Score("mean_squared_error", higher_is_better=False),
        Score("mean_absolute_error", higher_is_better=False),
        Score("skill", higher_is_better=True),
    )
    headline = "mean_squared_error"
    final_scores = ("skill",)
    output = "forecast"
    example_models = ("gru",)

    def compile_arguments(self) -> dict[str, Any]:
        """Return squared error, with the absolute error beside it."""
        metrics = ["mean_squared_error", "mean_absolute_error"]
        return {**super().compile_arguments(), "weighted_metrics": metrics}

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the scores on a split with the skill."""
        scores = super().evaluate(model, dataset, split)
        errors = []
        for chunk in dataset.split(split).chunks(1024):
            errors.append(chunk[self.inputs[0]][:, -1, 0] - chunk[self.targets[0]])
        repeated = float(np.mean(np.square(np.concatenate(errors), dtype=np.float64)))
        return {**scores, "skill": 1.0 - scores["mean_squared_error"] / repeated}

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the true values and the forecasts of the split's first steps."""
        chunk = next(dataset.split(split).chunks(MOST_STEPS))
        answers = predictor({name: chunk[name] for name in self.inputs})
        truth = chunk[self.targets[0]]
        return {"forecasts": {"truth": truth.tolist(), "answers": answers[:, 0].tolist()}}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the series with the forecasts of each of its values."""
        from zoo.runs.figures import forecasts

        if "forecasts" in values:
            steps = values["forecasts"]
            forecasts(steps["truth"], steps["answers"], folder / "forecasts.png")
