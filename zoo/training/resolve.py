"""From what was asked for to one recipe, checked as far as is possible without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

from recipes import library
from recipes.overrides import contradictions, overlay, override
from recipes.recipe import Data, Recipe, parse, read_toml
from zoo import registry, tasks
from zoo.base.errors import StorageError, UsageError, suggestion
from zoo.base.files import is_folder
from zoo.datasets.loading import in_form
from zoo.datasets.sources import is_own, open_source
from zoo.runs.folder import RUNS, RunFolder, find
from zoo.training import own
from zoo.training.changes import Changes
from zoo.training.cluster import cluster_of
from zoo.training.resuming import MAY_CHANGE, require_same
from zoo.weights.files import SUFFIXES
from zoo.weights.transfer import require_weights

# Flags that replace a key of [data] of the same name, and of the recipe.
_OPTIONS = ("target", "group", "data_dir", "skip_bad_files")
_KEYS = ("epochs", "batch_size", "seed", "precision", "strategy", "devices", "accumulate")
# Flags that replace another key.
_RENAMED = {
    "checkpoint_minutes": "checkpoint.minutes",
    "checkpoint_steps": "checkpoint.steps",
    "keep": "checkpoint.keep",
}


def resolve(model: str | None, *, run_dir: str | Path = RUNS, **changes: Unpack[Changes]) -> Recipe:
    """Return the recipe to train by: the model's, then ``recipe``, then the other changes.

    Args:
        model: A model or family; None takes the recipe's.
        run_dir: Where a run that is named is looked for.
        changes: See `Changes`.

    Raises:
        UsageError: Something is unknown, out of range, or does not fit together.
    """
    data = _data(changes, lambda: _base(model, changes.get("recipe"), None))
    named = data.name if data and changes.get("dataset") is not None else None
    found = _changed(_base(model, changes.get("recipe"), data), model, named, changes)
    if found.init_from is not None:
        found = found.model_copy(update={"init_from": _initial_weights(found, run_dir)})
    check(found)
    return found


def resolve_resumed(
    run: RunFolder, model: str | None, *, run_dir: str | Path = RUNS, **changes: Unpack[Changes]
) -> Recipe:
    """Return the recipe by which a run goes on.

    Args:
        run: Which.
        model: As for `resolve`; like the other changes, it may repeat what the run was trained by.
        run_dir: Where a run that is named is looked for.
        changes: See `Changes`.

    Raises:
        UsageError: Something would differ that may not.
    """
    recipe = changes.get("recipe")
    found = run.recipe
    data = _data(changes, lambda: found)
    if recipe is not None or model is not None or data is not None:
        name = registry.card(model or found.model).name
        known = registry.card(found.model).name == name
        said = {**data.options, "name": data.name} if data else {}
        kept_data = {**found.data.options, "name": found.data.name}
        same_data = all(kept_data.get(key) == value for key, value in said.items())
        if recipe is not None or not known or not same_data:
            kept = {key: getattr(found, key) for key in MAY_CHANGE}
            model = model or (found.model if recipe is None else None)
            found = _base(model, recipe, data).model_copy(update=kept)
    start = changes.get("init_from")
    asked = _changed(found, None, None, changes)
    if isinstance(start, str) and run.recipe.init_from and is_folder(Path(run_dir) / start):
        asked = asked.model_copy(update={"init_from": str(Path(run_dir) / start)})
    require_same(run, asked)
    return asked


def _data(changes: Changes, base: Callable[[], Recipe]) -> Data | None:
    """Return the data that changes name, or None where they say nothing of data.

    Args:
        changes: See `Changes`.
        base: Gives the recipe whose data have other options where no data set is named.
    """
    options: dict[str, Any] = {
        key: value for key, value in changes.items() if key in _OPTIONS and value is not None
    }
    name = changes.get("dataset")
    if name is not None:
        data = Data(name=name, **options)
        return data.model_copy(update={"name": open_source(data).describe().name})
    return _with_options(base().data, options) if options else None


def _changed(found: Recipe, model: str | None, dataset: str | None, changes: Changes) -> Recipe:
    """Return a recipe with the changes that replace its keys."""
    values: dict[str, Any] = {
        _RENAMED.get(key, key): value
        for key, value in changes.items()
        if key in (*_KEYS, *_RENAMED) and value is not None
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
    return override(found, {**values, **overrides})


def _initial_weights(recipe: Recipe, run_dir: str | Path) -> str:
    """Return the path of a recipe's initial weights, or "imagenet"."""
    given = str(recipe.init_from)
    if given != "imagenet" and (is_folder(given) or not given.endswith(SUFFIXES)):
        try:
            return str(find(given, run_dir).model_file.parent)
        except StorageError:
            raise
        except UsageError as error:
            if Path(given).suffix and not is_folder(given):  # a file of another kind, it seems
                require_weights(registry.card(recipe.model).name, given)
            if hint := suggestion(given, ["imagenet"]):
                raise UsageError(f"init_from: there is no file or run '{given}'.{hint}") from None
            raise UsageError(f"init_from: {error}") from None
    require_weights(registry.card(recipe.model).name, given)
    return given


