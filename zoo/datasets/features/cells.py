"""What a column of text cells holds: numbers, dates, categories or words; and how cells are read.

Needs no TensorFlow. `zoo.datasets.features.encoding` reads the same cells in the graph.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")
"""Cells, in lower case, that stand for no value where numbers or dates are expected."""
LARGEST = 1e30
"""The size up to which numbers are taken: squares of larger ones are beyond float64 soon."""
NUMBER, CATEGORY, DATE, WORDS, NOTHING = "number", "category", "date", "words", "nothing"
MOST_CATEGORIES = 200
"""Different texts up to which a column is a category; beyond, its texts are words."""
_REPEATED = 2
"""Times that a text of a category is there on average, at least."""
_COUNTED = 5_000
"""Different texts of a column that are counted."""
_TIME = r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
YMD, DMY, MDY = "year-month-day", "day-month-year", "month-day-year"
PATTERNS = {
    YMD: rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}",
    DMY: rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_TIME}",
    MDY: rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_TIME}",
}
"""How dates are written, by the order of their parts; the same in Python and in TensorFlow."""
_PLACES = {YMD: (0, 1, 2), DMY: (2, 1, 0), MDY: (2, 0, 1)}
_COMPILED = {order: re.compile(pattern) for order, pattern in PATTERNS.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for no value."""
    return cell.strip().lower() in MISSING


def as_number(cell: str) -> float | None:
    """Return the number that a cell holds, or None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if "_" not in cell else None


def as_seconds(cell: str, order: str) -> float | None:
    """Return the seconds from 1970 to the date that a cell holds, or None.

    Args:
        cell: The text. A time zone in it is not looked at.
        order: A key of `PATTERNS`.
    """
    match = _COMPILED[order].fullmatch(cell.strip())
    if match is None:
        return None
    parts = match.groups()
    year, month, day = (int(parts[at]) for at in _PLACES[order])
    try:
        date = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    hours, minutes, seconds = (int(part or 0) for part in parts[3:6])
    time = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return (date + time - _EPOCH).total_seconds()


@dataclass
class ColumnScan:
    """What is known of a column of cells, told one cell at a time."""

    name: str
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    whole: bool = True
    """Whether all numbers are whole ones."""
    infinite: int = 0
    """The row, counted from 1, of the first number that is infinite or too large; 0 is none."""
    dates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATTERNS, 0))
    counts: Counter[str] = field(default_factory=Counter)
    """How often each text is there; only the first `_COUNTED` different ones."""
    more: bool = False
    """Whether there are more different texts than counted."""
    spaced: int = 0
    """Cells of several words."""
    stranger: str = ""
    """The first cell that is no number, and its row, for messages."""

    def add(self, cell: str) -> None:
        """Take one cell into account."""
        self.rows += 1
        if len(self.counts) < _COUNTED or cell in self.counts:
            self.counts[cell] += 1
        else:
            self.more = True
        if is_missing(cell):
            self.missing += 1
            return
        number = as_number(cell)
        if number is not None:
            self.numbers += 1
            self.whole &= math.isfinite(number) and number.is_integer()
            if not abs(number) <= LARGEST and not self.infinite:
                self.infinite = self.rows
            return
        self.stranger = self.stranger or f"'{cell}' in row {self.rows}"
        self.spaced += " " in cell.strip()
        if cell[:1].isdigit():
            for order in PATTERNS:
                self.dates[order] += as_seconds(cell, order) is not None

    @property
    def filled(self) -> int:
        """How many cells hold a value."""
        return self.rows - self.missing

    @property
    def kind(self) -> str:
        """What the column holds, as a model should see it."""
        if not self.filled or (len(self.counts) == 1 and not self.more):
            return NOTHING
        if self.numbers == self.filled:
            return NUMBER
        if self.order:
            return DATE
        distinct = len(self.counts)
        repeated = not self.more and distinct * _REPEATED <= self.filled
        if repeated and distinct <= MOST_CATEGORIES:
            return CATEGORY
        # Names and numbers of single rows teach nothing; texts of several words do.
        if self.spaced * 2 >= self.filled:
            return WORDS
        return CATEGORY if repeated else NOTHING

    @property
    def order(self) -> str:
        """The order of the parts of dates, or nothing; a day is before the month if both fit."""
        return next((key for key, count in self.dates.items() if 0 < count == self.filled), "")

    @property
    def is_row_number(self) -> bool:
        """Whether the column seems to count or name the rows."""
        named = self.name.lower() in ("id", "index", "row", "", "unnamed: 0")
        all_differ = self.more or len(self.counts) == self.rows
        return named and all_differ and self.rows > 10

    def told(self) -> str:
        """Return what was made of the column, in a line; nothing where it is plain numbers."""
        gaps = f", {self.missing} of {self.rows} missing" if self.missing else ""
        if self.is_row_number:
            return f"column {self.name} numbers the rows and is left out"
        if self.kind == NOTHING:
            why = "is empty" if not self.filled else "has one value alone"
            if len(self.counts) > 1:
                why = "has a text of its own in almost every row"
            return f"column {self.name} {why} and is left out"
        if self.kind == CATEGORY:
            return f"column {self.name} is a category of {len(self.counts)} values{gaps}"
        if self.kind == DATE:
            return f"column {self.name} is a date, {self.order}{gaps}"
        if self.kind == WORDS:
            return f"column {self.name} is text, of which the frequent words are seen{gaps}"
        mean = " (the mean stands for them, and a column says so)" if self.missing else ""
        return f"column {self.name}: numbers{gaps}{mean}" if self.missing else ""


def scanned_columns(names: Iterable[str]) -> list[ColumnScan]:
    """Return a scan for each column."""
    return [ColumnScan(name) for name in names]
