"""Looking at a source before hours are spent on it: what is wrong, what is odd, what is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import DlzooError
from zoo.datasets.features import cells
from zoo.datasets.sources import open_source
from zoo.datasets.sources.own import OwnSource, Scan
from zoo.datasets.spec import SPLITS

FEW = 10
"""Examples of a class in training below which it is hardly learnt."""
SHOWN = 20
"""Findings of one kind that are listed one by one."""
NEAR = 2
"""Bits of 64 in which the fingerprints of two nearly alike pictures differ at most."""
LIKE = 4.0
"""Mean difference, of 255, of the small copies of two nearly alike pictures, at most."""
MOST_COMPARED = 20_000
"""Pictures that are compared with each other."""
IMBALANCE = 10.0


@dataclass
class Report:
    """What a check found."""

    source: str
    examples: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    """By class: how many examples in each split."""
    seen: dict[str, str] = field(default_factory=dict)
    """What a model will see, by column."""
    told: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dict(vars(self))


def check(data: Data, progress: Callable[[int], None] = lambda done: None) -> Report:
    """Return what is to be said of a source before a training.

    Errors are what a training would stop at or what would make its score worthless: files that
    cannot be read, targets that are missing, classes that training never sees, one example in two
    splits. Warnings are the rest.

    Args:
        data: The reference, and what is said beside it.
        progress: Is told how many files were read.

    Raises:
        UsageError: There is no such source.
    """
    report = Report(data.name)
    source = open_source(data)
    if not isinstance(source, OwnSource):
        described = source.describe()
        report.examples, report.sizes = described.rows, dict(described.sizes)
        report.seen = {name: one.summary() for name, one in described.features.items()}
        return report
    # What is bad is left out here, so that everything else is looked at too.
    if "skip_bad_files" in source.options:
        data = data.model_copy(update={"skip_bad_files": True})
        source = open_source(data)
        assert isinstance(source, OwnSource)
    scan = source.scanned()
    _add_all(report.errors, [f"{key}: {why}" for key, why in scan.skipped.items()])
    assigned = source.assigned()
    report.examples = len(scan.keys)
    report.sizes = {name: int((assigned == at).sum()) for at, name in enumerate(SPLITS)}
    report.seen = {name: _seen(scan, name) for name in (*scan.inputs, *scan.targets)}
    report.told = [line for line in scan.told if not any(key in line for key in scan.skipped)]
    for name, size in report.sizes.items():
        if not size:
            report.errors.append(f"the {name} split would be empty")
    if scan.labels is not None:
        _check_classes(report, scan, assigned)
    _check_duplicates(report, scan)
    if "pictures" in scan.facts:
        _check_pictures(report, source, scan, assigned)
    for column in scan.facts.get("columns", ()):
        _check_column(report, column)
    return report


def _seen(scan: Scan, name: str) -> str:
    feature = scan.features[name]
    summary = feature.summary()
    if feature.serves("pixels"):
        shape = feature.default_shape()
        summary += f", brought to {' × '.join(str(side) for side in shape)}"
    return f"{feature.noun()}: {summary}".rstrip(": ")


def _add_all(found: list[str], lines: Sequence[str]) -> None:
    found += lines[:SHOWN]
    if len(lines) > SHOWN:
        found.append(f"… and {len(lines) - SHOWN} more like these")


def _check_classes(report: Report, scan: Scan, assigned: np.ndarray) -> None:
    labels = np.array(scan.labels, object)
    for name in dict.fromkeys(sorted(set(labels.tolist()))):
        counts = {
            split: int(((labels == name) & (assigned == at)).sum())
            for at, split in enumerate(SPLITS)
        }
        report.classes[name] = counts
        for split in SPLITS[1:]:
            if counts[split] and not counts["train"]:
                report.errors.append(
                    f"class '{name}' is in the {split} split and never in training"
                )
        if 0 < counts["train"] < FEW:
            report.warnings.append(f"class '{name}' has {counts['train']} training examples")
    totals = Counter(labels.tolist())
    rarest, most = min(totals.values()), max(totals.values())
    if most > IMBALANCE * rarest:
        report.warnings.append(
            f"the classes are of very unequal size: {rarest} to {most:,} examples; a training "
            "weighs them"
        )
    _add_all(report.warnings, _typos(totals, "class", "classes"))


def _typos(totals: Mapping[str, int], noun: str, plural: str) -> list[str]:
    """Return classes, or values of a column, that may be one spelt in two ways."""
    found = []
    by_plain: dict[str, str] = {}
    for name in sorted(totals, key=lambda one: -totals[one]):
        plain = "".join(name.casefold().split()).replace("_", "").replace("-", "")
        if plain in by_plain:
            found.append(f"{plural} '{by_plain[plain]}' and '{name}' differ in spelling only")
            continue
        by_plain[plain] = name
        others = [one for one in totals if one != name and totals[one] >= FEW * totals[name]]
        digits = any(letter.isdigit() for letter in name)
        rare = totals[name] <= 2 and len(name) > 3 and not digits
        if rare and (near := get_close_matches(name, others, n=1, cutoff=0.8)):
            count = f"{totals[name]} example" + "s" * (totals[name] > 1)
            found.append(f"{noun} '{name}' has {count}: is '{near[0]}' meant?")
    return found


def _check_duplicates(report: Report, scan: Scan) -> None:
    """Say which examples are there more than once, and which stand in two splits of the source."""
    order = np.argsort(scan.contents, kind="stable")
    within, across, contradictions = [], [], []
    start = 0
    sorted_contents = scan.contents[order]
    for stop in [*(np.flatnonzero(np.diff(sorted_contents)) + 1).tolist(), len(order)]:
        same, start = order[start:stop], stop
        if len(same) < 2:
            continue
        names = ", ".join(scan.keys[at] for at in same[:4]) + ", …" * (len(same) > 4)
        if scan.given is not None and len(set(scan.given[same].tolist())) > 1:
            across.append(f"the same content is in several splits and stays in the last: {names}")
        else:
            within.append(names)
        if scan.labels is not None and len({scan.labels[at] for at in same}) > 1:
            contradictions.append(f"the same content has several classes: {names}")
    _add_all(report.errors, across)
    _add_all(report.warnings, contradictions)
    if within:
        report.warnings.append(
            f"{len(within)} contents are there more than once and stay in one split, such as "
            f"{within[0]}"
        )


def _check_pictures(report: Report, source: OwnSource, scan: Scan, assigned: np.ndarray) -> None:
    """Say which pictures of different splits look alike, though their files differ."""
    if scan.facts["strangers"]:
        report.warnings += [line for line in scan.told if "no images" in line]
    prints, seen = source.prints()  # type: ignore[attr-defined]
    if len(prints) > MOST_COMPARED:
        report.told.append(f"more than {MOST_COMPARED:,} pictures: not compared for likeness")
        return
    found = []
    for at in range(len(prints)):
        differing = np.bitwise_count(prints[at + 1 :] ^ prints[at])
        for other in (np.flatnonzero(differing <= NEAR) + at + 1).tolist():
            difference = np.abs(seen[at].astype(np.int16) - seen[other]).mean()
            if difference > LIKE:
                continue
            apart = assigned[at] != assigned[other] and min(assigned[at], assigned[other]) >= 0
            if apart and scan.contents[at] != scan.contents[other]:
                splits = f"{SPLITS[assigned[at]]} and {SPLITS[assigned[other]]}"
                found.append(f"nearly alike, in {splits}: {scan.keys[at]} and {scan.keys[other]}")
    _add_all(report.warnings, found)


def _check_column(report: Report, column: cells.ColumnScan) -> None:
    """Say what is odd about a column of a table."""
    if not column.filled:
        report.warnings.append(f"column {column.name} is empty in every row")
    elif len(column.counts) == 1 and not column.more:
        report.warnings.append(
            f"column {column.name} is {next(iter(column.counts))!r} in every row"
        )
    elif column.missing * 2 > column.rows:
        report.warnings.append(
            f"column {column.name} is missing in {column.missing} of {column.rows} rows"
        )
    if 0 < column.filled - column.numbers <= column.filled * 0.05 and column.numbers:
        report.warnings.append(
            f"column {column.name} holds numbers and {column.filled - column.numbers} other "
            f"cell(s), such as {column.stranger}: it is read as text"
        )
    spaced = [text for text in column.counts if text != text.strip()]
    if spaced and column.kind == cells.CATEGORY:
        report.warnings.append(
            f"column {column.name} has spaces around values, such as {spaced[0]!r}"
        )
    if column.kind == cells.CATEGORY and column.numbers == 0:
        for line in _typos(column.counts, "value", "values"):
            report.warnings.append(f"column {column.name}: {line}")


def problem(error: DlzooError, source: str) -> Report:
    """Return the report of a source that cannot be looked at any further."""
    return Report(source, errors=[str(error)])
