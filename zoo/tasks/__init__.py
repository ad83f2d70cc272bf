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
        other = "regression" if data.target == "number" else "classification"
        raise UsageError(
            f"{card.name} does {name}, which needs a {target} for each example; "
            f"{data.name} gives a {data.target}. {other.capitalize()}: dlzoo train mlp "
            f"--dataset {data.name} --set task={other}"
        )
    return name


def make(name: str, spec: DatasetSpec, loss: str | None = None) -> Task:
    """Return the task, bound to a data set.

    Args:
        name: One of `TASKS`.
        spec: Of the data.
        loss: Its Keras name where a recipe names one: some want targets in another form.
    """
    import importlib

    module, kind, _, _ = TASKS[name]
    found: Task = getattr(importlib.import_module(f"zoo.tasks.{module}"), kind)(name, spec, loss)
    return found
