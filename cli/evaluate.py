"""`dlzoo evaluate`: score a run's model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import (
    RUN,
    Choice,
    json_option,
    run_dir_option,
    tell_unfinished,
    weights_option,
)
from cli.output import emit_json, heading, hint, number, run_command, table
from zoo.datasets.spec import SPLITS
from zoo.run import load


@click.command("evaluate")
@click.argument("run", type=RUN)
@click.option(
    "--split",
    type=Choice(SPLITS),
    default="test",
    show_default=True,
    help="Which part of the data to score on.",
)
@weights_option
@run_dir_option
@json_option
def command(run: str, split: str, weights: Any, run_dir: Path, as_json: bool) -> None:
    """Score RUN's model on a split of its data.

    RUN is a run's name, the beginning of one, its folder, or 'latest'.
    """
    found = load(run, run_dir, weights=weights)
    scores = found.evaluate(split)
    size = found.spec.sizes[split]
    tell_unfinished(found, weights)
    if as_json:
        emit_json(
            {
                "run": str(found.path),
                "model": found.recipe.model,
                "dataset": found.spec.name,
                "split": split,
                "weights": weights,
                "finished": found.finished,
                "examples": size,
                "metrics": scores,
            }
        )
        return
    best = ", best epoch's weights" if weights == "best" else ""
    heading(f"{found.name} on the {split} split of {found.spec.name} ({size:,} examples{best})")
    table(
        ("score", "value"),
        [(name, number(value)) for name, value in scores.items()],
        right=("value",),
    )
    hint(run_command("export", found, run_dir))
