"""Rows of a delimited file or a parquet file: passed over once, then read by place."""

from __future__ import annotations

import atexit
import codecs
import csv
import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from zoo.base.errors import DlzooError, UsageError, gist

DELIMITERS = (",", ";", "\t", "|")
LONGEST = 10_000_000
"""Characters of a cell."""


@dataclass(frozen=True)
class RowFile:
    """A delimited text file whose rows can be read in any order.

    Memory holds where each row begins, 8 bytes a row, and nothing else of the file.
    """

    path: Path
    """What is read: the user's file, or a plain copy of a compressed one."""
    delimiter: str
    header: tuple[str, ...]
    first: int
    """Where the first row after the header begins, in bytes."""
    name: str
    """What the user calls it."""

    def rows(self) -> Iterator[tuple[int, int, list[str]]]:
        """Yield for each row where it begins, its line's number, and its cells.

        Raises:
            DlzooError: It is not UTF-8, or not delimited text.
        """
        csv.field_size_limit(LONGEST)
        with self.path.open("rb") as file:
            file.seek(self.first)
            lines = _Lines(file, self.first)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            headed = 1 + (self.first > 0)
            while True:
                begin, line = lines.consumed, reader.line_num + headed
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except UnicodeDecodeError as error:
                    raise DlzooError(f"{self.name}, line {line}: not UTF-8 text: {error}") from None
                except csv.Error as error:
                    raise DlzooError(f"{self.name}, line {line}: not CSV: {error}") from None
                if any("\0" in cell for cell in row):
                    raise DlzooError(f"{self.name}, line {line}: a cell holds a NUL")
                if row:
                    yield begin, line, row

    def fetch(self, offsets: Sequence[int]) -> list[list[str]]:
        """Return the cells of the rows that begin at some bytes."""
        found = []
        with self.path.open("rb") as file:
            for offset in offsets:
                file.seek(offset)
                found.append(next(csv.reader(_Lines(file, offset), delimiter=self.delimiter)))
        return found


class _Lines:
    """The lines of a file, with how many bytes were consumed."""

    def __init__(self, file: IO[bytes], at: int) -> None:
        self.file, self.consumed = file, at

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline()
        if not line:
            raise StopIteration
        start = self.consumed == 0
        self.consumed += len(line)
        return line.decode("utf-8-sig" if start else "utf-8")


def open_rows(path: Path, delimiter: str | None, *, headed: bool = True, name: str = "") -> RowFile:
    """Return a delimited file, its header read.

    Args:
        path: Plain or compressed by gzip (``.gz``).
        delimiter: None finds it in the first line.
        headed: Whether the first line names the columns.
        name: What the user calls it; the path by default.

    Raises:
        UsageError: It is empty, or the header is not one.
        DlzooError: It cannot be read.
    """
    name = name or str(path)
    plain = _plain(path) if path.suffix.lower() == ".gz" else path
    try:
        with plain.open("rb") as file:
            start = file.readline(1_000_000)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    if not start.strip():
        raise UsageError(f"{name} is empty, or its first line is")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{name} is UTF-16 text; save it as UTF-8")
    if b"\0" in start:
        raise UsageError(f"{name} is no text file: its first line holds a NUL")
    if b"\r" in start.strip():
        raise UsageError(f"{name}: its lines end in CR alone; save it with LF or CR LF")
    try:
        line = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}, line 1: not UTF-8 text: {error}") from None
    if delimiter is None:
        delimiter = max(DELIMITERS, key=line.count)
    if not headed:
        return RowFile(plain, delimiter, (), 0, name)
    whole = RowFile(plain, delimiter, (), 0, name)
    rows = whole.rows()
    _, _, cells = next(rows)
    header = tuple(cell.strip() for cell in cells)
    following = next(rows, None)
    if following is None:
        raise UsageError(f"{name} has a header and no rows")
    _require_header(name, header)
    return RowFile(plain, delimiter, header, following[0], name)


def _require_header(file: str, header: Sequence[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise UsageError(f"{file}: the header names the column '{name}' twice")
    numbers = [name for name in header if name.replace(".", "", 1).lstrip("-").isdigit()]
    if len(numbers) * 2 > len(header):
        raise UsageError(
            f"{file}, line 1: expected the columns' names, got {', '.join(header[:5])}; "
            "write a header"
        )


def _spooled(suffix: str) -> Path:
    """Return the path of a temporary file that is removed when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="dlzoo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / f"rows{suffix}"


def _plain(path: Path) -> Path:
    """Return an uncompressed copy of a gzip file."""
    copy = _spooled(".csv")
    try:
        with gzip.open(path) as packed, copy.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise DlzooError(f"{path} cannot be unpacked: {gist(error)}") from None
    return copy


def of_parquet(path: Path) -> RowFile:
    """Return the rows of a parquet file, written as text once and a part at a time.

    Raises:
        UsageError: A column holds lists or tables.
        DlzooError: It is no parquet file.
    """
    import pyarrow.parquet

    copy = _spooled(".csv")
    try:
        with pyarrow.parquet.ParquetFile(path) as file, copy.open("w", encoding="utf-8") as out:
            schema = file.schema_arrow
            for field in schema:
                if pyarrow.types.is_nested(field.type):
                    raise UsageError(
                        f"{path}: column {field.name} holds {field.type}; a cell must be one value"
                    )
            writer = csv.writer(out)
            writer.writerow(schema.names)
            for batch in file.iter_batches(4096):
                columns = [[_cell(one) for one in part.to_pylist()] for part in batch.columns]
                writer.writerows(zip(*columns, strict=True))
    except (OSError, pyarrow.ArrowException) as error:
        raise DlzooError(f"{path} is not a readable parquet file: {gist(error)}") from None
    return open_rows(copy, ",", name=str(path))


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def content_of(cells: Sequence[str]) -> int:
    """Return a hash of a row's cells, 64 bits."""
    text = "\x1f".join(cell.strip() for cell in cells).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def as_offsets(offsets: Sequence[int]) -> np.ndarray:
    """Return where rows begin as an array."""
    return np.array(offsets, np.int64)