def _own_data(values: dict[str, Any], source: str) -> Data | None:
    """Return what a recipe file says of a source of the user's own, or None."""
    table = values.get("data")
    if not isinstance(table, dict) or not is_own(str(table.get("name", ""))):
        return None
    base = library.load(registry.card("mlp").recipe).as_dict()
    return parse({**base, "data": table}, source=source).data


def _with_options(data: Data, options: dict[str, Any]) -> Data:
    return data.model_copy(update=options)


def _base(model: str | None, recipe: str | Path | Recipe | None, data: Data | None) -> Recipe:
    if recipe is None:
        if model is None and data is not None and is_own(data.name):
            model = own.suited_model(open_source(data).describe())[0]
        if model is None:
            raise UsageError("name a model to train, see: dlzoo list")
        card = registry.card(model)
        names = [f"{card.name}-{data.name}", card.recipe] if data else [card.recipe]
        known = library.names()
        found = library.load(next((name for name in names if name in known), card.recipe))
    elif isinstance(recipe, Recipe):
        found = recipe
    elif library.is_file(str(recipe)):
        values = read_toml(Path(recipe))
        if "model" not in values:
            if data is None:
                data = _own_data(values, str(recipe))
            values = overlay(_base(model, None, data).as_dict(), values)
        found = parse(values, source=str(recipe))
    else:
        found = library.load(str(recipe))
    if model is not None:
        found = _for_model(found, registry.card(model).name)
    if data is not None and data != found.data:
        anew = recipe is None and is_own(data.name)
        found = _for_dataset(found, data)
        if anew:
            found = own.suited_recipe(found, open_source(data).describe())
    return found


def _for_model(recipe: Recipe, model: str) -> Recipe:
    written_for = registry.card(recipe.model)
    if written_for.name == model:
        return override(recipe, {"model": model})
    if written_for.family != registry.card(model).family:
        raise UsageError(
            f"that recipe is for {written_for.name}, not for {model}. "
            f"To train {model} by it, write a recipe file without the key 'model'"
        )
    # The target was measured with another member of the family.
    return override(recipe, {"model": model}).model_copy(update={"target": None})


def _for_dataset(recipe: Recipe, data: Data) -> Recipe:
    """Return a recipe for another data set: what belongs to the old data is left out."""
    if data.name == recipe.data.name:  # only options such as the target are others
        return recipe.model_copy(update={"data": _with_options(recipe.data, data.options)})
    new, old = (open_source(one).describe() for one in (data, recipe.data))
    kept: dict[str, Any] = {
        column: form
        for column, form in recipe.data.forms.items()
        if column in new.features and set(form) <= set(new.features[column].form)
    }
    if is_own(new.name):
        # The size of a model's pictures goes with it; the length of its texts goes with its data.
        kept = {column: form for column, form in kept.items() if new.features[column].pixels}
        (first, *more), (before, *_) = new.inputs, old.inputs
        form = recipe.data.forms.get(before, {})
        if not more and new.features[first].pixels and set(form) <= set(new.features[first].form):
            kept[first] = form or kept.get(first, {})
    kept = {column: one for column, one in kept.items() if one}
    changes: dict[str, Any] = {
        "data": Data(name=new.name, **data.options, **kept),
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
    described = open_source(recipe.data).describe()
    task = tasks.check(card, recipe.task, in_form(described, recipe.data.forms, complete=False))
    try:
        described = tasks.find(task).adapt(in_form(described, recipe.data.forms))
    except ValueError as error:  # the task's change and the recipe's form do not go together
        raise UsageError(f"{task} on {recipe.data.name}: {error}") from None
    tasks.find(task).of(card).check(card.name, task, described)
    if not described.in_memory and recipe.batch_size == "full":
        raise UsageError(
            f"batch_size 'full' is the whole training split, and memory does not hold that of "
            f"{described.name}; say how many"
        )
    rows = recipe.data.train_examples or described.sizes.get("train", described.rows)
    replicas = recipe.devices or 1
    # A batch larger than the data is the whole data, which is what was meant.
    batch = rows if recipe.batch_size == "full" else min(int(recipe.batch_size), rows)
    if recipe.strategy == "one-device" and replicas > 1:
        raise UsageError(f"strategy one-device runs on 1 device, got devices = {replicas}")
    if recipe.strategy == "parameter-server":
        raise UsageError(
            "strategy parameter-server cannot train: Keras 3 has no fit for it (Keras 2 had). "
            "multi-worker trains on the same machines"
        )
    cluster = cluster_of(recipe)
    workers = 1 if cluster is None else cluster.workers
    if batch % recipe.accumulate:
        raise UsageError(
            f"a batch of {batch} cannot be divided into {recipe.accumulate} equal steps; "
            f"try --batch-size {max(batch // recipe.accumulate, 1) * recipe.accumulate}"
        )
    if recipe.accumulate > 1:
        _require_one_accumulation(recipe)
    require_even_shares(batch // recipe.accumulate, replicas * workers)


def _require_one_accumulation(recipe: Recipe) -> None:
    for key, optimizer in recipe.all_optimizers.items():
        if "gradient_accumulation_steps" in optimizer.arguments:
            raise UsageError(
                f"accumulate sets gradient_accumulation_steps of every optimizer: take it out of "
                f"{key}"
            )


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
