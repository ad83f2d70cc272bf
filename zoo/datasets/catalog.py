"""The data sets that are there, by name; reading this needs no TensorFlow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from zoo.datasets.spec import DatasetEntry, Origin
from zoo.errors import unknown

HERE = Path(__file__).parent
BUNDLED = HERE / "bundled"


@cache
def _index() -> dict[str, DatasetEntry]:
    table = {}
    for name, facts in _tables(BUNDLED / "index.toml"):
        table[name] = DatasetEntry(name=name, path=BUNDLED / facts.pop("file"), **facts)
    for name, facts in _tables(HERE / "tfds.toml"):
        origin = Origin(**_tuples(facts.pop("tfds")))
        table[name] = DatasetEntry(name=name, tfds=origin, **facts)
    return table


def _tables(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the facts of each data set that a file describes."""
    values: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    for name, written in values.items():
        facts = _tuples(written)
        facts.setdefault("class_count", len(facts["classes"]))
        if "image_shape" in facts:  # TOML has no null: 0 is any size
            facts["image_shape"] = tuple(side or None for side in facts["image_shape"])
        yield name, facts


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }


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
