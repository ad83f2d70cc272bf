"""`dlzoo compare`: several runs' curves in one picture, their scores in one table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cli.options import PATH, RUN, json_option, overwrite_option, run_dir_option
from cli.output import emit_json, hint, next_command, number, table
from recipes.recipe import Recipe
from zoo.base.errors import UsageError
from zoo.base.files import writable
from zoo.runs.folder import find

PICTURE = Path("compare.png")
"""Where the curves are drawn by default; compare-2.png and so on if it exists."""


@click.command("compare")
@click.argument("names", nargs=-1, required=True, type=RUN, metavar="RUN...")
@click.option(
    "--output",
    type=PATH,
    help=f"The picture to draw, PNG or JPEG; by default {PICTURE} or the next free name.",
)
@overwrite_option
@run_dir_option
@json_option
def command(
    names: tuple[str, ...], output: Path | None, overwrite: bool, run_dir: Path, as_json: bool
) -> None:
    """Draw the learning curves of each RUN in one picture and print their scores."""
    from zoo.runs.figures import curves
    from zoo.runs.pictures import require_picture_suffix

    if output is not None:
        require_picture_suffix(output)
    loaded = {run.path.resolve(): run for run in (find(name, run_dir) for name in names)}
    called = Counter(run.name for run in loaded.values())
    # Runs of several folders may share a name.
    found = {run.name if called[run.name] == 1 else str(run.path): run for run in loaded.values()}
    histories = {name: run.history for name, run in found.items()}
    for name, history in histories.items():
        if not history:
            raise UsageError(f"run {name} has not finished an epoch yet")
    path = writable(output or (PICTURE if overwrite else _free(PICTURE)), overwrite=overwrite)
    curves(histories, path)
    scores = {name: run.metrics["test"] if run.finished else {} for name, run in found.items()}
    if as_json:
        emit_json(
            {
                "picture": str(path),
                "runs": [
                    {
                        "run": name,
                        "model": run.recipe.model,
                        "dataset": run.recipe.data.name,
                        "epochs": len(histories[name]["epoch"]),
                        "training_seconds": round(run.training_seconds, 2),
                        "test": scores[name],
                    }
                    for name, run in found.items()
                ],
            }
        )
        return
    measures = list(dict.fromkeys(name for score in scores.values() for name in score))
    optimizers = optimizer_cells([run.recipe for run in found.values()])
    rows = [
        (
            name,
            optimizer,
            len(histories[name]["epoch"]),
            f"{found[name].training_seconds:.1f}",
            *(number(scores[name][m]) if m in scores[name] else "" for m in measures),
        )
        for name, optimizer in zip(found, optimizers, strict=True)
    ]
    headings = ("run", "optimizer", "epochs", "seconds", *measures)
    table(headings, rows, right=("epochs", "seconds", *measures))
    click.echo(f"curves: {path}")
    finished = [run.reference for run in found.values() if run.finished]
    if finished:
        hint(next_command("evaluate", finished[0]))


def _free(path: Path) -> Path:
    """Return a path, or the first of ``<stem>-2``, ``<stem>-3``, ... that does not exist."""
    free, count = path, 1
    while free.exists():
        count += 1
        free = path.with_stem(f"{path.stem}-{count}")
    return free


def optimizer_cells(recipes: Sequence[Recipe]) -> list[str]:
    """Return each recipe's optimizers by name, with the settings in which the recipes differ.

    Example:
        ``["SGD learning_rate=0.1", "SGD learning_rate=0.01 schedule=CosineDecay"]``
    """
    settings = [_settings(recipe) for recipe in recipes]
    keys = dict.fromkeys(key for one in settings for key in one)
    differing = [
        key for key in keys if any(one.get(key) != settings[0].get(key) for one in settings)
    ]
    cells = []
    for recipe, one in zip(recipes, settings, strict=True):
        names = ", ".join(optimizer.name for optimizer in recipe.all_optimizers.values())
        parts = [f"{key}={json.dumps(one[key])}" for key in differing if key in one]
        cells.append(" ".join([names, *(part.replace('"', "") for part in parts)]))
    return cells


def _settings(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe says of its optimizers beside their names, by short dotted keys."""
    values = recipe.as_dict()
    told: dict[str, Any] = {}
    for key in recipe.all_optimizers:
        place = values["optimizer"] if recipe.optimizer else values["optimizers"][key]
        told |= _flat(
            {k: v for k, v in place.items() if k != "name"}, "" if recipe.optimizer else key
        )
    for key in ("schedule", "warmup"):
        told |= _flat(values.get(key, {}), key)
    return told


def _flat(values: Mapping[str, Any], above: str) -> dict[str, Any]:
    """Return nested tables with dotted keys; a table's ``name`` gets the table's own key."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        dotted = above if key == "name" and above else f"{above}.{key}" if above else key
        flat |= _flat(value, dotted) if isinstance(value, Mapping) else {dotted: value}
    return flat
