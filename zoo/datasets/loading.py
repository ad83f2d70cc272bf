"""From a recipe's data table to a data set: opened, brought into form, and fitted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.recipe import Data
from zoo.base.errors import UsageError, unknown
from zoo.datasets.features.base import Feature
from zoo.datasets.sources import open_source
from zoo.datasets.sources.base import Description, Source
from zoo.datasets.sources.own import OwnSource
from zoo.datasets.spec import DatasetSpec
from zoo.runs.folder import SKIPPED_FILE, SPLITS_FILE

if TYPE_CHECKING:
    from zoo.datasets.split import Split

Adapt = Callable[[Description], Description]
"""What a task changes about the columns before they are fitted."""


@dataclass(frozen=True)
class Dataset:
    """A data set: its spec, and its splits of raw columns."""

    spec: DatasetSpec
    splits: Mapping[str, Split]
    keys: Mapping[str, Sequence[str]] | None = None
    """Of a source of the user's own: what the examples of each split are called."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """What could not be read and was left out, with the reason."""

    def listed(self) -> dict[str, str]:
        """Return the files in which a run keeps the splits, and what was left out of them."""
        if self.keys is None:
            return {}
        rows = [(key, name) for name, keys in self.keys.items() for key in keys]
        files = {SPLITS_FILE: _csv(("example", "split"), rows)}
        if self.skipped:
            files[SKIPPED_FILE] = _csv(("example", "reason"), list(self.skipped.items()))
        return files

    def split(self, name: str) -> Split:
        """Return one split.

        Raises:
            UsageError: It has none of that name.
        """
        if name not in self.splits:
            raise unknown("split", name, self.splits)
        return self.splits[name]


def load(
    data: str | Data,
    forms: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    adapt: Adapt = lambda description: description,
    fitted: DatasetSpec | None = None,
) -> Dataset:
    """Load a data set in the form that a recipe asks for.

    Args:
        data: A data set, see `zoo.datasets.sources.list_sources`, or a source of the user's own.
        forms: By column: values for the fields that its feature's `form` names.
        adapt: What the task changes about the columns.
        fitted: The spec of an earlier load in the same form: nothing is fitted again.

    Raises:
        UsageError: There is no such data set, or the form does not fit it.
        DlzooError: Its files are damaged, or it cannot be downloaded.
    """
    source = open_source(data)
    if fitted is not None and fitted.assigned is not None:
        source = source.with_splits(fitted.assigned)
    told = source.describe()
    described = adapt(in_form(told, forms or {}))
    loaded = source.load_as(described)
    splits = dict(loaded.splits)
    if isinstance(data, Data) and data.train_examples is not None:
        from zoo.datasets.subset import subset

        splits["train"] = subset(
            splits["train"],
            data.train_examples,
            data.train_seed,
            targets=described.targets,
            features=described.features,
        )
    if fitted is not None:
        if fitted.fingerprint not in ("", source.fingerprint()):
            raise UsageError(
                f"the data of {told.name} have changed since they were trained on: scores and "
                "classes would be of other data"
            )
        return Dataset(fitted, _cut(splits, fitted.features), loaded.keys, loaded.skipped)
    train = splits["train"]
    features = {}
    for name, feature in described.features.items():
        known = _with_facts(feature, told.features[name], loaded.features[name])
        features[name] = known.fit(train.column(name))
    splits = dict(_cut(splits, features))
    spec = DatasetSpec(
        name=described.name,
        features=features,
        inputs=described.inputs,
        targets=described.targets,
        weights=described.weights,
        sizes={name: len(split) for name, split in splits.items()},
        fingerprint=source.fingerprint(),
    )
    return Dataset(spec, splits, loaded.keys, loaded.skipped)


def load_to_score(data: Data, spec: DatasetSpec, split: str | None) -> tuple[Dataset, str]:
    """Load other data than a run was trained on, in the form that its model knows.

    Args:
        data: A data set or a source of the user's own.
        spec: The run's.
        split: Which part; None is the whole of a source of the user's own, and the test split of
            any other.

    Returns:
        The data set and the name of its split.

    Raises:
        UsageError: It does not have the run's columns or classes.
    """
    source: Source = open_source(data)
    if isinstance(source, OwnSource):
        if "target" in source.options and data.target is None and spec.targets:
            data = data.model_copy(update={"target": spec.targets[0]})
        source = replace(source, data=data, scored=spec)
    described = source.describe()
    for name in (*spec.inputs, *spec.targets):
        if name not in described.features:
            raise unknown(f"column of {data.name}", name, described.features)
        theirs = described.features[name]
        if theirs.noun() != spec.features[name].noun():
            raise UsageError(
                f"{data.name} gives {theirs.noun()} in the column {name}, and the model was "
                f"trained on {spec.features[name].noun()}"
            )
    asked = replace(
        described,
        features={**described.features, **spec.features},
        inputs=spec.inputs,
        targets=spec.targets,
    )
    if isinstance(source, OwnSource) and split is None:
        whole, keys = source.load_whole(asked)
        return _scored(spec, "all", _cut({"all": whole}, spec.features)["all"], keys)
    loaded = source.load_as(asked)
    part = split or "test"
    for name in spec.targets:
        own, theirs = spec.features[name], loaded.features[name]
        names = [one.titles(range(one.classes)) if one.classes else [] for one in (own, theirs)]
        if not isinstance(source, OwnSource) and names[0] != names[1]:
            raise UsageError(
                f"{data.name} has other classes ({', '.join(names[1][:5])}, …) than the model "
                f"({', '.join(names[0][:5])}, …)"
            )
    names_there = None if loaded.keys is None else loaded.keys[part]
    return _scored(spec, part, _cut(loaded.splits, spec.features)[part], names_there)


def _scored(
    spec: DatasetSpec, part: str, split: Split, keys: Sequence[str] | None
) -> tuple[Dataset, str]:
    sized = replace(spec, sizes={part: len(split)})
    return Dataset(sized, {part: split}, None if keys is None else {part: keys}), part


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


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _with_facts(feature: Feature, described: Feature, loaded: Feature) -> Feature:
    """Return a feature with what loading its examples told beyond the source's description."""
    told = {
        one.name: getattr(loaded, one.name)
        for one in fields(loaded)
        if getattr(loaded, one.name) != getattr(described, one.name)
    }
    return replace(feature, **told) if told else feature
