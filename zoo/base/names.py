"""Names: sort them as people do, and make them safe as file names."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Sequence


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


def identifiers(names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Return distinct identifiers for names, such as ``sepal_length_cm`` for "sepal length (cm)".

    Names of tensors may not have spaces or signs. They have no capitals here either. None of them
    is one of `taken`.
    """
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_") or "column"
        if plain[0].isdigit() or keyword.iskeyword(plain):
            plain = f"column_{plain}"
        free, number = plain, 1
        while free in found or free in taken:
            number += 1
            free = f"{plain}_{number}"
        found.append(free)
    return found
