"""Where examples come from: data sets by name, and sources by reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points

from zoo.base.errors import unknown
from zoo.datasets.sources import bundled, computed, tfds
from zoo.datasets.sources.base import Source

PLUGINS = "dlzoo.sources"
"""The entry-point group by which other distributions add sources: name -> a function without
arguments that returns a `Source`."""

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
    table = {**bundled.openers(), **computed.openers(), **tfds.openers()}
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


def open_source(reference: str) -> Source:
    """Return the source that a reference names; nothing is loaded yet.

    Raises:
        UsageError: There is no such data set.
    """
    table = _table()
    found = table.get(reference) or table.get(reference.lower())
    if found is None:
        raise unknown("data set", reference, table, see="dlzoo datasets")
    return found()
