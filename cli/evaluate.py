"""`dlzoo evaluate`: score a run's model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import (
    DATASET,
    PATH,
    RUN,
    Choice,
    json_option,
    overwrite_option,
    run_dir_option,
    skip_option,
    source_options,
    tell_unfinished,
    weights_option,
)
from cli.output import emit_json, heading, hint, note, number, run_command, table
from recipes.recipe import Data
from zoo.base.errors import UsageError
from zoo.base.files import writable
from zoo.datasets.spec import SPLITS
from zoo.run import Run, load

MOST_WORST = 5
"""Errors that are named one by one."""


@click.command("evaluate")
@click.argument("run", type=RUN)
@click.option(
    "--split",
    type=Choice(SPLITS),
    help="Which part of the data to score on: test, or the whole of a source of your own.",
)
@click.option("--dataset", type=DATASET, help="Score on this data set or source instead.")
@source_options
@skip_option
@click.option(
    "--worst", type=PATH, metavar="PICTURE", help="Draw the worst errors on --dataset into this."
)
@overwrite_option
@weights_option
@run_dir_option
@json_option
def command(
    run: str,
    split: str | None,
    dataset: str | None,
    worst: Path | None,
    overwrite: bool,
    weights: Any,
    run_dir: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Score RUN's model on a split of its data, or on other data, class by class.

    RUN is a run's name, the beginning of one, its folder, or 'latest'.

    \b
    dlzoo evaluate latest
    dlzoo evaluate latest --dataset folder:new-photos --worst worst.png
    """
    said = {key: value for key, value in options.items() if value is not None}
    if dataset is None:
        if said or worst is not None:
            flag = "worst" if worst is not None else next(iter(said)).replace("_", "-")
            raise UsageError(f"--{flag} goes with --dataset SOURCE")
    else:
        if worst is not None:
            from zoo.runs.pictures import require_picture_suffix

            writable(require_picture_suffix(worst), overwrite=overwrite)
        found = load(run, run_dir, weights=weights)
        _on_other_data(found, Data(name=dataset, **said), split, worst, as_json)
        return
    split = split or "test"
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


def _on_other_data(
    found: Run, data: Data, split: str | None, worst: Path | None, as_json: bool
) -> None:
    done = found.evaluate_on(data, split, worst=worst)
    tell_unfinished(found, found.weights)
    if as_json:
        said = {"weights": found.weights, "finished": found.finished}
        emit_json({"run": str(found.path), "model": found.recipe.model, **said, **vars(done)})
        return
    part = "all" if done.split == "all" else f"the {done.split} split"
    heading(f"{found.name} on {part} of {done.dataset} ({done.examples:,} examples)")
    table(("score", "value"), [(k, number(v)) for k, v in done.metrics.items()], right=("value",))
    if done.classes:
        rows = [
            (
                row["class"],
                row["examples"],
                row["right"],
                "" if row["recall"] is None else number(row["recall"]),
                ", ".join(f"{name} {count}" for name, count in row["taken_for"].items()),
            )
            for row in done.classes
        ]
        columns = ("class", "examples", "right", "share", "taken for")
        table(columns, rows, right=("examples", "right", "share"))
    for one in done.worst[:MOST_WORST]:
        note(
            f"worst: {one['example']}: {one['truth']} taken for {one['answer']} "
            f"({one['probability']:.2f})"
        )
    if worst is not None:
        note(f"worst errors: {worst}" if done.drawn else "there is no error to draw")
