"""The data sets that are there, by name; reading this needs no TensorFlow."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from zoo.datasets.spec import DatasetEntry
from zoo.errors import unknown

BUNDLED = Path(__file__).parent / "bundled"


@cache
def _index() -> dict[str, DatasetEntry]:
    values: dict[str, dict[str, Any]] = tomllib.loads(
        (BUNDLED / "index.toml").read_text(encoding="utf-8")
    )
    table = {}
    for name, written in values.items():
        lists = {key: tuple(value) for key, value in written.items() if isinstance(value, list)}
        facts = {**written, **lists}
        path = BUNDLED / facts.pop("file")
        table[name] = DatasetEntry(name=name, path=path, **facts)
    return table


def list_datasets() -> list[str]:
    """Return the names of all data sets."""
    return list(_index())


def entry(name: str) -> DatasetEntry:
    """Return what is known of a data set.

    Raises:
        UsageError: There is no such data set.
    """
    if name not in _index():
        raise unknown("data set", name, _index(), see="dlzoo datasets")
    return _index()[name]
