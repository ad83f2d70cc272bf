"""From what was asked for to one recipe, with what can be wrong said before TensorFlow starts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes import library
from recipes.recipe import Recipe, overlay, override, parse, read_toml
from zoo import registry, runs, tasks
from zoo.datasets import catalog
from zoo.datasets.loading import check_form
from zoo.errors import UsageError, suggestion
from zoo.pretrained import require
from zoo.runs import RUNS, Run


def resolve(
    model: str | None,
    *,
    recipe: str | Path | Recipe | None = None,
    dataset: str | None = None,
    epochs: int | None = None,
    batch_size: int | str | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    precision: str | None = None,
    strategy: str | None = None,
    devices: int | None = None,
    init_from: str | Path | Run | None = None,
    freeze: str | Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    run_dir: str | Path = RUNS,
) -> Recipe:
    """Return the recipe to train by: the model's, then `recipe`, then the other arguments.

    Args:
        model: A model or family; None takes the recipe's.
        recipe: A recipe's name, a recipe, or a TOML file. A file that names its model stands
            alone; one that does not is laid over the model's own recipe.
        dataset: Train on this instead. The pair's own recipe is taken if there is one; otherwise
            loss, metrics and target, which belong to the data, are left to the task.
        epochs: Instead of the recipe's.
        batch_size: Instead of the recipe's; ``"full"`` is the whole training split.
        learning_rate: Instead of the recipe's, for every optimizer it has.
        seed: Instead of the recipe's.
        precision: Instead of the recipe's.
        strategy: Instead of the recipe's.
        devices: Instead of the recipe's.
        init_from: Instead of the recipe's: ``"imagenet"``, a file of weights, or a run. A run's
            name becomes its folder, which is found by later.
        freeze: Instead of the recipe's: one or more shell patterns over the names of layers.
        overrides: New values by dotted key.
        run_dir: Where a run that is named is looked for.

    Raises:
        UsageError: Something is unknown, out of range, or does not fit together.
    """
    found = _base(model, recipe, dataset)
    start = init_from.path if isinstance(init_from, Run) else init_from
    changes: dict[str, Any] = {
        key: value
        for key, value in (
            ("epochs", epochs),
            ("batch_size", batch_size),
            ("seed", seed),
            ("precision", precision),
            ("strategy", strategy),
            ("devices", devices),
            ("init_from", str(start) if start else None),
            ("freeze", [freeze] if isinstance(freeze, str) else list(freeze) or None),
        )
        if value is not None
    }
    if learning_rate is not None:
        for key in found.all_optimizers:
            where = "optimizer" if found.optimizer else f"optimizers.{key}"
            changes[f"{where}.learning_rate"] = learning_rate
    found = override(found, {**changes, **(overrides or {})})
    if found.init_from is not None:
        where = _initial_weights(found, run_dir)
        found = found.model_copy(update={"init_from": where})
    check(found)
    return found


def _initial_weights(recipe: Recipe, run_dir: str | Path) -> str:
    """Return the path of a recipe's initial weights, or "imagenet"."""
    given = str(recipe.init_from)
    if given != "imagenet" and (Path(given).is_dir() or not Path(given).suffix):
        try:
            return str(runs.load(given, run_dir).model_file.parent)
        except UsageError as error:
            if hint := suggestion(given, ["imagenet"]):
                raise UsageError(f"init_from: there is no file or run '{given}'.{hint}") from None
            raise UsageError(f"init_from: {error}") from None
    require(registry.card(recipe.model).name, given)
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
            f"To train {model} by it all the same: --set model={model}"
        )
    # The target was measured with another member of the family.
    return override(recipe, {"model": model}).model_copy(update={"target": None})


def _for_dataset(recipe: Recipe, name: str) -> Recipe:
    entry = catalog.entry(name)
    data = recipe.data.model_copy(update={"name": name})
    if entry.kind != catalog.entry(recipe.data.name).kind:
        data = type(recipe.data)(name=name)
    changes: dict[str, Any] = {"data": data, "loss": None, "metrics": [], "target": None}
    if entry.kind != "image":
        changes["augmentation"] = []
    if entry.target != catalog.entry(recipe.data.name).target:
        changes["task"] = None
    return recipe.model_copy(update=changes)


def check(recipe: Recipe) -> None:
    """Raise a `UsageError` for what names and numbers alone show to be wrong."""
    card = registry.card(recipe.model)
    entry = catalog.entry(recipe.data.name)
    tasks.check(card, recipe.task, entry)
    check_form(entry, **recipe.data.model_dump(exclude={"name", "split_text", "lowercase"}))
    if entry.streamed and recipe.batch_size == "full":
        raise UsageError(
            f"batch_size 'full' is the whole training split, and memory does not hold that of "
            f"{entry.name}; say how many"
        )
    rows = entry.splits.get("train", entry.rows)
    if isinstance(recipe.batch_size, int) and recipe.batch_size > rows:
        # A batch larger than the data is the whole data, which is what was meant.
        return
    replicas = recipe.devices or 1
    batch = rows if recipe.batch_size == "full" else int(recipe.batch_size)
    if recipe.strategy == "one-device" and replicas > 1:
        raise UsageError(f"strategy one-device runs on 1 device, got devices = {replicas}")
    require_even_shares(batch, replicas)


def require_even_shares(batch_size: int, replicas: int) -> None:
    """Raise a `UsageError` unless each replica gets as many examples of a batch as the others."""
    if batch_size % replicas:
        raise UsageError(
            f"a batch of {batch_size} cannot be shared evenly by {replicas} devices; "
            f"try --batch-size {max(replicas, batch_size // replicas * replicas)}"
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
    size = "the whole split"
    if recipe.batch_size != "full":
        size = f"{recipe.batch_size} example{'s' * (recipe.batch_size != 1)}"
    epochs = f"{recipe.epochs} epoch{'s' * (recipe.epochs != 1)}"
    origin = f", from {recipe.init_from}" if recipe.init_from else ""
    frozen = f", {' '.join(recipe.freeze)} frozen" if recipe.freeze else ""
    return f"{epochs} of batches of {size}, {optimizers}{rate}, seed {recipe.seed}{origin}{frozen}"
