"""What a command line hands in: files, standard input, and values typed as they are."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from zoo.base.errors import UsageError
from zoo.base.files import is_file, is_folder
from zoo.base.names import natural

STDIN = "-"
"""Names standard input."""


def require_value(text: str, wanted: str) -> None:
    """Raise a `UsageError` for an input of no characters, which would name the working folder."""
    if not text.strip():
        raise UsageError(f"an input is empty; expected {wanted}")


def matching(text: str) -> list[str]:
    """Return the files that a pattern such as ``photos/*.jpg`` matches, in natural order.

    What is no pattern, or the name of a file itself, or matches nothing, is returned as it is.
    """
    if not any(mark in text for mark in "*?[") or is_file(text) or is_folder(text):
        return [text]
    found = sorted(glob.glob(text, recursive=True), key=natural)  # noqa: PTH207 (a whole path)
    return found or [text]


def content_of(text: str, stdin: BinaryIO) -> bytes:
    """Return the bytes of a file or of standard input.

    Raises:
        UsageError: It cannot be read.
    """
    if text == STDIN:
        return stdin.read()
    try:
        return Path(text).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {text}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"cannot read {text!r}: {error}") from None


def text_of(text: str, stdin: BinaryIO) -> Iterator[str]:
    """Yield the lines of a UTF-8 file or of standard input, one at a time.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        file = stdin if text == STDIN else Path(text).open("rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise UsageError(f"cannot read {text}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"cannot read {text!r}: {error}") from None
    try:
        for number, line in enumerate(file):
            # Spreadsheets begin their files with a byte order mark.
            yield line.decode("utf-8-sig" if number == 0 else "utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {text}: {error.strerror}") from None
    finally:
        if file is not stdin:
            file.close()
