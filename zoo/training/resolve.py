"""From what was asked for to one recipe, checked as far as is possible without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

from recipes import library
from recipes.overrides import contradictions, overlay, override
from recipes.recipe import Data, Recipe, parse, read_toml
from zoo import registry, tasks
from zoo.base.errors import UsageError, suggestion
from zoo.base.files import is_folder
from zoo.datasets.loading import in_form
from zoo.datasets.sources import open_source
from zoo.runs.folder import RUNS, RunFolder, find
from zoo.training.changes import Changes
from zoo.weights.files import SUFFIXES
from zoo.weights.transfer import require_weights

# Flags that replace a key of the recipe of the same name.
_KEYS = ("epochs", "batch_size", "seed", "precision", "strategy", "devices")


def resolve(model: str | None, *, run_dir: str | Path = RUNS, **changes: Unpack[Changes]) -> Recipe:
    """Return the recipe to train by: the model's, then ``recipe``, then the other changes.

    Args:
        model: A model or family; None takes the recipe's.
        run_dir: Where a run that is named is looked for.
        changes: See `Changes`.

    Raises:
        UsageError: Something is unknown, out of range, or does not fit together.
    """
    dataset = changes.get("dataset")
    if dataset is not None:
        dataset = open_source(dataset).describe().name
    found = _base(model, changes.get("recipe"), dataset)
    values: dict[str, Any] = {
        key: value for key in _KEYS if (value := changes.get(key)) is not None
    }
    start = changes.get("init_from")
    if start is not None:
        values["init_from"] = str(start.path if isinstance(start, RunFolder) else start)
    frozen = changes.get("freeze")
    if frozen:
        values["freeze"] = [frozen] if isinstance(frozen, str) else list(frozen)
    rate = changes.get("learning_rate")
    if rate is not None:
        for key in found.all_optimizers:
            where = "optimizer" if found.optimizer else f"optimizers.{key}"
            values[f"{where}.learning_rate"] = rate
    overrides = changes.get("overrides") or {}
    named = registry.card(model).name if model else None
    said = {key: value for key, value in (("model", named), ("data.name", dataset)) if value}
    contradictions({**values, **said}, overrides)
    found = override(found, {**values, **overrides})
    if found.init_from is not None:
        found = found.model_copy(update={"init_from": _initial_weights(found, run_dir)})
    check(found)
    return found


def _initial_weights(recipe: Recipe, run_dir: str | Path) -> str:
    """Return the path of a recipe's initial weights, or "imagenet"."""
    given = str(recipe.init_from)
    if given != "imagenet" and (is_folder(given) or not given.endswith(SUFFIXES)):
        try:
            return str(find(given, run_dir).model_file.parent)
        except UsageError as error:
            if Path(given).suffix and not is_folder(given):  # a file of another kind, it seems
                require_weights(registry.card(recipe.model).name, given)
            if hint := suggestion(given, ["imagenet"]):
                raise UsageError(f"init_from: there is no file or run '{given}'.{hint}") from None
            raise UsageError(f"init_from: {error}") from None
    require_weights(registry.card(recipe.model).name, given)
    return given


def _base(model: str | None, recipe: str | Path | Recipe | None, dataset: str | None) -> Recipe:
    if recipe is None:
        if model is None:
            raise UsageError("name a model to train, see: dlzoo list")
        card = registry.card(model)
        names = [f"{card.name}-{dataset}", card.recipe] if dataset else [card.recipe]
        known = library.names()
        found = library.load(next((name for name in names if name in known), card.recipe))
    elif isinstance(recipe, Recipe):
        found = recipe
    elif library.is_file(str(recipe)):
        values = read_toml(Path(recipe))
        if "model" not in values:
            values = overlay(_base(model, None, dataset).as_dict(), values)
        found = parse(values, source=str(recipe))
    else:
        found = library.load(str(recipe))
    if model is not None:
        found = _for_model(found, registry.card(model).name)
    if dataset is not None and dataset != found.data.name:
        found = _for_dataset(found, dataset)
    return found


