"""Regression: one number for each example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from zoo.tasks.base import Score, Task

if TYPE_CHECKING:
    from zoo.datasets.features.number import Number
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

MOST_POINTS = 2000
"""The most points in a picture of answers."""


class Regression(Task):
    """Models that answer with a number in the unit of the data."""

    reads: ClassVar[tuple[str, ...]] = ("pixels", "numbers", "series")
    answers = "value"
    scores: ClassVar[tuple[Score, ...]] = (
        Score("mean_absolute_error", higher_is_better=False),
        Score("r2_score", higher_is_better=True),
    )
    headline = "mean_absolute_error"
    output = "value"
    example_models: ClassVar[tuple[str, ...]] = ("mlp", "gru")

    def builder_arguments(self) -> dict[str, Any]:
        """Return the input's arguments, and no classes: one linear output."""
        return {**super().builder_arguments(), "classes": None}

    @property
    def _target(self) -> Number:
        return cast("Number", self.spec.features[self.targets[0]])

    def built(self, model: Any) -> Any:
        """Return a model that answers in the unit of the data, however large that is.

        Without it a network that begins around 0 would have to learn to answer 200,000 first.
        """
        target = self._target
        if not target.standardised:
            return model
        import keras

        scaled = keras.layers.Rescaling(
            target.standard_deviation, target.mean, dtype="float32", name="unit"
        )
        return keras.Model(model.inputs, scaled(model.output), name=model.name)

    def compile_arguments(self) -> dict[str, Any]:
        """Return squared error, with the absolute error and the explained variance beside it.

        The loss is a share of the target's variance where the model answers in the unit of the
        data: gradients of a target as small as 0.0001 would else vanish in Adam's epsilon.
        """
        arguments: dict[str, Any] = {
            "loss": "mean_squared_error",
            "weighted_metrics": ["mean_absolute_error", "r2_score"],
        }
        if self._target.standardised:
            arguments["loss_weights"] = self._target.standard_deviation**-2
        return arguments

    def score_served(
        self, outputs: Mapping[str, np.ndarray], raw: Mapping[str, np.ndarray]
    ) -> tuple[Score, float] | None:
        """Return the mean absolute error."""
        if self.output not in outputs:
            return None
        errors = outputs[self.output][:, 0] - raw[self.targets[0]]
        return Score("mean_absolute_error", False), float(np.mean(np.abs(errors)))

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example its number."""
        return [{"value": value} for value in self.spec.features[self.targets[0]].decode(answers)]

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the true numbers and the answers of the split's first 2,000 examples."""
        truth: list[float] = []
        answers: list[float] = []
        for numbers, targets in self.answered(predictor, dataset, split):
            truth += targets[self.targets[0]].tolist()
            answers += numbers[:, 0].tolist()
            if len(truth) >= MOST_POINTS:
                break
        return {"regression": {"truth": truth[:MOST_POINTS], "answers": answers[:MOST_POINTS]}}

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw answers against the truth."""
        from zoo.runs.figures import regression

        if "regression" in values:
            points = values["regression"]
            regression(points["truth"], points["answers"], folder / "regression.png")
