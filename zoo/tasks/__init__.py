"""What a model is asked to do: binding data to models, scoring, rendering, serving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.errors import UsageError, unknown

if TYPE_CHECKING:
    from zoo.catalog import ModelCard
    from zoo.datasets.spec import DatasetEntry, DatasetSpec
    from zoo.tasks.base import Task

# name -> (module, class, the kinds of data it takes, what it needs to be told of each example)
TASKS = {
    "classification": ("classification", "Classification", ("image", "table", "text"), "class"),
    "image-classification": ("classification", "Classification", ("image",), "class"),
    "text-classification": ("classification", "Classification", ("text",), "class"),
    "regression": ("regression", "Regression", ("image", "table"), "number"),
    "generation": ("generation", "Generation", ("image",), None),
}


def check(card: ModelCard, task: str | None, data: DatasetSpec | DatasetEntry) -> str:
    """Return the task by which a model can work on a data set, without TensorFlow.

    Args:
        card: The model's.
        task: What a recipe says; None leaves it to the card.
        data: The data set.

    Raises:
        UsageError: There is no such task, or it cannot be done with this data.
    """
    name = task or card.task
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    _, _, kinds, target = TASKS[name]
    if data.kind not in kinds:
        raise UsageError(
            f"{card.name} does {name} on {' or '.join(kinds)} data; {data.name} is {data.kind} data"
        )
    if target is not None and data.target != target:
        raise UsageError(
            f"{card.name} does {name}, which needs a {target} for each example; "
            f"{data.name} gives a {data.target}"
        )
    return name


def make(name: str, spec: DatasetSpec) -> Task:
    """Return the task, bound to a data set."""
    import importlib

    module, kind, _, _ = TASKS[name]
    found: Task = getattr(importlib.import_module(f"zoo.tasks.{module}"), kind)(name, spec)
    return found
