"""Cells of a record made into numbers in the graph; texts are looked up by Keras's own layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.datasets.features import cells

if TYPE_CHECKING:
    from zoo.datasets.features.record import Record

_MISSING = "(?i)" + "|".join(word.replace("?", r"\?") for word in cells.MISSING)
MONTHS, WEEK, DAY = 12, 7, 86_400.0
"""Of a year, days of a week, and seconds of a day."""
YEAR = 365.2425 * DAY
"""Seconds of a year of the Gregorian calendar on average."""
FARTHEST = 8.0
"""Standard deviations at which a number is cut off: one slip of a key must not drown the rest."""


def width(record: Record, at: int) -> int:
    """Return how many numbers a column becomes."""
    gaps = int(record.gaps[at])
    if record.kinds[at] in (cells.NUMBER, cells.DATE):
        pieces = max(len(record.quantiles[at]) - 1, 0) * _pieces(record, at)
        parts = 2 + MONTHS + WEEK + 2 * int(record.timed[at])
        return 1 + pieces + parts * (record.kinds[at] == cells.DATE) + gaps
    return max(len(record.vocabulary[at]), 1)


def _pieces(record: Record, at: int) -> bool:
    """Return whether a number is given in pieces too: two values alone say no more by them."""
    return len(record.quantiles[at]) > 2


class Encoder:
    """A function from cells (B, columns) to numbers (B, width).

    Numbers and dates are given twice: standardised, and piecewise linear between the quantiles of
    the training split (Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in
    Tabular Deep Learning", 2022, section 3.2), by which a network finds steps as a tree does.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.layers: list[Any] = []
        self._of: list[Any] = []
        with tf.init_scope():  # tables must outlive the graph that first asks for them
            for at, kind in enumerate(record.kinds):
                layer: Any = None
                if kind == cells.CATEGORY:
                    layer = keras.layers.StringLookup(
                        vocabulary=list(record.vocabulary[at]) or ["\x04"],
                        output_mode="one_hot",
                        encoding="utf-8",
                    )
                elif kind == cells.WORDS:
                    layer = keras.layers.TextVectorization(
                        vocabulary=list(record.vocabulary[at]) or ["\x04"],
                        standardize="lower",
                        output_mode="multi_hot",
                    )
                self._of.append(layer)
                self.layers += [] if layer is None else [layer]

    def __call__(self, raw: Any) -> Any:
        """Return the numbers of a batch."""
        texts = tf.convert_to_tensor(raw)
        parts = [self._column(at, texts[:, at]) for at in range(len(self.record.names))]
        return tf.concat(parts, axis=1)

    def _column(self, at: int, texts: Any) -> Any:
        kind, layer = self.record.kinds[at], self._of[at]
        texts = tf.strings.strip(texts)
        if kind in (cells.CATEGORY, cells.WORDS):
            # The first place is for values that are not known: they become zeros alone.
            return tf.cast(layer(texts), tf.float32)[:, 1:]
        missing = tf.strings.regex_full_match(texts, _MISSING)
        if kind == cells.NUMBER:
            numbers = tf.strings.to_number(tf.where(missing, "0", texts), tf.float64)
            parts = self._number(at, numbers, missing)
        else:
            parts = self._date(at, texts, missing)
        if self.record.gaps[at]:
            parts.append(tf.cast(missing, tf.float32)[:, None])
        return tf.concat(parts, axis=1)

    def _standard(self, at: int, values: Any, missing: Any) -> Any:
        mean = tf.constant(self.record.mean[at], tf.float64)
        # In float64, which Keras's Normalization does not take: seconds since 1970 have more digits
        # than float32 keeps, and variances of large or small numbers are beyond it.
        near = tf.where(missing, tf.zeros_like(values), values - mean)
        scaled = near / self.record.standard_deviation[at]
        return tf.cast(tf.clip_by_value(scaled, -FARTHEST, FARTHEST), tf.float32)[:, None]

    def _number(self, at: int, values: Any, missing: Any) -> list[Any]:
        parts = [self._standard(at, values, missing)]
        if _pieces(self.record, at):
            edges = np.array(self.record.quantiles[at])
            held = tf.where(missing, tf.constant(self.record.mean[at], tf.float64), values)
            low, high = edges[:-1], edges[1:]
            pieces = tf.clip_by_value((held[:, None] - low) / (high - low), 0.0, 1.0)
            parts.append(tf.cast(pieces, tf.float32))
        return parts

    def _date(self, at: int, texts: Any, missing: Any) -> list[Any]:
        seconds, month = _seconds(texts, missing, self.record.orders[at])
        parts = self._number(at, seconds, missing)
        known = tf.cast(~missing, tf.float32)
        # 1970 began on a Thursday, which is place 3 of a week.
        weekday = tf.math.floormod(tf.cast(tf.floor(seconds / DAY), tf.int64) + 3, WEEK)
        for places, count in ((month - 1, MONTHS), (weekday, WEEK)):
            parts.append(tf.one_hot(places, count) * known[:, None])
        for cycle in (YEAR, DAY)[: 1 + int(self.record.timed[at])]:
            turns = seconds / cycle
            angle = tf.cast(2.0 * math.pi * (turns - tf.floor(turns)), tf.float32)
            parts.append(tf.stack([tf.sin(angle), tf.cos(angle)], axis=1) * known[:, None])
        return parts


def _seconds(texts: Any, missing: Any, order: str) -> tuple[Any, Any]:
    """Return the seconds from 1970 to dates (B,), float64, and their months, from 1 to 12."""
    pattern = cells.PATTERNS[order]
    safe = "1970-01-01" if order == cells.YMD else "01.01.1970"
    texts = tf.where(missing, safe, texts)

    def part(number: int) -> Any:
        found = tf.strings.regex_replace(texts, f"^{pattern}$", rf"\{number}")
        known = tf.strings.regex_full_match(found, r"\d+")  # a time that is not there is empty
        return tf.strings.to_number(tf.where(known, found, "0"), tf.int64)

    places = {cells.YMD: (1, 2, 3), cells.DMY: (3, 2, 1), cells.MDY: (3, 1, 2)}[order]
    year, month, day = (part(place) for place in places)
    # Days of the Gregorian calendar, its years beginning in March so that leap days come last.
    shifted = year - tf.cast(month <= 2, tf.int64)
    of_month = (153 * tf.math.floormod(month + 9, 12) + 2) // 5
    days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + of_month + day - 719_469
    seconds = 86_400 * days + 3_600 * part(4) + 60 * part(5) + part(6)
    return tf.cast(seconds, tf.float64), month
