"""What a command line hands in: files, standard input, and values typed as they are."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from zoo.base.errors import UsageError

STDIN = "-"
"""Names standard input."""


def require_value(text: str, wanted: str) -> None:
    """Raise a `UsageError` for an input of no characters, which would name the working folder."""
    if not text.strip():
        raise UsageError(f"an input is empty; expected {wanted}")


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
