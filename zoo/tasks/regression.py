"""Regression: one number for each example."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.tasks.base import Task


class Regression(Task):
    """Models that answer with a number in the unit of the data."""

    headline = "mean_absolute_error"

    def builder_arguments(self) -> dict[str, Any]:
        """Return the input's shape, and no classes: one linear output."""
        return {**super().builder_arguments(), "classes": None}

    def compile_arguments(self) -> dict[str, Any]:
        """Return squared error, with the absolute error and the explained variance beside it."""
        return {
            "loss": "mean_squared_error",
            "metrics": ["mean_absolute_error", "r2_score"],
        }

    def targets(self, targets: Any) -> Any:
        """Return targets of shape (N, 1) as R² wants them."""
        return targets[:, None]

    def output_name(self) -> str:
        """Return ``"value"``."""
        return "value"

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return for each example its number."""
        return [{"value": float(value)} for value in answers[:, 0]]
