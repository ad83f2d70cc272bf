"""A series: numbers at successive steps, on one or several channels."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import is_file
from zoo.datasets.features.base import Feature, Reading
from zoo.datasets.features.inputs import STDIN, content_of, require_value


@dataclass(frozen=True, kw_only=True)
class Series(Feature):
    """Raw it is float32 (steps, channels) in the data's units, encoded (length, channels)."""

    type: ClassVar[str] = "series"
    uses: ClassVar[tuple[str, ...]] = ("series",)
    form: ClassVar[tuple[str, ...]] = ("length",)

    channels: tuple[str, ...]
    """Their names."""
    length: int | None = None
    """Steps that a model reads: the last ones. None takes as many as the training series have."""
    standardised: bool = True
    """Whether each channel is given mean 0 and deviation 1; otherwise it is left as it is."""
    mean: tuple[float, ...] = ()
    """Of each channel over the training split."""
    standard_deviation: tuple[float, ...] = ()
    """Of each channel over the training split; 1 where a channel is constant."""
    lowest: tuple[float, ...] = ()
    """The smallest number of each channel in the training split."""
    highest: tuple[float, ...] = ()
    """The largest one."""

    def __post_init__(self) -> None:
        if self.length is not None and (type(self.length) is not int or self.length < 1):
            raise ValueError(f"length: must be a whole number of at least 1, got {self.length!r}")

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(length, channels)."""
        return (self.length, len(self.channels))

    def shape_as_it_comes(self) -> tuple[int | None, ...]:
        """Return any number of steps."""
        return (None, len(self.channels))

    def summary(self) -> str:
        """Return the channels' names and the length."""
        names = ", ".join(self.channels)
        return names if self.length is None else f"{names}; {self.length} steps"

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with a length, and each channel's mean, deviation and range."""
        whole = np.concatenate(list(chunks))  # (B, T, channels)
        length = self.length or whole.shape[1]
        if length > whole.shape[1]:
            raise UsageError(f"the series have {whole.shape[1]} steps, got length = {length}")
        steps = whole[:, -length:].reshape(-1, len(self.channels))
        deviation = steps.std(axis=0, dtype=np.float64)
        return dataclasses.replace(
            self,
            length=length,
            mean=tuple(float(value) for value in steps.mean(axis=0, dtype=np.float64)),
            standard_deviation=tuple(float(value) or 1.0 for value in deviation),
            lowest=tuple(float(value) for value in steps.min(axis=0)),
            highest=tuple(float(value) for value in steps.max(axis=0)),
        )

    def prepare(self, raw: Any) -> Any:
        """Return the last steps (B, length, channels) of series (B, steps, channels)."""
        import tensorflow as tf

        steps = tf.cast(raw, tf.float32)
        if self.length is not None:
            steps = steps[:, -self.length :]
        if not self.standardised:
            return steps
        # As tensors, so that float64 figures are rounded once.
        mean = tf.constant(self.mean, tf.float32)
        return (steps - mean) / tf.constant(self.standard_deviation, tf.float32)

    def decode(self, encoded: Any) -> list[Any]:
        """Return lists of steps in the data's units for encoded series (B, T, channels)."""
        values = np.asarray(encoded, np.float64)
        if self.standardised:
            values = values * np.array(self.standard_deviation) + np.array(self.mean)
        return [series.tolist() for series in values]

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return series from rows of numbers: the channels of the first step, then of the next."""
        return np.array(cells).astype(np.float32).reshape(len(cells), -1, len(self.channels))

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return series of the network's length and channels, left as they are."""
        names = tuple(f"channel{number}" for number in range(shape[1]))
        return type(self)(channels=names, length=shape[0], standardised=False)

    def signature(self, name: str) -> Any:
        """Return (B, length, channels) of float32."""
        import tensorflow as tf

        return tf.TensorSpec((None, *self.shape), tf.float32, name=name)

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return normal numbers with the training split's means and deviations."""
        shape = (count, self.length or 12, len(self.channels))
        drawn = np.random.default_rng(seed).normal(size=shape)
        mean, deviation = self.mean or (0.0,), self.standard_deviation or (1.0,)
        return (drawn * np.array(deviation) + np.array(mean)).astype(np.float32)

    def as_raw(self, values: Any) -> np.ndarray:
        """Return series (B, length, channels) from an array of them, or one series.

        Of a single channel, the last axis may be left out.
        """
        given = np.asarray(values)
        if given.dtype.kind not in "buif":
            raise UsageError(f"expected numbers, got an array of {given.dtype}")
        channels = len(self.channels)
        whole = given.astype(np.float32)
        if channels == 1 and whole.ndim in (1, 2) and whole.shape[-1] != 1:
            whole = whole[..., None]
        if whole.ndim == 2:
            whole = whole[None]
        if whole.ndim != 3 or whole.shape[2] != channels:
            raise UsageError(
                f"expected series (N, steps, {channels}) of {', '.join(self.channels)}, "
                f"got shape {given.shape}"
            )
        return self._last_steps(whole, "the series")

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield one series: a CSV file with a row for each step, or its numbers.

        Numbers are typed as ``0.3,1;0.8,0;…``: a comma between channels, a semicolon between steps.
        Of a single channel, commas part the steps.
        """
        require_value(text, "a CSV file with a row for each step, or its numbers")
        if text != STDIN and not is_file(text):
            if not set(text) & set(",;"):
                raise UsageError(f"there is no file {text}, and it is not a row of numbers")
            rows = [line.split(",") for line in text.split(";") if line.strip()]
        else:
            try:
                # utf-8-sig: spreadsheets begin their files with a byte order mark.
                lines = content_of(text, stdin).decode("utf-8-sig")
                rows = [row for row in csv.reader(io.StringIO(lines)) if row]
            except (UnicodeDecodeError, csv.Error) as error:
                raise UsageError(f"{text} is not CSV: {error}") from None
        if rows and [cell.strip() for cell in rows[0]] == list(self.channels):
            rows = rows[1:]  # a header
        if len(self.channels) == 1:
            rows = [[cell] for row in rows for cell in row]
        yield Reading(text, self._last_steps(self._numbers(rows), text))

    def _numbers(self, rows: Sequence[Sequence[str]]) -> np.ndarray:
        """Return one series (1, steps, channels) from the cells of each step."""
        steps = []
        for number, row in enumerate(rows, start=1):
            if len(row) != len(self.channels):
                names = ", ".join(self.channels)
                raise UsageError(
                    f"step {number}: expected {len(self.channels)} numbers ({names}), "
                    f"got {len(row)}"
                )
            try:
                steps.append([float(cell) for cell in row])
            except ValueError:
                raise UsageError(f"step {number}: expected numbers, got {','.join(row)}") from None
        values = np.array([steps], np.float32).reshape(1, -1, len(self.channels))
        if not np.isfinite(values).all():
            raise UsageError("numbers must be finite")
        return values

    def _last_steps(self, whole: np.ndarray, where: str) -> np.ndarray:
        """Return as many steps as the model reads.

        Raises:
            UsageError: There are fewer.
        """
        if self.length is None or whole.shape[1] == self.length:
            return whole
        if whole.shape[1] < self.length:
            raise UsageError(
                f"{where}: expected at least {self.length} steps, got {whole.shape[1]}"
            )
        return whole[:, -self.length :]

    def unusual(self, raw: np.ndarray) -> str | None:
        """Name a channel that is further outside the training split's range than it is wide."""
        for at, name in enumerate(self.channels if self.lowest else ()):
            low, high = self.lowest[at], self.highest[at]
            width = (high - low) or abs(high) or 1.0
            for value in (float(raw[0, :, at].min()), float(raw[0, :, at].max())):
                if not low - width <= value <= high + width:
                    return f"{name} goes to {value:g} (in training {low:g} to {high:g})"
        return None
