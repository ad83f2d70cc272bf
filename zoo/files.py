"""Files that are whole or not there, and never overwritten unasked: the ground floor."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import UsageError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it when the body ends well.

    The name beside keeps the suffix, which many writers choose their format by.
    """
    beside = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def writable(path: Path, *, overwrite: bool) -> Path:
    """Return the path of a file to be written, after making its folder.

    Raises:
        UsageError: It exists and is not to be overwritten, or its folder cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; --overwrite replaces it")
    writable_folder(path.parent)
    return path


def writable_folder(path: Path) -> Path:
    """Return a folder after making it.

    Raises:
        UsageError: It cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write to the folder {path}: permission denied")
    return path
