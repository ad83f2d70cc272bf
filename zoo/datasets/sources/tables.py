"""``csv:FILE``, ``tsv:FILE`` and ``parquet:FILE``: rows, of which one column is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError, UsageError, unknown
from zoo.base.names import natural
from zoo.datasets.features import cells
from zoo.datasets.features.base import Feature
from zoo.datasets.features.cells import ColumnScan
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.record import Record
from zoo.datasets.features.text import Text
from zoo.datasets.sources import splitting
from zoo.datasets.sources.base import Description
from zoo.datasets.sources.own import OwnSource, Scan, numbers_of
from zoo.datasets.sources.rows import RowFile, as_offsets, content_of, of_parquet, open_rows

if TYPE_CHECKING:
    from zoo.datasets.split import Split

TARGETS = ("target", "label", "class", "y")
"""Columns that are asked for where nobody says."""
IN_MEMORY = 32_000_000
"""Bytes of a file up to which memory holds its rows; a larger one is read by place."""
MOST_CLASSES = 20
"""Different whole numbers up to which a target is a class where nobody says."""
MOST_NAMES = 1_000
"""Different texts up to which a target is a class."""
LONGEST_TEXT = 256
"""Tokens of a text that are read where a recipe does not say."""
WORDS_KNOWN = 20_000
ROW = "row"
"""What the input of several columns is called."""
_FORMS = {"class": "class", "number": "number"}


@dataclass(frozen=True, kw_only=True)
class Table(OwnSource):
    """A file of rows with a header."""

    options: ClassVar[tuple[str, ...]] = ("target", "group", "split_seed", "skip_bad_files")

    opener: Callable[[Path], RowFile]

    def scan(self) -> Scan:
        """Pass over the rows once: what each column holds, and which rows are alike."""
        file = self.opener(self.path)
        target, form = self._target(file)
        group = self._column(file, self.data.group, "group") if self.data.group else None
        scans = cells.scanned_columns(file.header)
        places = {name: at for at, name in enumerate(file.header)}
        offsets, keys, contents, asked, groups = [], [], [], [], []
        skipped: dict[str, str] = {}
        for offset, line, row in file.rows():
            key = f"line {line}"
            fault = self._fault(file, row, target, form)
            if fault:
                if not self.data.skip_bad_files:
                    raise DlzooError(f"{self.path}, {key}: {fault}; --skip-bad-files leaves it out")
                skipped[key] = fault
                continue
            for scan, cell in zip(scans, row, strict=True):
                scan.add(cell)
            offsets.append(offset)
            keys.append(key)
            contents.append(content_of(row))
            asked.append(row[places[target]].strip())
            if group is not None:
                groups.append(row[places[group]].strip())
        if not keys:
            raise UsageError(f"{self.path} has no row that can be read")
        for scan in scans:
            if scan.infinite:
                raise DlzooError(
                    f"{self.path}, {keys[scan.infinite - 1]}: {scan.name} is infinite or beyond "
                    f"{cells.LARGEST:g}; numbers must lie within that"
                )
        by_name = {scan.name: scan for scan in scans}
        used = [
            scan for scan in scans if scan.name not in (target, group) and not scan.is_row_number
        ]
        if self.scored is None:
            inputs, told = self._inputs(used, target)
            answer, told_target = self._answer(by_name[target], asked, form, inputs)
        else:
            spec, told, told_target = self.scored, [], "to be scored"
            inputs = {name: spec.features[name] for name in spec.inputs}
            answer = spec.features[target]
        left = [scan.told() for scan in scans if scan.is_row_number and scan.name != target]
        features = {**inputs, target: answer}
        classed = answer.classes > 0
        strata = (
            numbers_of(asked, getattr(answer, "names", ()), self.data.name)
            if classed
            else splitting.bins(np.array([float(cell) for cell in asked]))
            if answer.serves("value")
            else np.zeros(len(asked), np.int64)
        )
        return Scan(
            features=features,
            inputs=tuple(inputs),
            targets=(target,),
            keys=keys,
            contents=np.array(contents, np.uint64),
            strata=strata,
            groups=groups if group is not None else None,
            in_memory=file.path.stat().st_size <= IN_MEMORY,
            question=f"{target}: {told_target}",
            told=tuple(line for line in (*told, *left, *_told_of(skipped)) if line),
            labels=asked if classed else None,
            skipped=skipped,
            facts={"file": file, "offsets": as_offsets(offsets), "columns": scans},
        )

    def _column(self, file: RowFile, name: str, key: str) -> str:
        if name not in file.header:
            if len(file.header) == 1 and not self.path.suffix == ".parquet":
                raise UsageError(
                    f"{self.path} has one column alone, '{file.header[0][:60]}': are its cells "
                    "divided by another sign than , ; TAB or a bar?"
                )
            raise unknown(f"column of {self.path} for {key}", name, file.header)
        return name

    def _target(self, file: RowFile) -> tuple[str, str]:
        """Return the column that is asked for, and ``class``, ``number`` or nothing."""
        said = self.data.target
        if said is None:
            lower = {name.lower(): name for name in file.header}
            found = next((lower[name] for name in TARGETS if name in lower), None)
            if found is None:
                raise UsageError(
                    f"which column of {self.path} is asked for? Say --target COLUMN; there are: "
                    + ", ".join(file.header[:20])
                )
            return found, ""
        name, colon, form = said.rpartition(":")
        if said in file.header or not colon:
            return self._column(file, said, "target"), ""
        if form not in _FORMS:
            raise unknown("form of a target", form, _FORMS)
        return self._column(file, name, "target"), form

    def _fault(self, file: RowFile, row: Sequence[str], target: str, form: str) -> str:
        """Return why a row cannot be used, or nothing."""
        if len(row) != len(file.header):
            return f"expected {len(file.header)} cells, as in the header, got {len(row)}"
        asked = row[file.header.index(target)]
        if cells.is_missing(asked):
            return f"the target {target} is missing"
        if form == "number" and cells.as_number(asked) is None:
            return f"the target {target} must be a number, got '{asked}'"
        return ""

    def _inputs(
        self, used: Sequence[ColumnScan], target: str
    ) -> tuple[dict[str, Feature], list[str]]:
        """Return the input columns as features, and what was made of them."""
        seen = [scan for scan in used if scan.kind != cells.NOTHING]
        texts = [scan for scan in used if _is_text(scan)]
        if len(texts) == 1 and all(scan in texts for scan in seen):
            (scan,) = texts
            unit = "word" if scan.spaced * 2 >= scan.filled else "character"
            others = [one.told() for one in used if one is not scan]
            return {scan.name: _text(scan, unit)}, [
                f"column {scan.name} is text, read by {unit}s",
                *others,
            ]
        if not seen:
            raise UsageError(
                f"{self.path}: no column beside {target} can be learnt from: each is empty, has "
                "one value alone, or a text of its own in every row"
            )
        record = Record(
            names=tuple(scan.name for scan in seen),
            kinds=tuple(scan.kind for scan in seen),
            orders=tuple(scan.order if scan.kind == cells.DATE else "" for scan in seen),
        )
        return {ROW if target != ROW else "cells": record}, [scan.told() for scan in used]

    def _answer(
        self, scan: ColumnScan, asked: Sequence[str], form: str, inputs: dict[str, Feature]
    ) -> tuple[Feature, str]:
        """Return the target as a feature, and what it is in a few words."""
        counts = Counter(asked)
        if len(counts) < 2:
            raise UsageError(
                f"{self.path}: the target {scan.name} is '{asked[0]}' in every row; nothing can be "
                "learnt from that"
            )
        numbers = scan.numbers == scan.filled
        few = len(counts) <= MOST_CLASSES and len(counts) * 3 <= len(asked) and scan.whole
        if form == "number" or (numbers and not few and form != "class"):
            return Number(standardised=True), "a number"
        if form != "class" and not numbers and len(counts) * 2 > len(asked):
            if len(asked) > 2 and all(one.serves("tokens") for one in inputs.values()):
                unit = "word" if scan.spaced * 2 >= scan.filled else "character"
                return _text(scan, unit), f"a text, written by {unit}s"
            raise UsageError(
                f"{self.path}: the target {scan.name} has {len(counts)} different texts in "
                f"{len(asked)} rows, {scan.stranger} is the first: neither classes nor numbers"
            )
        if len(counts) > MOST_NAMES:
            raise UsageError(
                f"{self.path}: the target {scan.name} has {len(counts)} classes; {MOST_NAMES} are "
                f"the most. If it is a number, say --target {scan.name}:number"
            )
        names = tuple(sorted(counts, key=natural))
        return Label(names=names), f"one of {len(names)} classes"

    def split(self, places: np.ndarray, described: Description) -> Split:
        """Return the rows at some places: in memory, or read by place where the file is large."""
        from zoo.datasets.split import Split

        scan = self.scanned()
        file: RowFile = scan.facts["file"]
        offsets = scan.facts["offsets"][places]
        columns = self._columns(file, described)
        if scan.in_memory:
            by_offset = {offset: row for offset, _, row in file.rows()}
            rows = [by_offset[offset] for offset in offsets.tolist()]
            return Split.in_memory(_arrays(rows, columns, described, self.data.name))
        from zoo.datasets.sources.reading import rows_by_place

        def fetch(chosen: Sequence[int]) -> dict[str, np.ndarray]:
            rows = file.fetch([int(offsets[at]) for at in chosen])
            return _arrays(rows, columns, described, self.data.name)

        known = {}
        if scan.labels is not None:
            names = getattr(described.features[described.targets[0]], "names", ())
            labels = [scan.labels[at] for at in places]
            known[described.targets[0]] = numbers_of(labels, names, self.data.name)
        return rows_by_place(len(offsets), fetch, known)

    def _columns(self, file: RowFile, described: Description) -> dict[str, list[int]]:
        """Return where the cells of each feature stand in a row."""
        found = {}
        for name in (*described.inputs, *described.targets):
            wanted = getattr(described.features[name], "names", ())
            if name in file.header:
                found[name] = [file.header.index(name)]
                continue
            for column in wanted:
                if column not in file.header:
                    raise unknown(f"column of {self.path}", column, file.header)
            found[name] = [file.header.index(column) for column in wanted]
        return found


def _is_text(scan: ColumnScan) -> bool:
    """Return whether a column, were it the only one, would be read as a text."""
    if scan.kind in (cells.NUMBER, cells.DATE) or not scan.filled or len(scan.counts) < 2:
        return False
    return scan.kind in (cells.WORDS, cells.NOTHING) or len(scan.counts) > 50


def _text(scan: ColumnScan, unit: str) -> Text:
    lengths = [len(text.split()) if unit == "word" else len(text) for text in scan.counts]
    longest = max(max(lengths, default=1), 1)
    known = WORDS_KNOWN if unit == "word" else None
    return Text(
        unit=unit,
        length=min(longest + 2, LONGEST_TEXT),
        vocabulary_size=known,
        lowercase=unit == "word",
    )


def _arrays(
    rows: Sequence[Sequence[str]],
    columns: dict[str, list[int]],
    described: Description,
    source: str,
) -> dict[str, np.ndarray]:
    """Return raw columns (N, …) of rows."""
    found: dict[str, np.ndarray] = {}
    for name, places in columns.items():
        feature = described.features[name]
        if feature.classes:
            labels = [row[places[0]].strip() for row in rows]
            found[name] = numbers_of(labels, getattr(feature, "names", ()), source)
        elif feature.serves("value"):
            found[name] = np.array([float(row[places[0]]) for row in rows], np.float32)
        elif feature.serves("tokens"):
            found[name] = np.array([row[places[0]] for row in rows], object)
        else:
            found[name] = np.array([[row[at] for at in places] for row in rows], object)
    return found


def _told_of(skipped: dict[str, str]) -> list[str]:
    return [f"{key} is left out: {why}" for key, why in skipped.items()]


def open_csv(data: Data, path: str) -> Table:
    """Return the source that ``csv:PATH`` names."""
    return Table(data=data, path=Path(path), opener=partial(open_rows, delimiter=None))


def open_tsv(data: Data, path: str) -> Table:
    """Return the source that ``tsv:PATH`` names."""
    return Table(data=data, path=Path(path), opener=partial(open_rows, delimiter="\t"))


def open_parquet(data: Data, path: str) -> Table:
    """Return the source that ``parquet:PATH`` names."""
    return Table(data=data, path=Path(path), opener=of_parquet)
