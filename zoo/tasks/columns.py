"""Which columns of a data set a task works on, and what is said where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from zoo.base.errors import UsageError, require
from zoo.datasets.features.base import Feature

# What a need of `Feature.serves` is called in messages.
INPUT_WORDS = {
    "pixels": "images",
    "numbers": "tables of numbers",
    "series": "series",
    "tokens": "texts",
}
TARGET_WORDS = {"class": "a class", "value": "a number", "tags": "tags", "tokens": "a text"}


class ColumnsError(UsageError):
    """A data set does not have the columns that a task needs."""


class Columns(Protocol):
    """What a `Description` and a `DatasetSpec` have in common."""

    @property
    def name(self) -> str:
        """The reference by which the data set is opened."""

    @property
    def features(self) -> Mapping[str, Feature]:
        """By the column's name."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a model is given."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that a model is asked for."""


def require_unit_pixels(data: Columns, what: str) -> None:
    """Raise a `UsageError` unless the inputs are images in [0, 1].

    Args:
        data: The data set.
        what: Begins the message: "generators make".
    """
    for name in data.inputs:
        pixels = data.features[name].pixels
        require(
            pixels is not None and pixels.clipped,
            f"{what} images in [0, 1]; set data.{name}.scaling = 'unit'",
        )
