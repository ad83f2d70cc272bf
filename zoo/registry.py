"""Look-ups over the catalogue: list, card, build, plug-ins."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import logging
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from zoo.base.errors import UsageError, gist, suggestion, unknown
from zoo.base.names import natural
from zoo.catalog import CARDS, ModelCard
from zoo.weights.transfer import load_into, require_weights

logger = logging.getLogger(__name__)
PLUGINS = "dlzoo.models"
"""The entry-point group by which other distributions add cards: each names one or more of them."""

_registered: list[ModelCard] = []
"""Cards that this process added by `register`."""


@cache
def _table() -> dict[str, ModelCard]:
    cards = list(CARDS)
    for point in entry_points(group=PLUGINS):
        try:
            found = point.load()
        except Exception as error:  # any: it is another's code, and the rest of the zoo works
            logger.warning("the models of '%s' are left out: %s", point.value, error)
            continue
        cards.extend([found] if isinstance(found, ModelCard) else found)
    return tabulate([*cards, *_registered])


def tabulate(cards: list[ModelCard]) -> dict[str, ModelCard]:
    """Return the cards by name.

    Raises:
        ValueError: Two cards have the same name.
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


def register(card: ModelCard) -> None:
    """Add a model to the catalogue for the rest of this process.

    A distribution that is installed adds its cards by an entry point instead, see `PLUGINS`.

    Raises:
        ValueError: There is a model of that name already.
    """
    tabulate([*_table().values(), card])
    _registered.append(card)
    _table.cache_clear()


def unregister(name: str) -> None:
    """Take a model that was registered out of the catalogue of this process."""
    _registered[:] = [card for card in _registered if card.name != name]
    _table.cache_clear()


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
        if fnmatch.fnmatch(entry.name.lower(), pattern.lower())
        and family in (None, entry.family)
        and task in (None, entry.task)
    ]
    found.sort(key=lambda entry: (families.index(entry.family), natural(entry.name)))
    return [entry.name for entry in found]


def card(name: str) -> ModelCard:
    """Return the card of a model, or of its family's default member.

    Args:
        name: Upper and lower case are the same: ``ResNet50`` is resnet50.

    Raises:
        UsageError: There is no such model.
    """
    table = _table()
    wanted = name.lower()
    for entry in table.values():
        if entry.name.lower() == wanted:
            return entry
    for entry in table.values():
        if entry.family.lower() == wanted:
            return entry
    names = [*table, *{entry.family for entry in table.values()}]
    raise unknown("model", name, names, see="dlzoo list")


def build(name: str, weights: str | Path | None = None, **arguments: Any) -> Any:
    """Return a new `keras.Model`, with initial weights or with existing ones.

    Args:
        name: A model or a family.
        weights: ``"imagenet"`` for the weights that keras.applications publishes for VGG-16 and -19
            and ResNet-50, -101 and -152. Their inputs are those of
            `keras.applications.vgg16.preprocess_input` (BGR, means subtracted), which a recipe's
            ``data.image.scaling = "caffe"`` makes. Or the path of a ``.keras`` or ``.weights.h5``
            file, of the zoo or of keras.applications; for gpt2-small also a ``model.safetensors``
            as the transformers library saves GPT-2; or a run's folder. Layers whose shapes differ,
            such as a head for other classes, keep their initial weights: this module's logger
            lists them in a warning.
        arguments: The builder's arguments; its defaults make the paper's network.

    Raises:
        UsageError: There is no such model, its builder does not take these arguments, or there are
            no such weights for it.
        DlzooError: The published weights cannot be downloaded.

    Example:
        >>> zoo.build("resnet50", input_shape=(64, 64, 3), classes=7, weights="imagenet")
    """
    from zoo.base.runtime import start_tensorflow

    entry = card(name)
    if weights is not None:
        require_weights(entry.name, weights)
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
        report = load_into(model, entry.name, weights)
        logger.log(logging.INFO if report.complete else logging.WARNING, "%s", report)
    return model


def builder_defaults(name: str) -> dict[str, Any]:
    """Return the arguments of a model's builder with their defaults, which make the paper's."""
    parameters = inspect.signature(_builder(card(name))).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def restore(name: str, path: str | Path) -> Any:
    """Return the `keras.Model` in a ``.keras`` file, loaded in safe mode and not compiled.

    Args:
        name: The model's name or its family. Its file is imported first, because it registers the
            Keras classes that the saved model consists of.
        path: The ``.keras`` file.

    Raises:
        UsageError: There is no such model, or the file is missing or damaged.
    """
    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    import keras

    _builder(card(name))
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file can raise almost anything
        raise UsageError(f"{path} cannot be loaded: {gist(error)}") from error


def restore_any(path: str | Path) -> Any:
    """Return the `keras.Model` in a ``.keras`` file of any model of the zoo, see `restore`."""
    for entry in _table().values():
        _builder(entry)
    return restore(next(iter(_table())), path)


def _builder(entry: ModelCard) -> Callable[..., Any]:
    """Return the function that builds a card's model."""
    module, _, function = entry.builder.partition(":")
    return cast(Callable[..., Any], getattr(importlib.import_module(module), function))
