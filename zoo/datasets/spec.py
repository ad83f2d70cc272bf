"""What a data set is to a model: its columns, and which of them go in and come out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.datasets.features import from_dict
from zoo.datasets.features.base import Feature, tuples

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """The columns of a data set, and all that was fitted on its training split.

    It is plain data and travels with a run and with an export.
    """

    name: str
    """The reference by which the data set was opened."""
    features: Mapping[str, Feature]
    """By the column's name."""
    inputs: tuple[str, ...]
    """The columns that a model is usually given."""
    targets: tuple[str, ...] = ()
    """The columns that a model is usually asked for."""
    weights: str | None = None
    """The column that says how much each example counts, if there is one."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Examples in each split."""
    fingerprint: str = ""
    """Changes when the data do."""
    assigned: Mapping[str, Sequence[str]] | None = None
    """The splits of a run on a source of the user's own. They are kept beside, in splits.csv."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "features": {name: one.as_dict() for name, one in self.features.items()},
            "inputs": self.inputs,
            "targets": self.targets,
            "weights": self.weights,
            "sizes": dict(self.sizes),
            "fingerprint": self.fingerprint,
        }

    def to_json(self) -> str:
        """Return the spec as JSON."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> DatasetSpec:
        """Return the spec of `to_json`'s text.

        Raises:
            ValueError: It is not JSON, or not a spec.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or not isinstance(values.get("features"), dict):
            raise ValueError("not a data set's spec")
        features = {name: from_dict(one) for name, one in values.pop("features").items()}
        try:
            return cls(features=features, **tuples(values))
        except TypeError as error:
            raise ValueError(str(error)) from None
