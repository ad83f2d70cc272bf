"""Standard streams that are closed, or whose reader has gone."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_standard_streams() -> None:
    """Replace standard streams that are closed (``>&-``) by the null device.

    Python makes such a stream None, and the next file that is opened would get its descriptor.
    """
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))


def discard(stream: TextIO) -> None:
    """Send what a stream still holds, and all that follows, to the null device.

    After the reader of a pipe has gone, every write and flush fails, the interpreter's flush at
    exit included.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno())
    except OSError:  # it has no file descriptor, so nothing flushes it at exit
        pass
    finally:
        os.close(null)


def flush_or_discard(*streams: TextIO) -> None:
    """Flush streams; discard those that cannot be written to."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            discard(stream)
