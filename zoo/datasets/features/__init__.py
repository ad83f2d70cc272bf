"""The kinds of columns: what one is, how it is encoded, decoded, read, served and drawn."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from zoo.base.errors import unknown
from zoo.datasets.features.base import Feature, tuples

# The type's name in JSON and TOML -> where its class is.
TYPES = {
    "image": "zoo.datasets.features.image:Image",
    "table": "zoo.datasets.features.table:Table",
    "record": "zoo.datasets.features.record:Record",
    "text": "zoo.datasets.features.text:Text",
    "byte-pair-text": "zoo.datasets.features.byte_pair_text:BytePairText",
    "series": "zoo.datasets.features.series:Series",
    "tags": "zoo.datasets.features.tags:Tags",
    "label": "zoo.datasets.features.label:Label",
    "number": "zoo.datasets.features.number:Number",
}


def register(kind: type[Feature]) -> None:
    """Add a feature of another distribution's to this process.

    Raises:
        ValueError: Another one has its name.
    """
    where = f"{kind.__module__}:{kind.__qualname__}"
    if TYPES.setdefault(kind.type, where) != where:
        raise ValueError(f"two features are called '{kind.type}': {TYPES[kind.type]} and {where}")


def from_dict(values: Mapping[str, Any]) -> Feature:
    """Return the feature that plain values with a ``type`` describe.

    Raises:
        UsageError: There is no such type.
        ValueError: The values do not fit it.
    """
    given = dict(values)
    name = str(given.pop("type", ""))
    if name not in TYPES:
        raise unknown("feature", name, TYPES)
    module, _, cls = TYPES[name].partition(":")
    kind: type[Feature] = getattr(importlib.import_module(module), cls)
    try:
        return kind(**tuples(given))
    except TypeError as error:
        raise ValueError(str(error)) from None