def _for_model(recipe: Recipe, model: str) -> Recipe:
    own = registry.card(recipe.model)
    if own.name == model:
        return override(recipe, {"model": model})
    if own.family != registry.card(model).family:
        raise UsageError(
            f"that recipe is for {own.name}, not for {model}. "
            f"To train {model} by it, write a recipe file without the key 'model'"
        )
    # The target was measured with another member of the family.
    return override(recipe, {"model": model}).model_copy(update={"target": None})


def _for_dataset(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe for another data set: what belongs to the old data is left out."""
    new, old = (open_source(one).describe() for one in (name, recipe.data.name))
    kept = {
        column: form
        for column, form in recipe.data.forms.items()
        if column in new.features and set(form) <= set(new.features[column].form)
    }
    changes: dict[str, Any] = {
        "data": Data(name=new.name, **kept),
        "loss": None,
        "metrics": [],
        "target": None,
    }
    if all(new.features[column].pixels is None for column in new.inputs):
        changes["augmentation"] = []
    if new.targets != old.targets:
        changes["task"] = None
    return recipe.model_copy(update=changes)


def check(recipe: Recipe) -> None:
    """Raise a `UsageError` for what names and numbers alone show to be wrong."""
    card = registry.card(recipe.model)
    described = open_source(recipe.data.name).describe()
    task = tasks.check(card, recipe.task, in_form(described, recipe.data.forms, complete=False))
    try:
        described = tasks.find(task).adapt(in_form(described, recipe.data.forms))
    except ValueError as error:  # the task's change and the recipe's form do not go together
        raise UsageError(f"{task} on {recipe.data.name}: {error}") from None
    tasks.find(task).check(card.name, task, described)
    if not described.in_memory and recipe.batch_size == "full":
        raise UsageError(
            f"batch_size 'full' is the whole training split, and memory does not hold that of "
            f"{described.name}; say how many"
        )
    rows = described.sizes.get("train", described.rows)
    replicas = recipe.devices or 1
    # A batch larger than the data is the whole data, which is what was meant.
    batch = rows if recipe.batch_size == "full" else min(int(recipe.batch_size), rows)
    if recipe.strategy == "one-device" and replicas > 1:
        raise UsageError(f"strategy one-device runs on 1 device, got devices = {replicas}")
    require_even_shares(batch, replicas)


def require_even_shares(batch_size: int, replicas: int) -> None:
    """Raise a `UsageError` unless each replica gets as many examples of a batch as the others."""
    if batch_size < replicas:
        raise UsageError(f"a batch of {batch_size} cannot be shared evenly by {replicas} devices")
    if batch_size % replicas:
        raise UsageError(
            f"a batch of {batch_size} cannot be shared evenly by {replicas} devices; "
            f"try --batch-size {batch_size // replicas * replicas}"
        )


def describe(recipe: Recipe) -> str:
    """Return what the recipe asks for in one line."""
    optimizers = ", ".join(
        named.name if recipe.optimizer else f"{key} {named.name}"
        for key, named in recipe.all_optimizers.items()
    )
    rates = {named.arguments.get("learning_rate") for named in recipe.all_optimizers.values()}
    known = [json.dumps(rate) for rate in rates if rate is not None]
    rate = f" at {', '.join(known)}" if known else ""
    epochs = f"{recipe.epochs} epoch{'s' * (recipe.epochs != 1)}"
    origin = f", from {recipe.init_from}" if recipe.init_from else ""
    frozen = f", {' '.join(recipe.freeze)} frozen" if recipe.freeze else ""
    size = "the whole split" if recipe.batch_size == "full" else str(recipe.batch_size)
    return (
        f"{recipe.model} on {recipe.data.name}: {epochs}, batches of {size}, "
        f"{optimizers}{rate}, seed {recipe.seed}{origin}{frozen}"
    )
