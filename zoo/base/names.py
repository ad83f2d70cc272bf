"""Names: sort them as people do, and make them safe as file names."""

from __future__ import annotations

import re


def natural(name: str) -> list[int | str]:
    """Return a sort key by which resnet20 comes before resnet110."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def slug(text: str) -> str:
    """Return a text as part of a file name: ASCII letters, digits, ``.``, ``_`` and ``-`` only.

    ``folder:./photos`` becomes ``folder-photos``. A name that is safe already stays as it is.
    """
    # A run of punctuation that holds an unsafe character becomes one hyphen.
    safe = re.sub(r"[^A-Za-z0-9_]*[^A-Za-z0-9_.-][^A-Za-z0-9_]*", "-", text)
    return safe.strip("-.")
