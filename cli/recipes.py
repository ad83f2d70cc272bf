"""`dlzoo recipes`: the recipes, and one recipe's text."""

from __future__ import annotations

import click

from cli.options import MODEL, RECIPE, DefaultGroup, json_option
from cli.output import emit_json, hint, next_command, table
from recipes.library import entries, load, path_of
from recipes.recipe import Target
from zoo.base.errors import UsageError
from zoo.registry import card


@click.group("recipes", cls=DefaultGroup)
def command() -> None:
    """List the recipes, all or those of one MODEL; `show NAME` prints one."""


@command.command("list")
@click.argument("model", type=MODEL, required=False)
@json_option
def list_recipes(model: str | None, as_json: bool) -> None:
    """List the recipes, all or those of one model or family."""
    wanted = None if model is None else card(model)
    found = [
        entry
        for entry in entries()
        if wanted is None
        or entry.recipe.model == wanted.name
        or (model == wanted.family and card(entry.recipe.model).family == model)
        or entry.name == wanted.recipe
    ]
    if not found:
        raise UsageError(f"there is no recipe for {model}")
    if as_json:
        emit_json(
            [
                {
                    "name": entry.name,
                    "model": entry.recipe.model,
                    "dataset": entry.recipe.data.name,
                    "epochs": entry.recipe.epochs,
                    "target": str(entry.recipe.target) if entry.recipe.target else None,
                    "summary": entry.summary,
                }
                for entry in found
            ]
        )
        return
    rows = [
        (entry.name, entry.recipe.epochs, _target(entry.recipe.target), entry.summary)
        for entry in found
    ]
    table(("recipe", "epochs", "target", "what it is"), rows, right=("epochs",))
    first = found[0].name
    hint(
        next_command("recipes", "show", first),
        next_command("train", found[0].recipe.model, "--recipe", first),
    )


def _target(target: Target | None) -> str:
    if target is None:
        return ""
    return f"{target} (published)" if target.published else str(target)


@command.command("show")
@click.argument("name", type=RECIPE)
@json_option
def show(name: str, as_json: bool) -> None:
    """Print one recipe as it is written.

    --json gives it with every default filled in.
    """
    if as_json:
        emit_json(load(name).as_dict())
        return
    click.echo(path_of(name).read_text(encoding="utf-8"), nl=False)
    hint(next_command("train", load(name).model, "--recipe", name))
