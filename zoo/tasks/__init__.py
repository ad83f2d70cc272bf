"""What a model is asked to do: binding data to models, scoring, rendering, serving."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from zoo import registry
from zoo.base.errors import UsageError, unknown
from zoo.catalog import ModelCard

if TYPE_CHECKING:
    from zoo.datasets.spec import DatasetSpec
    from zoo.tasks.base import Task
    from zoo.tasks.columns import Columns

PLUGINS = "dlzoo.tasks"
"""The entry-point group by which other distributions add tasks: name -> a class of `Task`."""

# name -> where its class is.
TASKS = {
    "classification": "zoo.tasks.classification:Classification",
    "image-classification": "zoo.tasks.classification:ImageClassification",
    "text-classification": "zoo.tasks.classification:TextClassification",
    "series-classification": "zoo.tasks.classification:SeriesClassification",
    "regression": "zoo.tasks.regression:Regression",
    "forecasting": "zoo.tasks.forecasting:Forecasting",
    "tagging": "zoo.tasks.tagging:Tagging",
    "reconstruction": "zoo.tasks.reconstruction:Reconstruction",
    "generative-classification": "zoo.tasks.generative_classification:GenerativeClassification",
    "generation": "zoo.tasks.generation:Generation",
    "translation": "zoo.tasks.translation:Translation",
    "captioning": "zoo.tasks.captioning:Captioning",
    "language-modelling": "zoo.tasks.language_modelling:LanguageModelling",
    "embedding": "zoo.tasks.embedding:Embedding",
    "co-occurrence-embedding": "zoo.tasks.cooccurrence:CooccurrenceEmbedding",
}
_registered: dict[str, type[Task]] = {}


def register(name: str, kind: type[Task]) -> None:
    """Add a task to this process.

    Raises:
        ValueError: There is a task of that name.
    """
    if name in list_tasks():
        raise ValueError(f"two tasks are called '{name}'")
    _registered[name] = kind


def unregister(name: str) -> None:
    """Take a task that was registered out of this process."""
    del _registered[name]


@cache
def _installed() -> dict[str, type[Task]]:
    return {point.name: point.load() for point in entry_points(group=PLUGINS)}


def list_tasks() -> list[str]:
    """Return the names of all tasks."""
    return [*TASKS, *_installed(), *_registered]


def find(name: str) -> type[Task]:
    """Return the class of a task, without TensorFlow.

    Raises:
        UsageError: There is no such task.
    """
    if name in TASKS:
        module, _, kind = TASKS[name].partition(":")
        found: type[Task] = getattr(importlib.import_module(module), kind)
        return found
    plugins = {**_installed(), **_registered}
    if name not in plugins:
        raise unknown("task", name, list_tasks())
    return plugins[name]


def check(card: ModelCard, task: str | None, data: Columns) -> str:
    """Return the task by which a model can work on a data set, without TensorFlow.

    Args:
        card: The model's.
        task: What a recipe says; None leaves it to the card.
        data: The data set.

    Raises:
        UsageError: There is no such task, or it cannot be done with this data.
    """
    from zoo.tasks.columns import ColumnsError

    name = task or card.task
    kind = find(name).of(card)
    try:
        kind.check(card.name, name, data)
    except ColumnsError as error:
        if hint := _instead(card, data):
            raise UsageError(f"{error}. {hint}") from None
        raise
    return name


def _instead(card: ModelCard, data: Columns) -> str:
    """Return what would work with a data set instead, in a sentence."""
    if fits(find(card.task).of(card), data):
        return f"Try: --set task={card.task}"
    cards = [registry.card(one) for one in registry.list_models()]
    models = [one.name for one in cards if fits(find(one.task).of(one), data)]
    if models:
        return f"Models for {data.name}: {', '.join(models[:6])}{', …' * (len(models) > 6)}"
    for other in list_tasks():
        if fits(find(other), data) and find(other).example_models:
            model = find(other).example_models[0]
            return f"Try: dlzoo train {model} --dataset {data.name} --set task={other}"
    return ""


def fits(kind: type[Task], data: Columns) -> bool:
    """Return whether a task can be done with a data set."""
    try:
        kind.check("", "", data)
    except UsageError:
        return False
    return True


def make(
    name: str, spec: DatasetSpec, loss: str | None = None, card: ModelCard | None = None
) -> Task:
    """Return the task, bound to a data set.

    Args:
        name: One of `list_tasks`.
        spec: Of the data.
        loss: Its Keras name where a recipe names one: some need targets in another form.
        card: Of the model, where it decides which variant of the task it does.
    """
    kind = find(name) if card is None else find(name).of(card)
    return kind(name, spec, loss)
