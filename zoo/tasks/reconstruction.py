"""Reconstruction: examples through a narrow code and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.datasets.spec import DatasetSpec
from zoo.tasks.base import Score, Task
from zoo.tasks.columns import Columns, require_unit_pixels
from zoo.tasks.rebuilding import beside, reconstruct

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset

DRAWN = 36
"""Test examples that are drawn beside their reconstructions."""


class Reconstruction(Task):
    """Models that rebuild images in [0, 1] from their own codes, trained without labels.

    ``binary_crossentropy`` is the mean over pixels, in nats, with intensities as probabilities; its
    least value is the images' own entropy, not 0.
    """

    reads = ("pixels",)
    scores = (
        Score("mean_squared_error", higher_is_better=False),
        Score("binary_crossentropy", higher_is_better=False),
    )
    headline = "mean_squared_error"
    commands = ("evaluate", "export")
    output = "reconstruction"  # its input is an image too

    def __init__(self, name: str, spec: DatasetSpec, loss: str | None = None) -> None:
        super().__init__(name, spec, loss)
        self.check(name, name, spec)

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless the data are images in [0, 1]."""
        super().check(model, task, data)
        require_unit_pixels(data, "reconstructions are")

    def compile_arguments(self) -> dict[str, Any]:
        """Return cross-entropy, and both scores."""
        return {
            "loss": "binary_crossentropy",
            "weighted_metrics": ["mean_squared_error", "binary_crossentropy"],
        }

    def model_targets(self, encoded: Mapping[str, Any]) -> Any:
        """Return the inputs: they are what has to be rebuilt."""
        return encoded[self.inputs[0]]

    def feed(self, encoded: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return images as inputs and targets, and weights of the examples, (B, 1, 1).

        The loss is computed for each pixel, and Keras does not spread a weight over two axes.
        """
        inputs, targets, weights = super().feed(encoded)
        return inputs, targets, None if weights is None else weights[:, None, None]

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw test examples, each beside its reconstruction."""
        name = self.inputs[0]
        raw = next(iter(dataset.split("test").chunks(DRAWN)))[name]
        originals, made, _ = reconstruct(self, model, [raw])
        pictures = beside(originals, made)
        self.spec.features[name].write(pictures, folder / "reconstructions.png")
