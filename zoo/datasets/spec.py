"""What a data set is to a model: the types, without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

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
    raw_shape: tuple[int | None, ...]
    """Of one example as it comes: (height, width, channels), (features,), or () for a text. None is
    any size."""
    input_shape: tuple[int, ...]
    """Of one example as the model gets it."""
    class_names: tuple[str, ...] = ()
    """In the order of the model's outputs; empty for numbers."""
    feature_names: tuple[str, ...] = ()
    """Columns of a table."""
    image_size: tuple[int, int] | None = None
    """Height and width that images are brought to, where `input_shape` is a window of them."""
    resize: Literal["stretch", "shorter-side", "pad"] = "stretch"
    """How images are brought to their size, see `recipes.recipe.Data`."""
    scaling: Literal["unit", "centred", "caffe"] = "unit"
    """What numbers a model gets of an image, see `recipes.recipe.Data`."""
    mean: tuple[float, ...] = ()
    """Of each column, or of each channel of centred images, over the training split."""
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
    def whole_shape(self) -> tuple[int, ...]:
        """Shape of one example before a window is cut out of it."""
        return (*(self.image_size or self.input_shape[:2]), *self.input_shape[2:])

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
    """Raw inputs and targets in memory: a split, or a part of one."""

    inputs: np.ndarray
    """(N, *raw_shape): images and tables as float32, texts as str."""
    targets: np.ndarray
    """(N,): classes as int32, numbers as float32."""

    def __len__(self) -> int:
        return len(self.inputs)

    def chunks(self, size: int) -> Iterator[Examples]:
        """Yield the examples in order, `size` at a time and the rest at last."""
        for at in range(0, len(self), size):
            yield Examples(self.inputs[at : at + size], self.targets[at : at + size])


class Split(Protocol):
    """What every split can do: `Examples` in memory, or a `zoo.datasets.streaming.Stream`."""

    def __len__(self) -> int: ...

    def chunks(self, size: int) -> Iterator[Examples]:
        """Yield the examples in order, `size` at a time and the rest at last."""


@dataclass(frozen=True)
class Dataset:
    """A data set: its spec and its three splits."""

    spec: DatasetSpec
    splits: Mapping[str, Split]

    def split(self, name: str) -> Any:
        """Return one split, `Examples` or a `zoo.datasets.streaming.Stream`.

        Raises:
            UsageError: It has none of that name.
        """
        if name not in self.splits:
            raise unknown("split", name, self.splits)
        return self.splits[name]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where tensorflow-datasets has a data set from."""

    name: str
    """Its name and version there, such as ``mnist:3.0.1``."""
    test: str
    """Its split that is tested on; those for training and validation are both of its ``train``."""
    first_use: str
    """What the first use does to have it, in words."""
    archives: tuple[str, ...] = ()
    """Files that it asks its users to fetch."""


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
    """Their names; empty for numbers, and where only the data themselves name them."""
    class_count: int
    splits: Mapping[str, int]
    source: str
    url: str
    licence: str
    citation: str
    path: Path | None = None
    """Of a bundled data set's file."""
    sha256: str | None = None
    """Of that file."""
    tfds: Origin | None = None
    """Of a data set that tensorflow-datasets downloads."""
    streamed: bool = False
    """Whether it is read from disk again in every epoch, because memory does not hold it."""
    image_shape: tuple[int | None, int | None, int] | None = None
    """Height, width and channels; None is any size."""
    value_range: tuple[float, float] | None = None

    @property
    def origin(self) -> str:
        """What its examples come through, in a word."""
        return "bundled" if self.tfds is None else "tensorflow-datasets"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without where the file is on this machine."""
        values = dataclasses.asdict(self)
        del values["path"]
        return {**values, "origin": self.origin}


def require(condition: bool, message: str) -> None:
    """Raise a `UsageError` unless the condition holds."""
    if not condition:
        raise UsageError(message)
