"""`dlzoo info`: one model's card."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import click

from cli.options import MODEL, json_option
from cli.output import emit_json, facts, heading, hint, next_command, table
from recipes.library import entries, load, names, takes
from zoo.anatomy.stages import Stage, published
from zoo.catalog import ModelCard
from zoo.registry import card


@click.command("info")
@click.argument("model", type=MODEL)
@json_option
def command(model: str, as_json: bool) -> None:
    """Show one model's facts: paper, size, stages, recipes.

    The name of a family stands for its default member.
    """
    found = card(model)
    stages = published(found.name)
    recipes = _recipes(found)
    if as_json:
        told = {**dataclasses.asdict(found), "input_shape": found.input_shape}
        told["family_default"] = card(found.family).name
        told["stages"] = [dataclasses.asdict(stage) for stage in stages]
        emit_json({**told, "recipes": recipes})
        return
    heading(f"{found.name}: {found.summary}")
    facts(_facts(found))
    if stages:
        click.echo()
        _stage_table(stages)
    if recipes:
        click.echo()
        keys = ("name", "target", "target_source", "takes")
        rows = [tuple(one[key] or "" for key in keys) for one in recipes]
        table(("recipe", "target", "source", "takes"), rows)
    train = next_command("train", found.name)
    if found.recipe in names():
        hint(next_command("recipes", "show", found.recipe), train)
    else:
        hint(train)


def _facts(found: ModelCard) -> dict[str, Any]:
    default = card(found.family).name
    paper = found.paper
    told = {
        "family": found.family + f" (its default model is {default})" * (default != found.family),
        "task": found.task,
        "input": " × ".join(str(size) for size in found.input_shape),
        "depth": f"{found.depth} layer{'s' * (found.depth != 1)} with weights",
        "parameters": f"{found.parameters:,}",
        "multiply-adds": f"{found.macs:,}",
        "paper": f"{paper.authors}, {paper.year}\n{paper.title}\n{paper.url}",
        "special": "\n".join(found.special),
        "builder": found.builder,
        "recipe": found.recipe + _written_for(found),
    }
    absent = {"depth": found.depth == 0, "special": not found.special}  # on a plug-in's card
    return {name: value for name, value in told.items() if not absent.get(name)}


def _written_for(found: ModelCard) -> str:
    """Return for which model the default recipe was written, if for another one."""
    if found.recipe not in names():
        return ""
    owner = card(load(found.recipe).model).name
    return "" if owner == found.name else f" (written for {owner})"


def _stage_table(stages: Sequence[Stage]) -> None:
    columns = ("stage", "made of", "output", "parameters", "multiply-adds")
    rows = [
        (
            stage.name,
            stage.made_of,
            "×".join(str(size) for size in stage.output_shape),
            f"{stage.parameters:,}",
            "training only" if stage.training_only else f"{stage.macs:,}",
        )
        for stage in stages
    ]
    table(columns, rows, right=("parameters", "multiply-adds"))


def _recipes(found: ModelCard) -> list[dict[str, str | None]]:
    """Return the model's own recipes: name, target, the target's source, and time and score."""
    return [
        {
            "name": entry.name,
            "target": str(entry.recipe.target) if entry.recipe.target else None,
            "target_source": entry.recipe.target.source if entry.recipe.target else None,
            "takes": takes(entry.path),
        }
        for entry in entries()
        if card(entry.recipe.model).name == found.name
    ]
