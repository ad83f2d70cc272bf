"""`dlzoo info`: one model's card."""

from __future__ import annotations

import dataclasses

import click

from cli.options import MODEL, json_option
from cli.output import emit_json, facts, heading, hint
from recipes.library import entries, names
from zoo.registry import card


@click.command("info")
@click.argument("model", type=MODEL)
@json_option
def command(model: str, as_json: bool) -> None:
    """What there is to know about one model, or a family's default member."""
    found = card(model)
    own = [entry for entry in entries() if card(entry.recipe.model).name == found.name]
    if as_json:
        recipes = {
            entry.name: str(entry.recipe.target) if entry.recipe.target else None for entry in own
        }
        emit_json({**dataclasses.asdict(found), "recipes": recipes})
        return
    heading(f"{found.name}: {found.summary}")
    paper = found.paper
    told = {
        "family": found.family,
        "task": found.task,
        "input": " × ".join(str(size) for size in found.input_shape),
        "parameters": f"{found.parameters:,}",
        "multiply-adds": f"{found.macs:,}",
        "paper": f"{paper.authors}, {paper.year}\n{paper.title}\n{paper.url}",
        "builder": found.builder,
        "recipe": found.recipe,
    }
    if own:
        told["recipes"] = "\n".join(
            f"{entry.name}  {entry.recipe.target or ''}".rstrip() for entry in own
        )
    facts(told)
    train = f"dlzoo train {found.name}"
    if found.recipe in names():
        hint(f"dlzoo recipes show {found.recipe}", train)
    else:
        hint(train)
