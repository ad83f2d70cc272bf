"""`dlzoo list`: the models of the zoo."""

from __future__ import annotations

import click

from cli.options import FAMILY, MODEL, TASK, json_option
from cli.output import emit_json, hint, next_command, table
from zoo.base.errors import UsageError, suggestion
from zoo.registry import card, list_models


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--family", type=FAMILY, help="Only this family.")
@click.option("--task", type=TASK, help="Only models for this kind of work.")
@json_option
def command(pattern: str, family: str | None, task: str | None, as_json: bool) -> None:
    """List the models.

    PATTERN is a part of a name or a wildcard such as 'resnet1*'.
    """
    cards = [card(name) for name in list_models(pattern, family=family, task=task)]
    if not cards:
        near = suggestion(pattern, MODEL.names()) or " See them all with: dlzoo list"
        within = "".join(f" {what}" for what in (family, task) if what)
        raise UsageError(f"no{within} model is called '{pattern}'.{near}")
    if as_json:
        emit_json(
            [
                {
                    "name": found.name,
                    "family": found.family,
                    "task": found.task,
                    "year": found.paper.year,
                    "parameters": found.parameters,
                    "macs": found.macs,
                    "recipe": found.recipe,
                    "summary": found.summary,
                }
                for found in cards
            ]
        )
        return
    rows = [
        (found.name, f"{found.parameters:,}", found.paper.year, found.task, found.summary)
        for found in cards
    ]
    columns = ("model", "parameters", "year", "task", "what it is")
    table(columns, rows, right=("parameters", "year"), shorten=("what it is", "task"))
    hint(next_command("info", cards[0].name), next_command("train", cards[0].name))
