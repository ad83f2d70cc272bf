"""What a data set is to a model: the types, without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo.errors import UsageError, unknown

Kind = Literal["image", "table", "text"]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What a model needs to be built for the data, and all that was fitted on the training split.

    It is plain data and travels with a run and with an export.
    """

    name: str
    kind: Kind
    """What one example is."""
    target: Literal["class", "number"]
    """What is to be said of it."""
    raw_shape: tuple[int, ...]
    """Of one example as it comes: (height, width, channels), (features,), or () for a text."""
    input_shape: tuple[int, ...]
    """Of one example as the model gets it."""
    class_names: tuple[str, ...] = ()
    """In the order of the model's outputs; empty for numbers."""
    feature_names: tuple[str, ...] = ()
    """Columns of a table."""
    mean: tuple[float, ...] = ()
    """Of each column, over the training split."""
    standard_deviation: tuple[float, ...] = ()
    """Of each column, over the training split; 1 where a column is constant."""
    vocabulary: tuple[str, ...] = ()
    """Tokens 2, 3, … of a text, the most frequent first; 0 is padding, 1 is any other."""
    split_text: Literal["character", "whitespace"] = "character"
    """What one token is."""
    lowercase: bool = False
    """Whether a text is put in lower case first."""
    value_range: tuple[float, float] | None = None
    """Of images: 0 is no ink or black, 1 is full ink or white."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Examples in each split."""

    @property
    def input_name(self) -> str:
        """What one raw example is called in serving signatures."""
        return {"image": "image", "table": "features", "text": "text"}[self.kind]

    @property
    def tokens(self) -> int:
        """Size of the vocabulary with padding and the unknown."""
        return len(self.vocabulary) + 2

    def to_json(self) -> str:
        """Return the spec as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> DatasetSpec:
        """Return the spec of `to_json`'s text.

        Raises:
            ValueError: It is not JSON, or not a spec.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("not a data set's spec")
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        try:
            return cls(**{**values, **lists})
        except TypeError as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Examples:
    """One split: raw inputs and targets, in memory."""

    inputs: np.ndarray
    """(N, *raw_shape): images and tables as float32, texts as str."""
    targets: np.ndarray
    """(N,): classes as int32, numbers as float32."""

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Dataset:
    """A data set: its spec and its three splits."""

    spec: DatasetSpec
    splits: Mapping[str, Examples]

    def split(self, name: str) -> Examples:
        """Return one split.

        Raises:
            UsageError: It has none of that name.
        """
        if name not in self.splits:
            raise unknown("split", name, self.splits)
        return self.splits[name]


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """What the catalogue knows of a data set before it is loaded."""

    name: str
    title: str
    description: str
    kind: Kind
    target: Literal["class", "number"]
    rows: int
    classes: tuple[str, ...]
    splits: Mapping[str, int]
    source: str
    url: str
    licence: str
    citation: str
    path: Path
    sha256: str
    image_shape: tuple[int, int, int] | None = None
    value_range: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without where the file is on this machine."""
        values = dataclasses.asdict(self)
        del values["path"]
        return values


def require(condition: bool, message: str) -> None:
    """Raise a `UsageError` unless the condition holds."""
    if not condition:
        raise UsageError(message)
