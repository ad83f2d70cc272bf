"""Answers written as they come: CSV, JSON lines or parquet, whole or not there."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from zoo.base.errors import UsageError
from zoo.base.files import written_whole

SUFFIXES = (".csv", ".jsonl", ".parquet")


def require_suffix(output: Path) -> None:
    """Raise a `UsageError` unless answers can be written into such a file."""
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--output writes .csv, .jsonl or .parquet files, got {output}")


class AnswerFile:
    """A file that rows are added to; nothing is made before the first of them.

    Args:
        path: Its suffix chooses the format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open = ExitStack()
        self._csv: csv.DictWriter[str] | None = None
        self._parquet: Any = None
        self._file: IO[str] | None = None
        self._beside: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows; the first ones say which columns there are."""
        if not rows:
            return
        if self._beside is None:
            self._beside = self._open.enter_context(written_whole(self.path))
        if self.path.suffix.lower() == ".parquet":
            self._add_parquet([flat(row) for row in rows])
            return
        if self._file is None:
            opened = self._beside.open("w", encoding="utf-8", newline="")
            self._file = self._open.enter_context(opened)
        if self.path.suffix.lower() == ".jsonl":
            self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        if self._csv is None:
            self._csv = csv.DictWriter(self._file, list(flat(rows[0])), lineterminator="\n")
            self._csv.writeheader()
        self._csv.writerows(flat(row) for row in rows)

    def _add_parquet(self, rows: list[dict[str, Any]]) -> None:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.Table.from_pylist(rows)
        if self._parquet is None:
            writer = pyarrow.parquet.ParquetWriter(self._beside, table.schema)
            self._parquet = self._open.enter_context(writer)
        self._parquet.write_table(table)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a table: the ranked classes in columns of their own."""
    cells = {key: value for key, value in row.items() if key != "top"}
    for rank, one in enumerate(row.get("top", [])[1:], start=2):
        cells |= {f"{key}{rank}": value for key, value in one.items()}
    return cells
