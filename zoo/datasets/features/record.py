"""A row of cells of several kinds: numbers with gaps, categories, dates and texts."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np

from zoo.base.errors import UsageError, suggestion
from zoo.base.files import is_file
from zoo.base.names import identifiers
from zoo.datasets.features import cells
from zoo.datasets.features.base import ANSWERS, Feature, Reading
from zoo.datasets.features.inputs import STDIN, require_value, text_of

BINS = 32
"""Pieces into which a number's or a date's range is cut, see `zoo.datasets.features.encoding`."""
CATEGORIES = 64
"""Values of a category that are told apart, the most frequent ones."""
LEAST = 2
"""Rows of the training split that a value of a category or a word is in, at least."""
VOCABULARY = 128
"""Words of a column of texts that are seen, the most frequent ones."""
SAMPLED = 200_000
"""Rows of the training split, in a drawn order, from which everything is fitted."""


@dataclass(frozen=True, kw_only=True)
class Record(Feature):
    """Raw it is (columns,) strings, the cells as a file holds them; encoded a vector of numbers.

    A number becomes its distance from the training split's mean in standard deviations, and where
    it lies between that split's quantiles. A category becomes one 1 among zeros; a value that the
    training split does not have becomes zeros alone. A date becomes the same two as a number, its
    month and its day of the week, each one 1 among zeros, and where it lies in the year, and in the
    day if it has a time, on a circle.
    A text becomes a 1 for each frequent word that is in it. A missing number or date becomes the
    mean, and a column beside says so where the training split had gaps too.
    """

    type: ClassVar[str] = "record"
    uses: ClassVar[tuple[str, ...]] = ("numbers",)

    names: tuple[str, ...]
    """Of the columns."""
    kinds: tuple[str, ...]
    """What each column holds, see `zoo.datasets.features.cells`."""
    orders: tuple[str, ...] = ()
    """Of a date's parts, for each column; nothing elsewhere."""
    mean: tuple[float, ...] = ()
    """Of each column over the training split: of dates in seconds, 0 for texts."""
    standard_deviation: tuple[float, ...] = ()
    quantiles: tuple[tuple[float, ...], ...] = ()
    """Of each column of numbers or dates in rising order, the smallest and largest among them."""
    gaps: tuple[bool, ...] = ()
    """Whether the training split has missing numbers or dates."""
    timed: tuple[bool, ...] = ()
    """Whether dates have times of the day."""
    vocabulary: tuple[tuple[str, ...], ...] = ()
    """Of each column of categories or words, the most frequent first."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(numbers,), known once it is fitted."""
        from zoo.datasets.features.encoding import width

        return (sum(width(self, at) for at in range(len(self.names))) if self.mean else None,)

    def summary(self) -> str:
        """Return the columns with their kinds."""
        pairs = zip(self.names, self.kinds, strict=True)
        return ", ".join(name + f" ({kind})" * (kind != cells.NUMBER) for name, kind in pairs)

    def fit(self, chunks: Iterable[np.ndarray]) -> Self:
        """Return the feature with means, quantiles, categories and words."""
        rows: list[list[str]] = []
        for chunk in chunks:
            rows += [[_text(cell) for cell in row] for row in chunk[: SAMPLED - len(rows)].tolist()]
            if len(rows) >= SAMPLED:
                break
        fitted = [self._fitted(at, [row[at] for row in rows]) for at in range(len(self.names))]
        keys = ("mean", "standard_deviation", "quantiles", "gaps", "timed", "vocabulary")
        return dataclasses.replace(self, **{key: tuple(one[key] for one in fitted) for key in keys})

    def _fitted(self, at: int, column: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "mean": 0.0,
            "standard_deviation": 1.0,
            "quantiles": (),
            "gaps": False,
            "timed": False,
            "vocabulary": (),
        }
        if self.kinds[at] in (cells.NUMBER, cells.DATE):
            read = [self.value(at, cell) for cell in column]
            values = np.array([value for value in read if value is not None], np.float64)
            if not len(values):
                values = np.zeros(1)
            found["gaps"] = len(values) < len(column)
            found["mean"] = float(values.mean())
            found["standard_deviation"] = float(values.std()) or 1.0
            edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, BINS + 1)))
            found["quantiles"] = tuple(float(edge) for edge in edges)
            if self.kinds[at] == cells.DATE:
                found["timed"] = bool((values % 86_400).any())
        else:
            counts: Counter[str] = Counter()
            for cell in column:
                counts.update({cell.strip()} if self.kinds[at] == cells.CATEGORY else words(cell))
            ranked = sorted(counts, key=lambda text: (-counts[text], text))
            most = CATEGORIES if self.kinds[at] == cells.CATEGORY else VOCABULARY
            found["vocabulary"] = tuple(text for text in ranked if counts[text] >= LEAST)[:most]
        return found

    def value(self, at: int, cell: str) -> float | None:
        """Return the number that a cell of a column of numbers or dates holds; None is missing.

        Raises:
            ValueError: It holds neither, or an infinite number.
        """
        if cells.is_missing(cell):
            return None
        if self.kinds[at] == cells.NUMBER:
            number = cells.as_number(cell)
            if number is None or not abs(number) <= cells.LARGEST:
                raise ValueError(f"{self.names[at]} must be a number, got '{cell.strip()}'")
            return number
        seconds = cells.as_seconds(cell, self.orders[at])
        if seconds is None:
            raise ValueError(
                f"{self.names[at]} must be a date, {self.orders[at]}, got '{cell.strip()}'"
            )
        return seconds

    @functools.cached_property
    def _encoder(self) -> Any:
        from zoo.datasets.features.encoding import Encoder

        return Encoder(self)

    def prepare(self, raw: Any) -> Any:
        """Return rows (B, numbers) from cells (B, columns)."""
        return self._encoder(raw)

    def resources(self) -> Sequence[Any]:
        """Return the Keras layers that look texts up."""
        import tensorflow as tf

        self.encode(tf.constant([[""] * len(self.names)]))
        return tuple(self._encoder.layers)

    def like(self, shape: tuple[int, ...], defaults: Mapping[str, Any]) -> Self:
        """Return a record of as many numbers."""
        count = shape[0]
        names = tuple(f"column{number}" for number in range(count))
        return type(self)(
            names=names,
            kinds=(cells.NUMBER,) * count,
            orders=("",) * count,
            mean=(0.0,) * count,
            standard_deviation=(1.0,) * count,
            quantiles=((),) * count,
            gaps=(False,) * count,
            timed=(False,) * count,
            vocabulary=((),) * count,
        )

    def as_raw(self, values: Any) -> np.ndarray:
        """Return cells (B, columns) from rows of anything, one row, or rows as dicts by name."""
        given = values if isinstance(values, list | tuple) else np.asarray(values).tolist()
        if isinstance(values, Mapping):
            given = [values]
        if given and not isinstance(given[0], list | tuple | Mapping | np.ndarray):
            given = [given]
        rows = []
        for row in given:
            if isinstance(row, Mapping):
                lost = [name for name in self.names if name not in row]
                if lost:
                    raise UsageError(f"a row has no column '{lost[0]}'." + suggestion(lost[0], row))
            found = [row[name] for name in self.names] if isinstance(row, Mapping) else row
            if len(found) != len(self.names):
                raise UsageError(f"expected rows of {len(self.names)} cells, got {len(found)}")
            rows.append(["" if cell is None else str(cell) for cell in found])
        for row in rows:
            self.require(row, "a row")
        return np.array(rows).reshape(-1, len(self.names))

    def require(self, row: Sequence[str], where: str) -> None:
        """Raise a `UsageError` unless cells are what they should be."""
        for at, kind in enumerate(self.kinds):
            if kind in (cells.NUMBER, cells.DATE):
                try:
                    self.value(at, row[at])
                except ValueError as error:
                    raise UsageError(f"{where}: {error}") from None

    def signature(self, name: str) -> Any:
        """Return (B, columns) of strings."""
        import tensorflow as tf

        return tf.TensorSpec((None, len(self.names)), tf.string, name=name)

    def serving_inputs(self, name: str) -> dict[str, Any]:
        """Return (B,) for each column: float64 for numbers, NaN where missing, or else strings."""
        import tensorflow as tf

        return {
            key: tf.TensorSpec((None,), tf.float64 if kind == cells.NUMBER else tf.string, name=key)
            for key, kind in zip(identifiers(self.names, ANSWERS), self.kinds, strict=True)
        }

    def from_serving(self, inputs: Mapping[str, Any]) -> Any:
        """Return cells (B, columns) of strings."""
        import tensorflow as tf

        columns = []
        for values, kind in zip(inputs.values(), self.kinds, strict=True):
            if kind != cells.NUMBER:
                columns.append(values)
                continue
            # 17 digits are all that a float64 has.
            texts = tf.strings.as_string(values, precision=16, scientific=True)
            columns.append(tf.where(tf.math.is_nan(values), "", texts))
        return tf.stack(columns, axis=1)

    def to_serving(self, name: str, raw: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns (B,)."""
        texts = [[_text(cell) for cell in row] for row in raw.tolist()]
        found: dict[str, np.ndarray] = {}
        for at, key in enumerate(identifiers(self.names, ANSWERS)):
            column = [row[at] for row in texts]
            if self.kinds[at] == cells.NUMBER:
                read = [self.value(at, cell) for cell in column]
                numbers = [math.nan if value is None else value for value in read]
                found[key] = np.array(numbers, np.float64)
            else:
                found[key] = np.array(column)
        return found

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return rows of known values, with gaps here and there."""
        draw = np.random.default_rng(seed)
        columns = []
        for at, kind in enumerate(self.kinds):
            if kind == cells.NUMBER:
                numbers = draw.normal(self.mean[at], self.standard_deviation[at], count)
                texts = [f"{number:.6g}" for number in numbers]
            elif kind == cells.DATE:
                texts = [_date(self.mean[at], self.orders[at])] * count
            else:
                texts = [str(draw.choice(self.vocabulary[at] or ("?",))) for _ in range(count)]
            if self.gaps[at]:
                texts[:1] = [""]
            columns.append(texts)
        return np.array(columns).T.reshape(count, len(self.names))

    def unusual(self, raw: np.ndarray) -> str | None:
        """Name the categories that were never seen in training, and numbers far outside."""
        odd = []
        for at, cell in enumerate(_text(one) for one in raw[0].tolist()):
            kind = self.kinds[at]
            if kind == cells.CATEGORY and cell.strip() not in self.vocabulary[at]:
                odd.append(f"{self.names[at]} '{cell}' was never or hardly seen in training")
            edges = self.quantiles[at]
            value = self.value(at, cell) if kind == cells.NUMBER else None
            if value is not None and edges:
                span = (edges[-1] - edges[0]) or 1.0
                if not edges[0] - span <= value <= edges[-1] + span:
                    odd.append(
                        f"{self.names[at]} is {value:g} (in training {edges[0]:g} to {edges[-1]:g})"
                    )
        return "; ".join(odd[:3]) or None

    def parse(self, cells: Sequence[Sequence[str]]) -> np.ndarray:
        """Return rows of cells."""
        return np.array(cells)

    def read(self, text: str, stdin: BinaryIO) -> Iterator[Reading]:
        """Yield a row such as ``5.1,red,2024-05-01``, or those of a CSV file, one at a time.

        A row that cannot be read is yielded with its fault where it stands in a file.
        """
        require_value(text, "a row of cells, or a CSV file")
        if text != STDIN and not is_file(text) and ("," in text or len(self.names) == 1):
            row = next(csv.reader(io.StringIO(text)))
            yield Reading(text, self._checked([cell.strip() for cell in row], "the row"))
            return
        lines = text_of(text, stdin)
        reader = csv.reader(lines, delimiter="\t" if text.lower().endswith(".tsv") else ",")
        try:
            header = [cell.strip() for cell in next(reader, [])]
            if not header:
                raise UsageError(f"{text} is empty")
            order, rows = self._order(text, header), iter(reader)
            for row in rows:
                if not row:
                    continue
                name = f"{text}:{reader.line_num}"
                try:
                    if len(row) != len(header):
                        raise UsageError(
                            f"{name}: expected {len(header)} cells, as in the header, "
                            f"got {len(row)}"
                        )
                    yield Reading(name, self._checked([row[at] for at in order], name))
                except UsageError as error:
                    yield Reading(name, np.zeros((0, len(self.names)), "U1"), str(error))
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(f"{text} is not CSV: {error}") from None

    def _order(self, text: str, header: Sequence[str]) -> list[int]:
        for name in self.names:
            if name not in header:
                hint = suggestion(name, header) or f" Expected: {', '.join(self.names)}."
                raise UsageError(f"{text} has no column '{name}'.{hint}")
        return [header.index(name) for name in self.names]

    def _checked(self, row: Sequence[str], where: str) -> np.ndarray:
        if len(row) != len(self.names):
            raise UsageError(
                f"{where}: expected {len(self.names)} cells ({', '.join(self.names)}), "
                f"got {len(row)}"
            )
        self.require(row, where)
        return np.array([row])


def words(text: str) -> set[str]:
    """Return the words of a text in lower case."""
    return {word for word in text.lower().split() if word}


def _text(cell: Any) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _date(seconds: float, order: str) -> str:
    from datetime import datetime

    date = datetime.fromtimestamp(seconds, UTC)
    forms = {cells.YMD: "%Y-%m-%d", cells.DMY: "%d.%m.%Y", cells.MDY: "%m/%d/%Y"}
    return date.strftime(forms[order])
