"""A label: one of several classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from zoo.base.errors import unknown
from zoo.datasets.features.base import Feature


@dataclass(frozen=True, kw_only=True)
class Label(Feature):
    """Raw and encoded it is the class's number, int32 of shape ()."""

    type: ClassVar[str] = "label"
    uses: ClassVar[tuple[str, ...]] = ("class",)

    names: tuple[str, ...] = ()
    """In the order of the model's outputs; empty until a data set that names its own is loaded."""
    count: int = 0
    """How many classes there are, where they are not named yet."""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.names) or self.count

    def titles(self, raw: Iterable[Any]) -> list[str]:
        """Return the classes' names, or their numbers where they have none."""
        return [self.names[int(at)] if self.names else str(at) for at in raw]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """()."""
        return ()

    def with_names(self, names: Sequence[str]) -> Self:
        """Return the feature with the names of its classes."""
        return dataclasses.replace(self, names=tuple(names))

    def summary(self) -> str:
        """Return the number of classes and, if it is short, the list of their names."""
        return f"{self.classes}: {', '.join(self.names)}" if self.names else str(self.classes)

    def prepare(self, raw: Any) -> Any:
        """Return the classes' numbers (B,) as int32."""
        import tensorflow as tf

        return tf.cast(raw, tf.int32)

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return classes' numbers from cells that name them."""
        index = {name: at for at, name in enumerate(self.names)}
        try:
            return np.array([index[cell] for (cell,) in cells], np.int32)
        except KeyError as error:
            raise ValueError(f"there is no class {error}") from None

    def class_number(self, text: str) -> int:
        """Return the number of the class that a user names; names come before numbers."""
        if text in self.names:
            return self.names.index(text)
        if text.isascii() and text.isdigit() and int(text) < self.classes:
            return int(text)
        names = self.names or [f"0 to {self.classes - 1}"]
        raise unknown("class", text, names)

    def decode(self, encoded: Any) -> list[Any]:
        """Return the most probable class's name for probabilities (B, classes)."""
        return [self.names[at] for at in np.asarray(encoded).argmax(axis=-1)]

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return as many classes as the network has by default."""
        count = defaults.get("classes") or 2
        return type(self)(names=tuple(f"class{number}" for number in range(count)))

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return random classes (count,)."""
        return np.random.default_rng(seed).integers(self.classes, size=count).astype(np.int32)

    def signature(self, name: str) -> Any:
        """Return (B,) of int32."""
        import tensorflow as tf

        return tf.TensorSpec((None,), tf.int32, name=name)
