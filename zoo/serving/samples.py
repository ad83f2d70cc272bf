"""Real examples that an artefact is checked with, kept beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.errors import DlzooError
from zoo.serving.verify import Case

if TYPE_CHECKING:
    from zoo.datasets.loading import Dataset
    from zoo.serving.served import Served
    from zoo.tasks.base import Task

FILE = "samples.npz"
MOST = 10_000
"""Examples of the test split that an export is checked on."""
KEPT = 16
"""Examples that are kept with it, to check it again elsewhere."""


def examples(task: Task, dataset: Dataset | None) -> tuple[dict[str, np.ndarray], str]:
    """Return raw columns of the test split, and what they are; of noise, and "", without data.

    Args:
        task: Bound to its data.
        dataset: None where the data cannot be read here.
    """
    if dataset is None:
        return {name: feature.sample(KEPT) for name, feature in task.fed.items()}, ""
    split = dataset.split("test")
    chunk = next(split.chunks(MOST))
    columns = {name: np.asarray(chunk[name]) for name in task.fed}
    count = len(next(iter(columns.values())))
    told = "test split" if count == len(split) else f"first {count:,} of the test split"
    return columns, told


def case(served: Served, group: str, signature: str) -> Case:
    """Return what a signature is asked, with the model's answers and scores."""
    inputs, expected = served.answered(group, signature)
    task, raw = served.task, served.examples
    scored = served.split and served.group(group)[signature].examples
    told = task.score_served(expected, raw) if scored else None
    if told is None:
        return Case(signature, inputs, expected)

    def score(outputs: Mapping[str, np.ndarray]) -> float | None:
        found = task.score_served(outputs, raw)
        return None if found is None else found[1]

    kind = told[0]
    return Case(signature, inputs, expected, score, kind.name, kind.higher_is_better)


def cases(served: Served, groups: Iterable[str]) -> dict[str, list[Case]]:
    """Return what the signatures of some groups are asked, see `Served.group`."""
    return {
        group: [case(served, group, signature) for signature in served.group(group)]
        for group in groups
    }


def save(path: Path, of_groups: Mapping[str, list[Case]]) -> None:
    """Write the first examples of each case.

    Args:
        path: An ``.npz`` of plain arrays.
        of_groups: By the group of signatures.
    """
    arrays: dict[str, Any] = {}
    for group, several in of_groups.items():
        for one in several:
            for kind, values in (("in", one.inputs), ("out", one.expected)):
                for name, array in values.items():
                    arrays[f"{group}/{one.signature}/{kind}/{name}"] = array[:KEPT]
    np.savez_compressed(path, **arrays)


def load(path: Path) -> dict[str, list[Case]]:
    """Return the cases that `save` wrote.

    Raises:
        DlzooError: The file is damaged.
    """
    found: dict[str, dict[str, dict[str, dict[str, np.ndarray]]]] = {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for key in arrays.files:
                group, signature, kind, name = key.split("/", 3)
                sides = found.setdefault(group, {}).setdefault(signature, {"in": {}, "out": {}})
                sides[kind][name] = arrays[key]
    except Exception as error:  # NumPy and zipfile raise a dozen kinds on damage
        raise DlzooError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    return {
        group: [Case(name, one["in"], one["out"]) for name, one in several.items()]
        for group, several in found.items()
    }
