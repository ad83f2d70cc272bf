"""`dlzoo evaluate`: score a run's model."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import RUN, Choice, json_option, run_dir_option
from cli.output import emit_json, heading, hint, number, table
from zoo import runs
from zoo.datasets.spec import SPLITS


@click.command("evaluate")
@click.argument("run", type=RUN)
@click.option(
    "--split",
    type=Choice(SPLITS),
    default="test",
    show_default=True,
    help="Which part of the data to score on.",
)
@run_dir_option
@json_option
def command(run: str, split: str, run_dir: Path, as_json: bool) -> None:
    """Score RUN's model on a split of its data.

    RUN is a run's name, the beginning of one, its folder, or 'latest'.
    """
    found = runs.load(run, run_dir)
    scores = found.evaluate(split)
    size = found.spec.sizes[split]
    if as_json:
        emit_json(
            {
                "run": str(found.path),
                "model": found.recipe.model,
                "dataset": found.spec.name,
                "split": split,
                "examples": size,
                "metrics": scores,
            }
        )
        return
    heading(f"{found.name} on the {split} split of {found.spec.name} ({size:,} examples)")
    table(
        ("score", "value"),
        [(name, number(value)) for name, value in scores.items()],
        right=("value",),
    )
    hint(f"dlzoo export {found.reference}")
