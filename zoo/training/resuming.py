"""What a resumed training is: the run's own recipe, data and features, and what may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.recipe import Recipe
from zoo.base.errors import StorageError, UsageError
from zoo.runs.folder import CHECKPOINTS, RunFolder
from zoo.training.state import Checkpoint, Progress, load

if TYPE_CHECKING:
    from zoo.datasets.spec import DatasetSpec

MAY_CHANGE = ("epochs", "checkpoint")
"""Keys of the recipe that may change on resume: epochs may be raised, and how often to save."""


def last_checkpoint(run: RunFolder, warn: Callable[[str], None]) -> Checkpoint | None:
    """Return the last checkpoint of a run that is whole, or None where none was written.

    Damaged ones after it are removed: what is trained again takes their place.

    Args:
        run: Held by this process.
        warn: Is told in one line of a checkpoint that is damaged.

    Raises:
        StorageError: All are damaged.
    """
    damaged: list[Path] = []
    for path in reversed(run.checkpoints):
        try:
            checkpoint = load(path)
        except StorageError as error:
            damaged.append(path)
            last = error
            continue
        for one in damaged:
            warn(f"checkpoint {one} is damaged: going on from the one before it, {path.name}")
            one.unlink()
        return checkpoint
    if damaged:
        raise StorageError(f"run {run.name} cannot be resumed: {last}")
    return None


def recipe_to_resume(run: RunFolder, at: Progress | None, epochs: int | None) -> Recipe:
    """Return the recipe of a run that goes on.

    Args:
        run: Which.
        at: Its last checkpoint, if there is one.
        epochs: In all; None leaves them as they are.

    Raises:
        UsageError: There is nothing left to do, or epochs would be taken away.
    """
    recipe = run.recipe
    done = at.epoch if at else 0
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs must be at least 1, got {epochs}")
    if epochs is not None and epochs < done:
        raise UsageError(f"run {run.name} has trained {done} epochs already, got epochs = {epochs}")
    if epochs is not None and epochs < recipe.epochs:
        raise UsageError(
            f"run {run.name} is a training of {recipe.epochs} epochs, which can only be raised, "
            f"got epochs = {epochs}"
        )
    if run.finished and (epochs is None or epochs == recipe.epochs):
        done = run.epochs_done
        how = "its epoch" if done == 1 else f"its {done} epochs"
        if done < recipe.epochs:
            how = f"early, after {done} of {recipe.epochs} epochs"
        more = run.command("train --resume", f"--epochs {recipe.epochs + 10}")
        raise UsageError(f"run {run.name} has finished {how}. To go on: {more}")
    if at is None and run.finished:
        raise StorageError(f"run {run.name} is damaged: it has no checkpoint")
    if at is None and (run.path / CHECKPOINTS / "state.npz").is_file():
        raise UsageError(
            f"run {run.name} was trained by an earlier dlzoo, whose checkpoints are not read any "
            "more. Start a new training"
        )
    return recipe if epochs is None else recipe.model_copy(update={"epochs": epochs})


def spec_of(run: RunFolder) -> DatasetSpec:
    """Return what a run knows of its data, which must not have changed.

    Raises:
        UsageError: They have.
        StorageError: data.json is damaged.
    """
    from zoo.datasets.sources import open_source
    from zoo.datasets.spec import DatasetSpec

    try:
        spec = replace(DatasetSpec.from_json(run.data), assigned=run.splits)
    except ValueError as error:
        path = run.path / "data.json"
        raise StorageError(f"run {run.name} is damaged: {path}: {error}") from None
    if spec.fingerprint and open_source(run.recipe.data).fingerprint() != spec.fingerprint:
        raise UsageError(
            f"the data of {spec.name} have changed since run {run.name} began: resuming would mix "
            "two data sets. Start a new training"
        )
    return spec


def require_same(run: RunFolder, asked: Recipe) -> None:
    """Raise a `UsageError` that shows in what a recipe differs from that of a run.

    Args:
        run: Which is to go on.
        asked: Its recipe with what the user asks for.
    """
    old, new = _flat(run.recipe.as_dict()), _flat(asked.as_dict())
    changed = [
        f"{key} = {old.get(key, 'not set')} cannot become {new.get(key, 'not set')}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key) and key.split(".")[0] not in MAY_CHANGE
    ]
    if changed:
        if old["model"] != new["model"]:
            changed = [one for one in changed if one.startswith("model = ")]  # the rest follows
        raise UsageError(
            f"run {run.name}: {', '.join(changed)}. On --resume, only --epochs (upwards) and the "
            "checkpoint settings may change; start a new training for the rest"
        )


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[above + key] = value
    return flat
