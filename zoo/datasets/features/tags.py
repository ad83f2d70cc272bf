"""Tags: one of several classes for each token of a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from zoo.datasets.features.base import Feature

PADDING = -1
"""Stands where there is no token."""


@dataclass(frozen=True, kw_only=True)
class Tags(Feature):
    """Raw it is a string with a letter for each token, encoded the classes' numbers (length,)."""

    type: ClassVar[str] = "tags"
    uses: ClassVar[tuple[str, ...]] = ("tags",)

    letters: str
    """One for each class, in the order of the model's outputs."""
    names: tuple[str, ...]
    """Of the classes, in the same order."""
    length: int | None = None
    """Tokens that are kept; None keeps as many as the longest training text has."""

    def __post_init__(self) -> None:
        if len(set(self.letters)) != len(self.letters) or len(self.letters) != len(self.names):
            raise ValueError(
                f"tags need a letter for each name, got {self.letters!r} for {len(self.names)}"
            )

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.names)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(length,)."""
        return (self.length,)

    def summary(self) -> str:
        """Return the letters and what they stand for."""
        pairs = zip(self.letters, self.names, strict=True)
        return ", ".join(f"{letter} {name}" for letter, name in pairs)

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with a length."""
        if self.length is not None:
            return self
        longest = max((len(tags) for chunk in chunks for tags in chunk.tolist()), default=1)
        return dataclasses.replace(self, length=max(1, longest))

    def prepare(self, raw: Any) -> Any:
        """Return the classes' numbers (B, length) as int32, -1 where there is no token."""
        import tensorflow as tf

        letters = tf.strings.bytes_split(tf.convert_to_tensor(raw))
        codes = tf.io.decode_raw(letters.flat_values, tf.uint8)[:, 0]  # (all letters,)
        table = np.full(256, PADDING, np.int32)
        table[list(self.letters.encode("ascii"))] = np.arange(self.classes)
        numbers = tf.gather(tf.constant(table), tf.cast(codes, tf.int32))
        padded = letters.with_flat_values(numbers)
        return padded.to_tensor(default_value=PADDING, shape=(None, self.length))

    def mask(self, encoded: Any) -> Any:
        """Return 1.0 for tags and 0.0 for padding."""
        import tensorflow as tf

        return tf.cast(encoded != PADDING, tf.float32)

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return the strings of letters of one cell each."""
        for (cell,) in cells:
            if unknown := set(cell) - set(self.letters):
                raise ValueError(f"there is no tag '{min(unknown)}'")
        return np.array([cell for (cell,) in cells], np.bytes_)

    def decode(self, encoded: Any) -> list[Any]:
        """Return strings of letters for probabilities (B, T, classes), none where all are 0."""
        probabilities = np.asarray(encoded)
        chosen, some = probabilities.argmax(axis=-1), probabilities.max(axis=-1) > 0.0
        return [
            "".join(self.letters[number] for number in row[real])
            for row, real in zip(chosen, some, strict=True)
        ]

    def titles(self, raw: Iterable[Any]) -> list[str]:
        """Return the letters."""
        return [tags.decode("ascii") if isinstance(tags, bytes) else str(tags) for tags in raw]

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return as many classes, and tokens, as the network has by default."""
        count = int(defaults["classes"])
        letters = "".join(chr(33 + number) for number in range(count))
        names = tuple(f"class{number}" for number in range(count))
        return type(self)(letters=letters, names=names, length=int(defaults["input_shape"][0]))

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return random tags."""
        draw = np.random.default_rng(seed)
        letters = list(self.letters)
        rows = ["".join(draw.choice(letters, self.length or 12)) for _ in range(count)]
        return np.array(rows, np.bytes_)

    def signature(self, name: str) -> Any:
        """Return (B,) of strings."""
        import tensorflow as tf

        return tf.TensorSpec((None,), tf.string, name=name)
