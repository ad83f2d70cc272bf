"""From a recipe's data table to a data set: opened, brought into form, and fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.errors import UsageError, unknown
from zoo.datasets.features.base import Feature
from zoo.datasets.sources import open_source
from zoo.datasets.sources.base import Description
from zoo.datasets.spec import DatasetSpec

if TYPE_CHECKING:
    from zoo.datasets.split import Split

Adapt = Callable[[Description], Description]
"""What a task changes about the columns before they are fitted."""


@dataclass(frozen=True)
class Dataset:
    """A data set: its spec, and its splits of raw columns."""

    spec: DatasetSpec
    splits: Mapping[str, Split]

    def split(self, name: str) -> Split:
        """Return one split.

        Raises:
            UsageError: It has none of that name.
        """
        if name not in self.splits:
            raise unknown("split", name, self.splits)
        return self.splits[name]


def load(
    reference: str,
    forms: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    adapt: Adapt = lambda description: description,
    fitted: DatasetSpec | None = None,
) -> Dataset:
    """Load a data set in the form that a recipe asks for.

    Args:
        reference: A data set, see `zoo.datasets.sources.list_sources`.
        forms: By column: values for the fields that its feature's `form` names.
        adapt: What the task changes about the columns.
        fitted: The spec of an earlier load in the same form: nothing is fitted again.

    Raises:
        UsageError: There is no such data set, or the form does not fit it.
        DlzooError: Its files are damaged, or it cannot be downloaded.
    """
    source = open_source(reference)
    told = source.describe()
    described = adapt(in_form(told, forms or {}))
    loaded = source.load_as(described)
    splits = _cut(loaded.splits, (described if fitted is None else fitted).features)
    if fitted is not None:
        if fitted.fingerprint not in ("", source.fingerprint()):
            raise UsageError(
                f"the data of {reference} have changed since they were trained on: scores and "
                "classes would be of other data"
            )
        return Dataset(fitted, splits)
    train = splits["train"]
    features = {}
    for name, feature in described.features.items():
        known = _with_facts(feature, told.features[name], loaded.features[name])
        features[name] = known.fit(train.column(name))
    spec = DatasetSpec(
        name=described.name,
        features=features,
        inputs=described.inputs,
        targets=described.targets,
        weights=described.weights,
        sizes={name: len(split) for name, split in splits.items()},
        fingerprint=source.fingerprint(),
    )
    return Dataset(spec, splits)


def _cut(splits: Mapping[str, Split], features: Mapping[str, Feature]) -> Mapping[str, Split]:
    """Return splits whose long examples are cut into several, where a feature does that.

    Each split is cut by itself, so that no part of an example stands in two.
    """
    from zoo.datasets.split import Split

    if not any(feature.cuts for feature in features.values()):
        return splits
    cut: dict[str, Split] = {}
    for name, split in splits.items():
        if split.take is None:
            raise UsageError("texts that memory does not hold cannot be cut into windows")
        pieces: dict[str, np.ndarray] = {}
        places = np.arange(len(split))
        for column, feature in features.items():
            if feature.cuts:
                raw = np.concatenate(list(split.column(column)))
                pieces[column], places = feature.cut(raw)
        rest = {key: np.asarray(values) for key, values in split.take(places).items()}
        cut[name] = Split.in_memory({**rest, **pieces})
    return cut


def in_form(
    described: Description, forms: Mapping[str, Mapping[str, Any]], *, complete: bool = True
) -> Description:
    """Return a description whose columns have the form that a recipe asks for; needs no TensorFlow.

    Args:
        described: Of the source.
        forms: By column.
        complete: Whether to check that a model can be fed with the columns.

    Raises:
        UsageError: There is no such column, or its form does not fit it.
    """
    for name in forms:
        if name not in described.features:
            raise unknown(f"column of {described.name}", name, described.features)
    features = {
        name: feature.with_form(name, forms.get(name, {}))
        for name, feature in described.features.items()
    }
    if complete:
        for name in described.inputs:
            features[name].check(name)
    return replace(described, features=features)


def _with_facts(feature: Feature, described: Feature, loaded: Feature) -> Feature:
    """Return a feature with what loading its examples told beyond the source's description."""
    told = {
        field.name: getattr(loaded, field.name)
        for field in fields(loaded)
        if getattr(loaded, field.name) != getattr(described, field.name)
    }
    return replace(feature, **told) if told else feature
