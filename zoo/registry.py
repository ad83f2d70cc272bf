"""Look-ups over the catalogue: list, card, build, plug-ins."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import logging
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from zoo.catalog import CARDS, ModelCard
from zoo.errors import UsageError, suggestion, unknown
from zoo.pretrained import require

logger = logging.getLogger(__name__)
PLUGINS = "dlzoo.models"
"""The entry-point group by which other distributions add cards: each names one or more of them."""


def natural(name: str) -> list[int | str]:
    """Return a sort key by which resnet20 comes before resnet110."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


@cache
def _table() -> dict[str, ModelCard]:
    cards = list(CARDS)
    for point in entry_points(group=PLUGINS):
        found = point.load()
        cards.extend([found] if isinstance(found, ModelCard) else found)
    return tabulate(cards)


def tabulate(cards: list[ModelCard]) -> dict[str, ModelCard]:
    """Return the cards by name.

    Raises:
        ValueError: Two cards have one name.
    """
    table: dict[str, ModelCard] = {}
    for entry in cards:
        if entry.name in table:
            raise ValueError(
                f"two models are called '{entry.name}': "
                f"{table[entry.name].builder} and {entry.builder}"
            )
        table[entry.name] = entry
    return table


def list_models(
    pattern: str = "*", *, family: str | None = None, task: str | None = None
) -> list[str]:
    """Return the names of the models, in natural order within each family.

    Args:
        pattern: A shell wildcard such as ``"resnet*"``; a plain word matches anywhere in a name.
        family: Only this family.
        task: Only models that do this kind of work.

    Raises:
        UsageError: No model has that family or that task.
    """
    table = _table()
    for kind, value in (("family", family), ("task", task)):
        known = sorted({getattr(entry, kind) for entry in table.values()})
        if value is not None and value not in known:
            raise unknown(kind, value, known)
    if not any(sign in pattern for sign in "*?["):
        pattern = f"*{pattern}*"
    families = list(dict.fromkeys(entry.family for entry in table.values()))
    found = [
        entry
        for entry in table.values()
        if fnmatch.fnmatch(entry.name, pattern.lower())
        and family in (None, entry.family)
        and task in (None, entry.task)
    ]
    found.sort(key=lambda entry: (families.index(entry.family), natural(entry.name)))
    return [entry.name for entry in found]


def card(name: str) -> ModelCard:
    """Return the card of a model, or of its family's default member.

    Raises:
        UsageError: There is no such model.
    """
    table = _table()
    if name in table:
        return table[name]
    for entry in table.values():
        if entry.family == name:
            return entry
    names = [*table, *{entry.family for entry in table.values()}]
    raise unknown("model", name, names, see="dlzoo list")


def build(name: str, weights: str | Path | None = None, **arguments: Any) -> Any:
    """Return a `keras.Model`, freshly initialised or with weights that exist.

    Args:
        name: A model or a family.
        weights: ``"imagenet"`` for what keras.applications publishes for VGG-16 and -19 and
            ResNet-50, -101 and -152, whose inputs are those of
            `keras.applications.vgg16.preprocess_input` (BGR, means subtracted), as a recipe's
            ``data.scaling = "caffe"`` makes them. Or the path of a ``.keras`` or ``.weights.h5``
            file, of the zoo's or of keras.applications' network; or a run's folder. Layers of other
            shapes, such as a head of other classes, stay fresh: this module's logger warns of them.
        arguments: The builder's own; its defaults make the paper's network.

    Raises:
        UsageError: There is no such model, its builder does not take these arguments, or there are
            no such weights for it.
        DlzooError: The published weights cannot be downloaded.

    Example:
        >>> zoo.build("resnet50", input_shape=(64, 64, 3), classes=7, weights="imagenet")
    """
    from zoo.runtime import start_tensorflow

    entry = card(name)
    if weights is not None:
        require(entry.name, weights)
    start_tensorflow()
    builder = _builder(entry)
    known = list(inspect.signature(builder).parameters)
    for key in arguments:
        if key not in known:
            hint = suggestion(key, known) or f" It takes: {', '.join(known)}."
            raise UsageError(f"{entry.name} takes no argument '{key}'.{hint}")
    try:
        model = builder(**arguments)
    except (TypeError, ValueError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise UsageError(f"cannot build {entry.name}({given}): {error}") from error
    if weights is not None:
        from zoo.weights import load_into

        report = load_into(model, entry.name, weights)
        logger.log(logging.INFO if report.complete else logging.WARNING, "%s", report)
    return model


def builder_defaults(name: str) -> dict[str, Any]:
    """Return the arguments of a model's builder with their defaults, which make the paper's."""
    parameters = inspect.signature(_builder(card(name))).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def import_family(name: str) -> None:
    """Import a model's file, so that its Keras classes are registered before a file is loaded."""
    _builder(card(name))


def _builder(entry: ModelCard) -> Any:
    module, _, function = entry.builder.partition(":")
    return getattr(importlib.import_module(module), function)
