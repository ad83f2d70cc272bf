"""Work on texts that are cut into windows: language models and vectors of words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.base.errors import require
from zoo.datasets.sources.base import Description
from zoo.tasks.base import Task
from zoo.tasks.columns import Columns

if TYPE_CHECKING:
    from zoo.datasets.features.text import Text


class TextWindows(Task):
    """Models that read one column of texts, a window at a time."""

    reads: ClassVar[tuple[str, ...]] = ("tokens",)
    window: ClassVar[int]
    """Tokens of a window where a recipe does not say."""

    @classmethod
    def check(cls, model: str, task: str, data: Columns) -> None:
        """Raise a `UsageError` unless the data are texts alone."""
        super().check(model, task, data)
        require(len(data.inputs) == 1, f"{model} does {task} and reads one text at a time")

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return a description whose texts are cut into windows."""
        (name,) = described.inputs
        text: Any = described.features[name]
        cut = dataclasses.replace(text, windows=True, length=text.length or cls.window)
        return dataclasses.replace(described, features={**described.features, name: cut})

    @property
    def text(self) -> Text:
        """The column of texts."""
        found: Any = self.spec.features[self.inputs[0]]
        return found
