"""Where examples come from: data sets by name, and sources by reference."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from recipes.recipe import Data
from zoo.base.errors import UsageError, suggestion, unknown
from zoo.base.files import is_file, is_folder
from zoo.datasets.sources import bundled, captions, computed, glyphs, tfds
from zoo.datasets.sources.base import Source

PLUGINS = "dlzoo.sources"
"""The entry-point group by which other distributions add sources: name -> a function without
arguments that returns a `Source`."""

# Scheme -> the function from (data, path) to the source, and how it is written.
SCHEMES = {
    "folder": ("zoo.datasets.sources.folder:open_folder", "folder:DIR"),
    "csv": ("zoo.datasets.sources.tables:open_csv", "csv:FILE"),
    "tsv": ("zoo.datasets.sources.tables:open_tsv", "tsv:FILE"),
    "parquet": ("zoo.datasets.sources.tables:open_parquet", "parquet:FILE"),
    "text": ("zoo.datasets.sources.texts:open_text", "text:FILE"),
    "npz": ("zoo.datasets.sources.npz:open_npz", "npz:FILE"),
    "tfds": ("zoo.datasets.sources.tfds_own:open_tfds", "tfds:NAME[/CONFIG][:VERSION] or a .py"),
}
"""Sources of the user's own. Each is imported when it is opened."""

Opener = Callable[[], Source]
_registered: dict[str, Opener] = {}


def register(name: str, opener: Opener) -> None:
    """Add a source to this process.

    Args:
        name: The reference by which it is opened.
        opener: Returns it, without loading its examples.

    Raises:
        ValueError: There is a source of that name.
    """
    if name in _table():
        raise ValueError(f"two data sets are called '{name}'")
    _registered[name] = opener


def unregister(name: str) -> None:
    """Take a source that was registered out of this process."""
    del _registered[name]


@cache
def _installed() -> Mapping[str, Opener]:
    sources = (bundled, computed, captions, glyphs, tfds)
    table = {name: opener for source in sources for name, opener in source.openers().items()}
    for point in entry_points(group=PLUGINS):
        if point.name in table:
            raise ValueError(f"two data sets are called '{point.name}': one is of {point.value}")
        table[point.name] = point.load()
    return table


def _table() -> Mapping[str, Opener]:
    return {**_installed(), **_registered}


def list_sources() -> list[str]:
    """Return the names of all data sets."""
    return list(_table())


def is_own(reference: str) -> bool:
    """Return whether a reference is to a source of the user's own, such as ``folder:photos``."""
    return reference.partition(":")[0].lower() in SCHEMES and ":" in reference


def open_source(data: str | Data) -> Source:
    """Return the source that a reference names; nothing is loaded yet.

    Args:
        data: A reference alone, or with what ``[data]`` says beside it.

    Raises:
        UsageError: There is no such data set, or it takes no such key of ``[data]``.
    """
    data = Data(name=data) if isinstance(data, str) else data
    reference = data.name
    scheme, colon, rest = reference.partition(":")
    if colon and reference not in _table():
        if scheme.lower() not in SCHEMES:
            hint = suggestion(scheme, SCHEMES) or f" There are: {', '.join(SCHEMES)}."
            raise UsageError(f"unknown kind of source '{scheme}:'.{hint}")
        if not rest.strip() or "\0" in rest:
            raise UsageError(f"'{reference}' names no file: expected {SCHEMES[scheme.lower()][1]}")
        module, _, opener = SCHEMES[scheme.lower()][0].partition(":")
        found: Source = getattr(importlib.import_module(module), opener)(data, rest)
        return found
    for key in data.options:
        raise UsageError(
            f"{key} (--{key.replace('_', '-')}) is for sources of your own, such as csv:FILE; "
            f"got the data set '{reference}'"
        )
    table = _table()
    named = table.get(reference) or table.get(reference.lower())
    if named is None:
        if kind := _kind_of(reference):
            raise UsageError(f"there is no data set '{reference}'. Did you mean '{kind}'?")
        raise unknown("data set", reference, table, see="dlzoo datasets")
    return named()


def _kind_of(path: str) -> str:
    """Return the reference that a path was perhaps meant to be, or nothing."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if is_folder(path) and path.strip():
        return f"folder:{path}"
    kind = {"txt": "text", "pq": "parquet"}.get(suffix, suffix)
    return f"{kind}:{path}" if is_file(path) and kind in SCHEMES else ""
