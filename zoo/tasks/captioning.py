"""Captioning: an image goes in, a text that says what is in it comes out, written word by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.tasks.writing import Writing

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset


class Captioning(Writing):
    """Models that see an image and write a text; see `Writing`."""

    reads = ("pixels",)

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the first images whose captions are wrong."""
        wrong = values["wrong_answers"]
        take = dataset.split(wrong["split"]).take
        if not wrong["examples"] or take is None:
            return
        from zoo.runs.pictures import worst_errors

        name = self.inputs[0]
        feature = self.asked[name]
        raw = take([one["place"] for one in wrong["examples"]])[name]
        shown = np.stack(feature.decode(feature.encode(raw)))
        titles = [f"{one['truth']} →\n{one['answer']}" for one in wrong["examples"]]
        worst_errors(shown, titles, folder / "wrong_answers.png")
