"""A row of a table: numbers by name, standardised."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError, suggestion
from zoo.base.files import is_file
from zoo.base.names import identifiers
from zoo.datasets.features.base import ANSWERS, Feature, Reading
from zoo.datasets.features.inputs import STDIN, content_of, require_value


@dataclass(frozen=True, kw_only=True)
class Table(Feature):
    """Raw it is float32 (columns,) in the data's units, encoded with mean 0 and deviation 1."""

    type: ClassVar[str] = "table"
    uses: ClassVar[tuple[str, ...]] = ("numbers",)

    names: tuple[str, ...]
    """Of the columns."""
    mean: tuple[float, ...] = ()
    """Of each column over the training split."""
    standard_deviation: tuple[float, ...] = ()
    """Of each column over the training split; 1 where a column is constant."""
    lowest: tuple[float, ...] = ()
    """The smallest number of each column in the training split."""
    highest: tuple[float, ...] = ()
    """The largest one."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(columns,)."""
        return (len(self.names),)

    def summary(self) -> str:
        """Return the columns' names."""
        return ", ".join(self.names)

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with each column's mean, deviation and range."""
        rows = np.concatenate(list(chunks))
        deviation = rows.std(axis=0, dtype=np.float64)
        return dataclasses.replace(
            self,
            mean=tuple(float(value) for value in rows.mean(axis=0, dtype=np.float64)),
            standard_deviation=tuple(float(value) or 1.0 for value in deviation),
            lowest=tuple(float(value) for value in rows.min(axis=0)),
            highest=tuple(float(value) for value in rows.max(axis=0)),
        )

    def prepare(self, raw: Any) -> Any:
        """Return rows (B, columns) with the mean taken off, in standard deviations."""
        import tensorflow as tf

        # As tensors, so that float64 figures are rounded once.
        mean = tf.constant(self.mean, tf.float32)
        deviation = tf.constant(self.standard_deviation, tf.float32)
        return (tf.cast(raw, tf.float32) - mean) / deviation

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return rows of numbers."""
        return np.array(cells).astype(np.float32)

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return a table of as many columns, with mean 0 and deviation 1."""
        count = shape[0]
        names = tuple(f"column{number}" for number in range(count))
        return type(self)(names=names, mean=(0.0,) * count, standard_deviation=(1.0,) * count)

    def as_raw(self, values: Any) -> np.ndarray:
        """Return rows (B, columns) from an array of them, or one row."""
        given = np.asarray(values)
        if given.dtype.kind not in "buif":
            raise UsageError(f"expected numbers, got an array of {given.dtype}")
        rows = np.atleast_2d(given).astype(np.float32)
        if rows.ndim != 2 or rows.shape[1] != len(self.names):
            raise UsageError(f"expected rows of {len(self.names)} numbers, got shape {given.shape}")
        return rows

    def signature(self, name: str) -> Any:
        """Return (B, columns) of float32."""
        import tensorflow as tf

        return tf.TensorSpec((None, len(self.names)), tf.float32, name=name)

    def serving_inputs(self, name: str) -> dict[str, Any]:
        """Return (B,) of float32 for each column, under its name as an identifier."""
        import tensorflow as tf

        return {
            key: tf.TensorSpec((None,), tf.float32, name=key)
            for key in identifiers(self.names, ANSWERS)
        }

    def from_serving(self, inputs: Mapping[str, Any]) -> Any:
        """Return rows (B, columns)."""
        import tensorflow as tf

        return tf.stack([inputs[key] for key in identifiers(self.names, ANSWERS)], axis=1)

    def to_serving(self, name: str, raw: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns (B,)."""
        return dict(zip(identifiers(self.names, ANSWERS), raw.T, strict=True))

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return normal numbers with the training split's means and deviations."""
        drawn = np.random.default_rng(seed).normal(size=(count, len(self.names)))
        mean, deviation = self.mean or (0.0,), self.standard_deviation or (1.0,)
        return (drawn * np.array(deviation) + np.array(mean)).astype(np.float32)

    def unusual(self, raw: np.ndarray) -> str | None:
        """Name the columns that are further outside the training split's range than it is wide."""
        far = []
        bounds = zip(self.names, raw[0], self.lowest, self.highest, strict=True)
        for name, value, low, high in bounds if self.lowest else ():
            width = (high - low) or abs(high) or 1.0
            if not low - width <= value <= high + width:
                far.append(f"{name} is {value:g} (in training {low:g} to {high:g})")
        if not far:
            return None
        more = f" and {len(far) - 3} more" if len(far) > 3 else ""
        return "; ".join(far[:3]) + more + ": check the units and the order of the columns"

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield a row such as ``5.1,3.5,1.4,0.2``, or those of a CSV file."""
        require_value(text, "a row such as " + ",".join(["1.0"] * min(len(self.names), 4)))
        if text != STDIN and not is_file(text) and "," in text:
            yield Reading(text, self._row(text.split(","), "the row"))
            return
        if text != STDIN and not is_file(text) and len(self.names) == 1 and _is_number(text):
            yield Reading(text, self._row([text], "the row"))
            return
        try:
            # utf-8-sig: spreadsheets begin their files with a byte order mark.
            reader = csv.reader(io.StringIO(content_of(text, stdin).decode("utf-8-sig")))
            rows = [(reader.line_num, row) for row in reader if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"{text} is not CSV: {error}") from None
        if not rows:
            raise UsageError(f"{text} is empty")
        order, headed = self._order(text, [cell.strip() for cell in rows[0][1]])
        for number, row in rows[1:] if headed else rows:
            where = f"{text}, line {number}"
            if max(order) >= len(row) or (not headed and len(row) != len(self.names)):
                raise UsageError(
                    f"{where}: expected {len(self.names)} numbers ({', '.join(self.names)}), "
                    f"got {len(row)}"
                )
            yield Reading(f"{text}:{number}", self._row([row[at] for at in order], where))

    def _order(self, text: str, header: list[str]) -> tuple[list[int], bool]:
        """Return where each column stands in a file, and whether its first line is a header."""
        if not set(header) & set(self.names):
            if all(_is_number(cell) or not cell for cell in header):
                return list(range(len(self.names))), False
            raise UsageError(
                f"{text}: the header has none of the columns {', '.join(self.names)}; "
                f"it has {', '.join(header)}"
            )
        for name in self.names:
            if name not in header:
                hint = suggestion(name, header) or f" Expected: {', '.join(self.names)}."
                raise UsageError(f"{text} has no column '{name}'.{hint}")
        return [header.index(name) for name in self.names], True

    def _row(self, cells: Sequence[str], where: str) -> np.ndarray:
        if len(cells) != len(self.names):
            raise UsageError(
                f"{where}: expected {len(self.names)} numbers ({', '.join(self.names)}), "
                f"got {len(cells)}"
            )
        numbers = []
        for name, cell in zip(self.names, cells, strict=True):
            if not _is_number(cell):
                got = f"'{cell.strip()}'" if cell.strip() else "an empty cell"
                raise UsageError(f"{where}: {name} must be a number, got {got}")
            numbers.append(float(cell))
        values = np.array([numbers], np.float32)
        if not np.isfinite(values).all():
            raise UsageError(f"{where}: numbers must be finite")
        return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
